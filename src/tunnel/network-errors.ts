/** Turns what Node says about DNS, TCP and TLS into our errors, and puts a deadline on an attempt. */
import { HcmError, type ErrorCode } from '../protocol/errors.ts';
import type { Clock } from './clock.ts';

const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'INVALID_CA',
  'PERMITTED_VIOLATION',
]);

/** The error behind a failed connection to `host:port`. An HcmError is passed on as it is. */
export function errorFromNetwork(error: Error, host: string, port: number): HcmError {
  if (error instanceof HcmError) return error;
  const seen = nodeCode(error);
  const code = networkCode(seen);
  const text = {
    HCM_DNS_FAILED: `The name ${host} could not be resolved (${seen})`,
    HCM_CONNECT_REFUSED: `${host}:${port} refused the connection`,
    HCM_TLS_UNTRUSTED: `The certificate of ${host}:${port} is not trusted: ${error.message}`,
    HCM_TLS_FAILED: `TLS with ${host}:${port} failed: ${error.message}`,
  }[code as string];
  return new HcmError(code, text ?? `The connection to ${host}:${port} failed: ${error.message}`, {
    retryable: code !== 'HCM_TLS_UNTRUSTED',
    details: { host, port, ...(seen === '' ? {} : { seen }) },
    cause: error,
  });
}

function networkCode(seen: string): ErrorCode {
  if (seen === 'ENOTFOUND' || seen === 'EAI_AGAIN') return 'HCM_DNS_FAILED';
  if (seen === 'ECONNREFUSED') return 'HCM_CONNECT_REFUSED';
  if (seen === 'ETIMEDOUT') return 'HCM_CONNECT_TIMEOUT';
  if (UNTRUSTED.has(seen)) return 'HCM_TLS_UNTRUSTED';
  if (seen.startsWith('ERR_SSL') || seen.startsWith('ERR_TLS') || seen === 'EPROTO') return 'HCM_TLS_FAILED';
  return 'HCM_CONNECT_FAILED';
}

/** Node's error code; of several attempts (one an address) the first. */
export function nodeCode(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return ((first ?? error) as NodeJS.ErrnoException).code ?? '';
}

/**
 * Runs `act` with a signal that fires at the deadline (with the error that `late` makes) or with the caller's signal.
 * `act` must reject with the reason when its signal fires.
 */
export async function withDeadline<T>(
  limit: { clock: Clock; limitMs: number; late: () => HcmError; signal?: AbortSignal | undefined },
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(limit.signal?.reason);
  if (limit.signal?.aborted) throw limit.signal.reason as Error;
  limit.signal?.addEventListener('abort', onAbort, { once: true });
  const cancel = limit.clock.setTimer(limit.limitMs, () => controller.abort(limit.late()));
  try {
    return await act(controller.signal);
  } finally {
    cancel();
    limit.signal?.removeEventListener('abort', onAbort);
  }
}
