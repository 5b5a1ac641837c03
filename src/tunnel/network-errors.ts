/** Puts a deadline on an attempt, and leaves behind what cannot be aborted. */
import type { HcmError } from '../protocol/errors.ts';
import { Cancellation, type CancelSignal } from '../websocket/cancel-signal.ts';
import type { Clock } from './clock.ts';

export type { CancelSignal };
export { errorFromNetwork, isResolutionCode, nodeCode } from '../protocol/network-errors.ts';

/**
 * Runs `act` with a signal that fires at the deadline (with the error that `late` makes) or with the caller's signal.
 * `act` must reject with the reason when its signal fires.
 */
export async function withDeadline<T>(
  limit: { clock: Clock; limitMs: number; late: () => HcmError; signal?: CancelSignal | undefined },
  act: (signal: CancelSignal) => Promise<T>,
): Promise<T> {
  const attempt = new Cancellation();
  const { signal } = limit;
  if (signal?.aborted) throw signal.reason;
  const onAbort = () => signal && attempt.abort(signal.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const cancel = limit.clock.setTimer(limit.limitMs, () => attempt.abort(limit.late()));
  try {
    return await act(attempt);
  } finally {
    cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * The promise's result, or a rejection with the signal's reason when that fires first: for what cannot be aborted.
 * A promise that was left behind goes on unheard.
 */
export function orAborted<T>(promise: Promise<T>, signal: CancelSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
