/** The clock of the manager, which may stand on another machine: all times that are shown are its own. */

/** The manager tells its time to the second. Clocks that differ by less count as the same. */
const AGREE_MS = 2_000;
/** What was longer under way tells no time. */
const FRESH_MS = 1_000;

export class ManagerClock {
  readonly #ownMs: () => number;
  #aheadMs = 0;

  constructor(ownMs: () => number = () => Date.now()) {
    this.#ownMs = ownMs;
  }

  nowMs(): number {
    return this.#ownMs() + this.#aheadMs;
  }

  /** An answer says when it was made; `askedMs`: when it was asked for, by this clock. True: the clock was set. */
  hear(managerMs: number, askedMs: number): boolean {
    const ownMs = this.#ownMs();
    const aheadMs = managerMs - ownMs;
    const isSame = Math.abs(aheadMs - this.#aheadMs) < AGREE_MS;
    if (Number.isNaN(aheadMs) || isSame || this.nowMs() - askedMs > FRESH_MS) return false;
    this.#aheadMs = Math.abs(aheadMs) < AGREE_MS ? 0 : aheadMs;
    return true;
  }
}
