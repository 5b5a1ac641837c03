/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/tunnel/clock.ts';

interface FakeTimer {
  dueMs: number;
  act: () => void;
}

export class FakeClock implements Clock {
  #elapsedMs = 0;
  #wallMs: number;
  readonly #timers = new Set<FakeTimer>();

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, act: () => void): () => void {
    const timer = { dueMs: this.#elapsedMs + Math.max(delayMs, 0), act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are set: none may remain when everything is over. */
  get timers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, in ms from now; undefined without one. */
  get nextInMs(): number | undefined {
    const next = this.#next();
    return next && next.dueMs - this.#elapsedMs;
  }

  /** Moves both clocks on and fires, in order, what comes due, timers set on the way included. */
  advance(byMs: number): void {
    const targetMs = this.#elapsedMs + byMs;
    for (let next = this.#next(); next && next.dueMs <= targetMs; next = this.#next()) {
      this.#moveTo(next.dueMs);
      this.#timers.delete(next);
      next.act();
    }
    this.#moveTo(targetMs);
  }

  /** As `advance`, but lets promises settle after each timer: for code that sleeps in a loop. */
  async advanceAsync(byMs: number): Promise<void> {
    const targetMs = this.#elapsedMs + byMs;
    await settled();
    for (let next = this.#next(); next && next.dueMs <= targetMs; next = this.#next()) {
      this.advance(next.dueMs - this.#elapsedMs);
      await settled();
    }
    this.#moveTo(targetMs);
  }

  /** The computer's time is set, or it wakes from sleep: only the wall clock jumps. */
  jumpWallClock(byMs: number): void {
    this.#wallMs += byMs;
  }

  #next(): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of this.#timers) if (!next || timer.dueMs < next.dueMs) next = timer;
    return next;
  }

  #moveTo(elapsedMs: number): void {
    this.#wallMs += elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
