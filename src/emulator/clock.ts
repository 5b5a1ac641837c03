/**
 * Time as the emulator sees it, injected so that tests own it, and the set of all timers that are running, so that
 * stopping the emulator ends every one of them.
 */

export interface EmulatorClock {
  /** Wall-clock time, ms since 1970: for tokens and timestamps. */
  nowMs(): number;
  /** Calls `act` once after `delayMs`; the returned function takes that back. */
  setTimer(delayMs: number, act: () => void): () => void;
}

/** Node fires a longer timer at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: EmulatorClock = {
  nowMs: () => Date.now(),
  setTimer(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Timers with one common end. */
export class TimerSet {
  readonly #clock: EmulatorClock;
  readonly #running = new Set<() => void>();
  #stopped = false;

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
  }

  /** Calls `act` once after `delayMs` of any length, unless taken back or stopped. `Infinity` never fires. */
  set(delayMs: number, act: () => void): () => void {
    if (this.#stopped || delayMs === Infinity) return () => undefined;
    const partMs = Math.min(Math.max(delayMs, 0), TIMER_MAX_MS);
    let cancel = this.#clock.setTimer(partMs, () => {
      this.#running.delete(end);
      if (delayMs > partMs) cancel = this.set(delayMs - partMs, act);
      else act();
    });
    const end = () => {
      this.#running.delete(end);
      cancel();
    };
    this.#running.add(end);
    return () => {
      end();
      cancel();
    };
  }

  /** Ends all timers; none can be set afterwards. */
  stop(): void {
    this.#stopped = true;
    for (const end of [...this.#running]) end();
  }

  get size(): number {
    return this.#running.size;
  }
}
