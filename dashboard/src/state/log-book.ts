/** The newest lines of the manager's log. Tells at most a few times a second that there are more. */
import type { EventView } from '../../../src/manager/control/operations.ts';
import { logLineOf, type LogLine } from '../model/log-lines.ts';
import { Value } from './value.ts';

const LINES_KEPT = 3_000;
/** Drawing more often than this helps nobody who reads. */
const TELL_MS = 250;

export class LogBook {
  readonly lines = new Value<readonly LogLine[]>([]);
  #pending: LogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastKey = 0;

  /** The number of the newest line. */
  get newest(): number {
    return this.#lastKey;
  }

  append(event: EventView): void {
    this.#pending.push(this.#lineOf(event));
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#tell(), TELL_MS);
  }

  /** All that the manager remembers, asked for when `since` was the newest line; what came later may not be in it. */
  replace(events: readonly EventView[], since: number): void {
    const later = [...this.lines.get(), ...this.#pending].filter(({ key }) => key > since);
    const lines = events.map((event) => this.#lineOf(event));
    const known = new Set(lines.map(textOf));
    this.#pending = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.lines.set([...lines, ...later.filter((line) => !known.has(textOf(line)))].slice(-LINES_KEPT));
  }

  #tell(): void {
    this.#timer = undefined;
    this.lines.set([...this.lines.get(), ...this.#pending].slice(-LINES_KEPT));
    this.#pending = [];
  }

  #lineOf(event: EventView): LogLine {
    return logLineOf((this.#lastKey += 1), event);
  }
}

function textOf({ time, event, id, about }: LogLine): string {
  return JSON.stringify([time, event, id, about]);
}
