/** How long the openings of streams of one connection took: the newest one by one, all of them as a histogram. */

/** Of how many openings the time is kept, for percentiles. */
const NEWEST_KEPT = 256;

/** Upper bounds in ms: a rendezvous takes some round trips, and at most 30 s at Azure, 60 s with a sender's retries. */
export const SET_UP_BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000];

export class SetUpTimes {
  /** In ms, oldest first. */
  readonly newest: number[] = [];
  count = 0;
  sumMs = 0;
  /** How many were within each bound, and above the one before. */
  readonly buckets: number[] = SET_UP_BOUNDS_MS.map(() => 0);

  note(ms: number): void {
    this.newest.push(ms);
    if (this.newest.length > NEWEST_KEPT) this.newest.shift();
    this.count += 1;
    this.sumMs += ms;
    const at = SET_UP_BOUNDS_MS.findIndex((bound) => ms <= bound);
    if (at >= 0) this.buckets[at] = (this.buckets[at] ?? 0) + 1;
  }

  /** Those behind the first `count`, as far as they are kept. */
  since(count: number): readonly number[] {
    return this.count > count ? this.newest.slice(-(this.count - count)) : [];
  }
}

/** By nearest rank; undefined of nothing. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)];
}
