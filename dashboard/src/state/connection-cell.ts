/** What the page knows of one connection, each piece with watchers of its own. */
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import type { Point } from '../model/history.ts';
import { medianOf } from '../model/history.ts';
import { RateMeter, type Rate } from '../model/rate-meter.ts';
import { Value } from './value.ts';

export class ConnectionCell {
  readonly view: Value<ConnectionView>;
  /** Undefined: not known, or not any more. */
  readonly rate = new Value<Rate | undefined>(undefined);
  #meter = new RateMeter();
  #text: string;
  /** Which event told its state last. */
  #toldBy = 0;
  /** Openings since the last fine and the last coarse point, in ms. */
  #fineSetUps: number[] = [];
  #coarseSetUps: number[] = [];

  constructor(view: ConnectionView) {
    this.view = new Value(view);
    this.#text = JSON.stringify(view);
  }

  /**
   * What is the same draws nothing. `knows`: the newest event that the answer is sure to know of; an older answer does
   * not take back a state that was told since.
   */
  update(answer: ConnectionView, { atMs, knows }: { atMs: number; knows: number }): void {
    const view = knows < this.#toldBy ? { ...answer, ...stateOf(this.view.get()) } : answer;
    const text = JSON.stringify(view);
    if (text !== this.#text) this.view.set(view);
    this.#text = text;
    const rate = this.#meter.push({ atMs, bytesIn: view.bytesIn, bytesOut: view.bytesOut });
    const before = this.rate.get();
    if (rate?.in !== before?.in || rate?.out !== before?.out) this.rate.set(rate);
  }

  /** A change of state is shown as it is told; the rest of the view follows with the next answer. */
  become(told: Pick<ConnectionView, 'state' | 'since' | 'reason'>, toldBy: number): void {
    const next: ConnectionView = {
      ...this.view.get(),
      ...told,
      retryAt: undefined,
      unconfirmedTarget: undefined,
    };
    this.#toldBy = toldBy;
    this.#text = JSON.stringify(next);
    this.view.set(next);
  }

  opened(setUpMs: number): void {
    this.#fineSetUps.push(setUpMs);
    this.#coarseSetUps.push(setUpMs);
  }

  point(grid: 'fine' | 'coarse'): Point {
    const { bytesIn, bytesOut, openStreams } = this.view.get();
    const setUps = grid === 'fine' ? this.#fineSetUps : this.#coarseSetUps;
    if (grid === 'fine') this.#fineSetUps = [];
    else this.#coarseSetUps = [];
    return { bytesIn, bytesOut, openStreams, setUpMs: medianOf(setUps) };
  }

  /** Nothing was heard for a while: what lay between is no throughput of now. */
  rest(): void {
    this.#meter = new RateMeter();
    this.rate.set(undefined);
  }
}

/** What changes with the state, and is old when that is. */
function stateOf({
  state,
  since,
  reason,
  retryAt,
  unconfirmedTarget,
}: ConnectionView): Partial<ConnectionView> {
  return { state, since, reason, retryAt, unconfirmedTarget };
}
