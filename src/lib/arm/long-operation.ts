/**
 * Waiting for what Azure goes on with by itself: operations that the SDK polls, and states that are looked at until
 * they are right. The SDK's own wait cannot be stopped before its next request, so the pauses are ours.
 */
import type { RelayAPI } from '@azure/arm-relay';
import { HcmError } from '../../protocol/errors.ts';
import { readFailure, toArmError } from './arm-error.ts';
import type { Azure } from './azure.ts';
import { retryAfterMs } from './retry.ts';

export interface Wait {
  /** What is waited for; begins messages: `creating the namespace "x"`. */
  about: string;
  timeoutMs: number;
  /** The command that goes on with the wait. */
  resume: string;
}

/** One look at how far it is. */
export interface Look {
  done: boolean;
  /** As Azure calls it: `Activating`. */
  state?: string | undefined;
  /** When Azure wants to be asked again. */
  retryAfterMs?: number | undefined;
}

/** A namespace takes about 45 s, its deletion a minute: the first looks are quick for what is nearly ready. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 3_000;
const PAUSE_GROWTH = 1.5;

/**
 * Looks until it is done.
 * @throws HcmError HCM_INTERRUPTED at once when the signal fires; HCM_WAIT_TIMEOUT; whatever `look` rejects with.
 */
export async function waitUntil(azure: Azure, wait: Wait, look: () => Promise<Look>): Promise<void> {
  const { clock, signal } = azure;
  const deadlineMs = clock.nowMs() + wait.timeoutMs;
  let seen: string | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  try {
    for (;;) {
      const { done, state, retryAfterMs: askedMs } = await look();
      if (done) return;
      if (state !== seen) azure.report(`${wait.about}: ${state ?? 'under way'}`);
      seen = state;
      const leftMs = deadlineMs - clock.nowMs();
      if (leftMs <= 0) throw tooLate(wait, state);
      await clock.sleep(Math.min(askedMs ?? pauseMs, leftMs), signal);
      pauseMs = Math.min(pauseMs * PAUSE_GROWTH, LONGEST_PAUSE_MS);
    }
  } catch (error) {
    throw signal?.aborted ? interrupted(wait, error) : error;
  }
}

/** What the SDK needs to start an operation: `onResponse` must be passed on to it. */
export type StartOperation = (
  relay: RelayAPI,
  options: { onResponse(response: RawAnswer): void },
) => Promise<Poller>;

interface RawAnswer {
  readonly bodyAsText?: string | null;
  readonly headers: { get(name: string): string | undefined };
}

interface Poller {
  poll(): Promise<void>;
  isDone(): boolean;
}

/** An operation that Azure has taken. */
export interface LongOperation {
  /** Resolves at its end. @throws as `waitUntil`, and HCM_OPERATION_FAILED when Azure failed it. */
  wait(wait: Wait): Promise<void>;
}

/** Resolves once Azure has taken the request. @throws HcmError by `toArmError`. */
export async function startOperation(
  azure: Azure,
  { subscriptionId, about }: { subscriptionId: string; about: string },
  start: StartOperation,
): Promise<LongOperation> {
  let last: RawAnswer | undefined;
  const relay = await azure.in(subscriptionId).relay();
  const guarded = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      throw operationError(error, about);
    }
  };
  const poller = await guarded(() => start(relay, { onResponse: (response) => void (last = response) }));
  // Starting one looks at it once.
  let isFresh = true;
  return {
    wait: (wait) =>
      waitUntil(azure, wait, async () => {
        if (!isFresh && !poller.isDone()) await guarded(() => poller.poll());
        isFresh = false;
        return {
          done: poller.isDone(),
          state: stateOf(last),
          retryAfterMs: retryAfterMs((name) => last?.headers.get(name)),
        };
      }),
  };
}

/** The SDK's error for an operation that Azure failed carries no answer, only words. */
function operationError(error: unknown, about: string): HcmError {
  const isFailed =
    error instanceof Error &&
    readFailure(error) === undefined &&
    /^The long-running operation has/i.test(error.message);
  if (!isFailed) return toArmError(error, about);
  const why = error.message.replace(/^The long-running operation has (?:failed|been canceled)\.?\s*/i, '');
  return new HcmError(
    'HCM_OPERATION_FAILED',
    `${capital(about)}: Azure took the request and failed it. ${why}`.trim(),
    {
      cause: error,
    },
  );
}

/** `status` of an operation, or the state of a resource: Azure answers with either. */
function stateOf(answer: RawAnswer | undefined): string | undefined {
  try {
    const body = JSON.parse(answer?.bodyAsText ?? '') as {
      status?: string;
      properties?: { status?: string; provisioningState?: string };
    };
    return body.properties?.status ?? body.properties?.provisioningState ?? body.status;
  } catch {
    return undefined;
  }
}

function tooLate({ about, timeoutMs, resume }: Wait, state: string | undefined): HcmError {
  const limit = `${Math.round(timeoutMs / 1_000)} s`;
  const last = state === undefined ? '' : ` (${state})`;
  return new HcmError(
    'HCM_WAIT_TIMEOUT',
    `${capital(about)} is not done after ${limit}${last}. It goes on in Azure.`,
    { details: { next: resume }, retryable: true },
  );
}

function interrupted({ about, resume }: Wait, cause: unknown): HcmError {
  const details = cause instanceof HcmError ? cause.details : {};
  return new HcmError('HCM_INTERRUPTED', `Stopped waiting: ${about} goes on in Azure.`, {
    ...{ details: { ...details, next: resume }, cause },
  });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
