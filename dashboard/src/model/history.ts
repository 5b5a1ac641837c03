/**
 * Totals over time, of all connections on one axis: coarse points for the past hour (the manager's own samples, then
 * what the page sees itself), fine ones for the last minutes. Rates are what lies between two totals.
 */

import type { SamplesView } from '../../../src/manager/control/operations.ts';

/** What one connection is at one moment. `setUpMs`: how long openings took since the point before; null: none. */
export interface Point {
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  readonly openStreams: number | null;
  readonly setUpMs: number | null;
}

export type Series = { -readonly [K in keyof Point]: (number | null)[] };
const FIELDS = ['bytesIn', 'bytesOut', 'openStreams', 'setUpMs'] as const;
const NOTHING: Point = { bytesIn: null, bytesOut: null, openStreams: null, setUpMs: null };

/** What a chart takes: times in seconds, rates in bytes a second. */
export interface Timeline {
  readonly times: readonly number[];
  readonly bytesIn: readonly (number | null)[];
  readonly bytesOut: readonly (number | null)[];
  readonly openStreams: readonly (number | null)[];
  readonly setUpMs: readonly (number | null)[];
}

const CLOSE_MS = 1_000;

export class Grid {
  readonly times: number[] = [];
  readonly #columns = new Map<string, Series>();
  readonly #limit: number;

  /** Keeps the newest `limit` points. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** With what the manager remembers. */
  static of({ times, connections }: SamplesView, limit: number): Grid {
    const grid = new Grid(limit);
    const series = Object.entries(connections);
    for (const [at, time] of times.entries()) {
      const points = series.map(([id, of]): [string, Point] => [
        id,
        {
          bytesIn: of.bytesIn[at] ?? null,
          bytesOut: of.bytesOut[at] ?? null,
          openStreams: of.openStreams[at] ?? null,
          setUpMs: of.setUpMs[at] ?? null,
        },
      ]);
      grid.append(Date.parse(time), new Map(points));
    }
    return grid;
  }

  get ids(): readonly string[] {
    return [...this.#columns.keys()];
  }

  /**
   * Connections that are not named have no value here; those that had none for the whole time are let go. A time before
   * the newest one means that the clock was set back: what was noted for later goes.
   */
  append(timeMs: number, points: ReadonlyMap<string, Point>): void {
    if (timeMs <= (this.times.at(-1) ?? -Infinity)) this.#dropFrom(timeMs);
    for (const id of points.keys()) if (!this.#columns.has(id)) this.#columns.set(id, this.#empty());
    this.times.push(timeMs);
    for (const [id, column] of this.#columns) {
      const point = points.get(id) ?? NOTHING;
      for (const field of FIELDS) column[field].push(point[field]);
    }
    if (this.times.length <= this.#limit) return;
    this.times.shift();
    for (const [id, column] of this.#columns) {
      for (const field of FIELDS) column[field].shift();
      if (!points.has(id) && column.bytesIn.every((value) => value === null)) this.#columns.delete(id);
    }
  }

  column(id: string): Series | undefined {
    return this.#columns.get(id);
  }

  #dropFrom(timeMs: number): void {
    const kept = lowerBound(this.times, timeMs);
    this.times.length = kept;
    for (const column of this.#columns.values()) for (const field of FIELDS) column[field].length = kept;
  }

  #empty(): Series {
    const { length } = this.times;
    return {
      bytesIn: nulls(length),
      bytesOut: nulls(length),
      openStreams: nulls(length),
      setUpMs: nulls(length),
    };
  }
}

/** Bytes a second between each total and the one before; null where either is missing or the counting began anew. */
export function ratesOf(timesMs: readonly number[], totals: readonly (number | null)[]): (number | null)[] {
  return totals.map((total, at) => {
    const before = at === 0 ? null : (totals[at - 1] ?? null);
    const seconds = ((timesMs[at] ?? 0) - (timesMs[at - 1] ?? 0)) / 1000;
    if (total === null || before === null || total < before || seconds <= 0) return null;
    return (total - before) / seconds;
  });
}

/** One connection, or all together: coarse points up to where the fine ones begin. */
export function timelineOf(coarse: Grid, fine: Grid, ids: readonly string[], sinceMs: number): Timeline {
  // Two clocks measured these: a rate between points that lie close together would be mostly noise.
  const until = lowerBound(coarse.times, (fine.times[0] ?? Infinity) - CLOSE_MS);
  const timesMs = [...coarse.times.slice(0, until), ...fine.times];
  const joined = (id: string, field: keyof Point): (number | null)[] => [
    ...(coarse.column(id)?.[field].slice(0, until) ?? nulls(until)),
    ...(fine.column(id)?.[field] ?? nulls(fine.times.length)),
  ];
  // One before the time shown: a rate needs two totals.
  const from = Math.max(lowerBound(timesMs, sinceMs) - 1, 0);
  const cut = (field: keyof Point) => ids.map((id) => joined(id, field).slice(from));
  const times = timesMs.slice(from);
  const rates = (field: 'bytesIn' | 'bytesOut') => summed(cut(field).map((totals) => ratesOf(times, totals)));
  return {
    times: times.map((ms) => ms / 1000),
    bytesIn: rates('bytesIn'),
    bytesOut: rates('bytesOut'),
    openStreams: summed(cut('openStreams')),
    // Times to open do not add up: of several connections there is none.
    setUpMs: ids.length === 1 ? (cut('setUpMs')[0] ?? []) : nulls(times.length),
  };
}

/** Nothing where none has a value. */
function summed(columns: readonly (readonly (number | null)[])[]): (number | null)[] {
  const [first = [], ...others] = columns;
  return first.map((value, at) =>
    others.reduce<number | null>((sum, column) => {
      const more = column[at] ?? null;
      return more === null ? sum : (sum ?? 0) + more;
    }, value),
  );
}

function nulls(length: number): null[] {
  return Array.from({ length }, () => null);
}

/** The first index whose time is not before `ms`; times rise. */
function lowerBound(times: readonly number[], ms: number): number {
  const at = times.findIndex((time) => time >= ms);
  return at < 0 ? times.length : at;
}

export function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? null;
}
