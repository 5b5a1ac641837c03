/**
 * When a call to Azure is tried again, and after how long: a policy for the pipelines of all clients, in the place of
 * the SDKs' own. Theirs gives up on a 429 without Retry-After (App Service sends such ones while another change holds
 * its lock), waits as long as it is told to, without a word, and cannot be stopped meanwhile.
 */
import type { PipelinePolicy, PipelineResponse } from '@azure/core-rest-pipeline';
import { HcmError } from '../../protocol/errors.ts';
import type { ArmClock } from './arm-clock.ts';

/** Progress for people. */
export type Report = (message: string) => void;

export interface RetryTuning {
  /** How often a call is tried in all. */
  attempts?: number;
  /** The first pause where Azure names none; each further one is twice as long. */
  firstDelayMs?: number;
  /** From the first attempt to the start of the last. Whoever is told to wait longer gives up. */
  totalMs?: number;
  /** How long one attempt may take. */
  attemptTimeoutMs?: number;
}

/** The lock of App Service was seen held for half a minute; ARM's own throttling fills up within one or two. */
const DEFAULTS: Required<RetryTuning> = {
  attempts: 8,
  firstDelayMs: 1_000,
  totalMs: 150_000,
  attemptTimeoutMs: 100_000,
};
const LONGEST_PAUSE_MS = 30_000;
const RETRIED_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
/** The connection was there, and broke. What failed before that comes as an HcmError. */
const BROKEN_CONNECTION = new Set(['ECONNRESET', 'EPIPE']);
const MS_HEADERS = ['retry-after-ms', 'x-ms-retry-after-ms'];

interface RetryContext {
  report: Report;
  clock: ArmClock;
  signal: AbortSignal | undefined;
}

export function retryPolicy(context: RetryContext, tuning: RetryTuning = {}): PipelinePolicy {
  const { attempts, firstDelayMs, totalMs, attemptTimeoutMs } = { ...DEFAULTS, ...tuning };
  const { report, clock, signal } = context;
  return {
    name: 'hcmRetryPolicy',
    async sendRequest(request, next) {
      if (signal !== undefined) request.abortSignal ??= signal;
      if (request.timeout === 0) request.timeout = attemptTimeoutMs;
      const endMs = clock.nowMs() + totalMs;
      for (let attempt = 1; ; attempt += 1) {
        const outcome = await tryOnce(() => next(request), { url: request.url, attemptTimeoutMs, signal });
        const asked = askedPauseMs(outcome);
        const pauseMs = asked ?? Math.min(firstDelayMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
        const isLast = attempt >= attempts || clock.nowMs() + pauseMs > endMs;
        if (isLast || !isPassing(outcome)) return resultOf(outcome);
        report(pauseMessage(outcome, { pauseMs, asked: asked !== undefined }));
        await clock.sleep(pauseMs, signal);
      }
    },
  };
}

type Outcome = { response: PipelineResponse } | { error: unknown };

async function tryOnce(
  send: () => Promise<PipelineResponse>,
  {
    url,
    attemptTimeoutMs,
    signal,
  }: { url: string; attemptTimeoutMs: number; signal: AbortSignal | undefined },
): Promise<Outcome> {
  try {
    return { response: await orAborted(send(), signal) };
  } catch (error) {
    // Ctrl-C, with its own error as the reason.
    if (signal?.aborted) return { error: signal.reason };
    if ((error as Error).name !== 'AbortError') return { error };
    // The time of the attempt is over.
    const { host } = new URL(url);
    const limit = Math.round(attemptTimeoutMs / 1_000);
    return {
      error: new HcmError('HCM_AZURE_UNAVAILABLE', `${host} did not answer within ${limit} s.`, {
        retryable: true,
      }),
    };
  }
}

/** What stands below, the sign-in first of all, does not always hear of Ctrl-C; it is left behind then. */
function orAborted<T>(sending: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return sending;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    sending.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A failure that the next attempt may not have. */
function isPassing(outcome: Outcome): boolean {
  if ('response' in outcome) return RETRIED_STATUSES.has(outcome.response.status);
  const { error } = outcome;
  if (error instanceof HcmError) return error.retryable;
  return BROKEN_CONNECTION.has((error as { code?: string }).code ?? '');
}

function resultOf(outcome: Outcome): PipelineResponse {
  if ('response' in outcome) return outcome.response;
  throw outcome.error;
}

function askedPauseMs(outcome: Outcome): number | undefined {
  if (!('response' in outcome)) return undefined;
  return retryAfterMs((name) => outcome.response.headers.get(name));
}

/** What the headers of an answer ask to wait; undefined when they ask nothing. Seconds, a date, or Azure's own ms. */
export function retryAfterMs(header: (name: string) => string | undefined): number | undefined {
  for (const name of MS_HEADERS) {
    const ms = Number(header(name));
    if (ms > 0) return ms;
  }
  const text = header('retry-after') ?? '';
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : undefined;
}

function pauseMessage(outcome: Outcome, { pauseMs, asked }: { pauseMs: number; asked: boolean }): string {
  const wait = `${Math.ceil(pauseMs / 1_000)} s`;
  if (asked) return `Azure asks to wait ${wait}`;
  if (!('response' in outcome)) return `${(outcome.error as Error).message} Trying again in ${wait}`;
  const { status } = outcome.response;
  return status === 429
    ? `Azure is busy with another change; trying again in ${wait}`
    : `Azure answered ${status}; trying again in ${wait}`;
}
