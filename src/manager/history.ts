/**
 * The newest hour of each connection, for charts: one sample each five seconds in arrays of fixed size. Nothing is
 * written to disk.
 */
import type { Clock } from '../tunnel/clock.ts';
import type { SamplesView, SeriesView } from './control/operations.ts';
import { percentile, type SetUpTimes } from './set-up-times.ts';

const EVERY_MS = 5_000;
const SAMPLES_KEPT = 3_600_000 / EVERY_MS;
/** Four arrays of 720 numbers are 23 KB: beyond so many connections in an hour, those gone longest are forgotten. */
const SERIES_MAX = 1_000;

/** What is measured of one connection. */
export interface Measured {
  readonly id: string;
  /** Another one: its counters began at 0 again. */
  readonly life: object;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly openStreams: number;
  readonly setUp: SetUpTimes;
}

type Measures = Record<keyof SeriesView, Float64Array>;

interface Series {
  readonly values: Measures;
  readonly bytesIn: RisingTotal;
  readonly bytesOut: RisingTotal;
  life: object;
  setUps: number;
  /** Number of the sample in which it was seen last. */
  seenAt: number;
}

export interface HistoryOptions {
  clock: Clock;
  measure: () => readonly Measured[];
}

export class History {
  readonly #options: HistoryOptions;
  readonly #times = noValues();
  readonly #series = new Map<string, Series>();
  /** How many samples were taken so far. */
  #taken = 0;
  #cancel: (() => void) | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.clock.setTimer(EVERY_MS, () => {
      this.#take();
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** `sinceMs`: only what was taken after it. */
  samples(sinceMs = -Infinity): SamplesView {
    const first = Math.max(this.#taken - SAMPLES_KEPT, 0);
    const slots = Array.from({ length: this.#taken - first }, (_, at) => slotOf(first + at)).filter(
      (slot) => (this.#times[slot] ?? 0) > sinceMs,
    );
    const shown = (values: Float64Array) => slots.map((slot) => numberOrNull(values[slot]));
    return {
      everyMs: EVERY_MS,
      times: slots.map((slot) => new Date(this.#times[slot] ?? 0).toISOString()),
      connections: Object.fromEntries(
        [...this.#series].map(([id, { values }]) => [
          id,
          {
            bytesIn: shown(values.bytesIn),
            bytesOut: shown(values.bytesOut),
            openStreams: shown(values.openStreams),
            setUpMs: shown(values.setUpMs),
          },
        ]),
      ),
    };
  }

  #take(): void {
    const slot = slotOf(this.#taken);
    this.#times[slot] = this.#options.clock.nowMs();
    // What stood there is an hour old.
    for (const { values } of this.#series.values()) for (const one of Object.values(values)) one[slot] = NaN;
    for (const measured of this.#options.measure()) this.#note(measured, slot);
    this.#taken += 1;
    this.#forget();
  }

  #note(measured: Measured, slot: number): void {
    const { id, life, setUp } = measured;
    const series = this.#series.get(id) ?? newSeries(life);
    const isNewLife = series.life !== life;
    if (isNewLife) Object.assign(series, { life, setUps: 0 });
    const { values } = series;
    values.bytesIn[slot] = series.bytesIn.next(measured.bytesIn, isNewLife);
    values.bytesOut[slot] = series.bytesOut.next(measured.bytesOut, isNewLife);
    values.openStreams[slot] = measured.openStreams;
    values.setUpMs[slot] = percentile(setUp.since(series.setUps), 0.5) ?? NaN;
    series.setUps = setUp.count;
    series.seenAt = this.#taken;
    // The one that was seen last stands last.
    this.#series.delete(id);
    this.#series.set(id, series);
  }

  #forget(): void {
    for (const [id, { seenAt }] of this.#series) {
      const isOver = seenAt < this.#taken - SAMPLES_KEPT;
      const isGone = seenAt < this.#taken - 1;
      if (isOver || (isGone && this.#series.size > SERIES_MAX)) this.#series.delete(id);
    }
  }
}

/** A total that goes on where the counter of a connection that was opened anew begins at 0. */
class RisingTotal {
  #before = 0;
  #total = 0;

  next(counter: number, isNewLife: boolean): number {
    if (isNewLife) this.#before = this.#total;
    // A stream that is just moving from the open ones to the closed ones may be in neither.
    this.#total = Math.max(this.#total, this.#before + counter);
    return this.#total;
  }
}

function newSeries(life: object): Series {
  return {
    values: { bytesIn: noValues(), bytesOut: noValues(), openStreams: noValues(), setUpMs: noValues() },
    bytesIn: new RisingTotal(),
    bytesOut: new RisingTotal(),
    life,
    setUps: 0,
    seenAt: 0,
  };
}

function noValues(): Float64Array {
  return new Float64Array(SAMPLES_KEPT).fill(NaN);
}

function slotOf(sample: number): number {
  return sample % SAMPLES_KEPT;
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
