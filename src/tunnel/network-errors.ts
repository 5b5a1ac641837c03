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
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'PATH_LENGTH_EXCEEDED',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  // Node's word for every reason of OpenSSL that it has no name for: violated name constraints among them.
  'UNSPECIFIED',
]);

/** The error behind a failed connection to `host:port`. An HcmError is passed on as it is. */
export function errorFromNetwork(error: Error, host: string, port: number): HcmError {
  if (error instanceof HcmError) return error;
  const { message } = mostTelling(error);
  const seen = nodeCode(error);
  const code = networkCode(seen);
  const text = {
    HCM_DNS_FAILED: `The name ${host} could not be resolved (${seen})`,
    HCM_CONNECT_REFUSED: `${host}:${port} refused the connection`,
    HCM_TLS_UNTRUSTED: `The certificate of ${host}:${port} is not trusted: ${message}`,
    HCM_TLS_FAILED: `TLS with ${host}:${port} failed: ${message}`,
  }[code as string];
  return new HcmError(code, text ?? `The connection to ${host}:${port} failed: ${message}`, {
    retryable: code !== 'HCM_TLS_UNTRUSTED',
    details: { host, port, ...(seen === '' ? {} : { seen }) },
    cause: error,
  });
}

function networkCode(seen: string): ErrorCode {
  if (isResolutionCode(seen)) return 'HCM_DNS_FAILED';
  if (seen === 'ECONNREFUSED') return 'HCM_CONNECT_REFUSED';
  if (seen === 'ETIMEDOUT') return 'HCM_CONNECT_TIMEOUT';
  if (UNTRUSTED.has(seen)) return 'HCM_TLS_UNTRUSTED';
  if (seen.startsWith('ERR_SSL') || seen.startsWith('ERR_TLS') || seen === 'EPROTO') return 'HCM_TLS_FAILED';
  return 'HCM_CONNECT_FAILED';
}

/** Node's error code; of several attempts (one an address) the most telling one's. */
export function nodeCode(error: Error): string {
  return mostTelling(error).code ?? '';
}

/** Refused: a host was there. A machine without IPv6 says "unreachable" of a name's first address, which helps nobody. */
function mostTelling(error: Error): NodeJS.ErrnoException {
  const attempts = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [];
  return attempts.find(({ code }) => code === 'ECONNREFUSED') ?? attempts[0] ?? error;
}

/** True for the codes of a name that has no address (getaddrinfo). */
export function isResolutionCode(seen: string): boolean {
  return seen === 'ENOTFOUND' || seen.startsWith('EAI_');
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

/**
 * The promise's result, or a rejection with the signal's reason when that fires first: for what cannot be aborted.
 * A promise that was left behind goes on unheard.
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
