/**
 * Slows down listeners that are refused and come back at once: Microsoft's hyco-ws does so some 230 times a second.
 * Whoever is refused again and again gets its answer late; a listener that waits between attempts never notices.
 */

/** So many refusals in a row are answered at once. */
const FREE_REFUSALS = 5;
/** Bounds of what is remembered and of how many answers are held back at a time. */
const MAX_OFFENDERS = 1_000;
const MAX_DELAYED = 250;

export class RefusedListens {
  readonly #delayMs: number;
  readonly #offenders = new Map<string, { streak: number; lastMs: number }>();
  #delayed = 0;

  constructor(delayMs: number) {
    this.#delayMs = delayMs;
  }

  /** Counts a refusal; returns how long to hold its answer back, in ms. A held one is reported by `answered`. */
  delayFor(offender: string, nowMs: number): number {
    const known = this.#offenders.get(offender);
    const again = known !== undefined && nowMs - known.lastMs < 2 * this.#delayMs;
    const streak = again ? known.streak + 1 : 1;
    this.#offenders.delete(offender);
    if (this.#offenders.size >= MAX_OFFENDERS) this.#forgetOldest();
    this.#offenders.set(offender, { streak, lastMs: nowMs });
    if (streak <= FREE_REFUSALS || this.#delayed >= MAX_DELAYED) return 0;
    this.#delayed += 1;
    return this.#delayMs;
  }

  answered(): void {
    this.#delayed -= 1;
  }

  /** The listener got in. */
  forgive(offender: string): void {
    this.#offenders.delete(offender);
  }

  #forgetOldest(): void {
    const oldest = this.#offenders.keys().next();
    if (!oldest.done) this.#offenders.delete(oldest.value);
  }
}
