/** Throughput now: bytes a second over the last moments, from totals that only grow. */

export interface Rate {
  readonly in: number;
  readonly out: number;
}

/** Long enough not to flicker, short enough to be now. */
const WINDOW_MS = 3_000;

interface Total {
  readonly atMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export class RateMeter {
  #totals: Total[] = [];

  /** The rate up to this total; undefined: a single one tells none. Totals that shrink, and a clock that was set back, begin anew. */
  push(total: Total): Rate | undefined {
    const last = this.#totals.at(-1);
    if (last && !follows(total, last)) this.#totals = [];
    this.#totals.push(total);
    while (this.#totals.length > 2 && total.atMs - (this.#totals[1]?.atMs ?? 0) >= WINDOW_MS)
      this.#totals.shift();
    const [first = total] = this.#totals;
    const seconds = (total.atMs - first.atMs) / 1000;
    if (seconds <= 0) return undefined;
    return {
      in: (total.bytesIn - first.bytesIn) / seconds,
      out: (total.bytesOut - first.bytesOut) / seconds,
    };
  }
}

function follows(total: Total, last: Total): boolean {
  return total.atMs >= last.atMs && total.bytesIn >= last.bytesIn && total.bytesOut >= last.bytesOut;
}
