/** Time, as the tunnel sees it: injected, so that tests own it. */
import type { CancelSignal } from '../websocket/cancel-signal.ts';

export interface Clock {
  /** Wall-clock time, ms since 1970: for tokens. It may jump. */
  nowMs(): number;
  /** Elapsed time from an arbitrary start, in ms: for timeouts. It never jumps back. */
  monotonicMs(): number;
  /** Calls `act` once after `delayMs`; the returned function takes that back. */
  setTimer(delayMs: number, act: () => void): () => void;
}

/** Node caps a timer at 2^31-1 ms and fires at once beyond it. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, act) {
    const timer = setTimeout(act, Math.min(delayMs, TIMER_MAX_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, rejects with the signal's reason when that fires first. */
export function sleep(clock: Clock, delayMs: number, signal?: CancelSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      cancel();
      if (signal) reject(signal.reason);
    };
    const cancel = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
