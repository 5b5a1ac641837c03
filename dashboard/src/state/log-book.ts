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

  append(event: EventView): void {
    this.#pending.push(this.#lineOf(event));
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#tell(), TELL_MS);
  }

  /** All that the manager remembers; what came meanwhile is in it. */
  replace(events: readonly EventView[]): void {
    this.#pending = [];
    this.lines.set(events.map((event) => this.#lineOf(event)));
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
