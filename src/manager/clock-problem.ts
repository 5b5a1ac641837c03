/**
 * The clock of this machine as a problem of the manager: what its connections hear of it from their relays becomes one problem
 * of each relay, and goes away as soon as one of them hears otherwise.
 */
import { HcmError } from '../protocol/errors.ts';
import { CLOCK_SKEW_LIMIT_MS } from '../protocol/limits.ts';
import type { TunnelEvent } from '../tunnel/events.ts';
import type { ManagerProblems } from './manager-problems.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** From here on hours say it shorter. */
const HOURS_FROM_MS = 2 * HOUR_MS;

export class ClockProblem {
  readonly #problems: ManagerProblems;
  /** Of each relay: what was told last, and who said so. */
  readonly #known = new Map<string, { skewMs: number; ids: Set<string> }>();

  constructor(problems: ManagerProblems) {
    this.#problems = problems;
  }

  /** An event of connection `id`; all but `clock-skew` say nothing about it. */
  hear(id: string, event: TunnelEvent): void {
    if (event.event !== 'clock-skew') return;
    const relay = relayOf(event.connection);
    const { skewMs } = event;
    if (Math.abs(skewMs) <= CLOCK_SKEW_LIMIT_MS) return this.#clear(relay);
    const known = this.#known.get(relay);
    known?.ids.add(id);
    // Many connections hear the same within a second.
    if (known && Math.abs(known.skewMs - skewMs) <= CLOCK_SKEW_LIMIT_MS) return;
    this.#known.set(relay, { skewMs, ids: known?.ids ?? new Set([id]) });
    this.#problems.add('clock', errorOf(relay, skewMs), keyOf(relay));
  }

  /** These were opened anew, or are gone: they say again what they hear. Without anybody who says so, it is no problem. */
  forget(ids: Iterable<string>): void {
    const gone = [...ids];
    for (const [relay, { ids: told }] of this.#known) {
      for (const id of gone) told.delete(id);
      if (told.size === 0) this.#clear(relay);
    }
  }

  #clear(relay: string): void {
    this.#known.delete(relay);
    this.#problems.clear(keyOf(relay));
  }
}

/** `NAMESPACE/NAME`; the name may hold slashes itself. */
function relayOf(connection: string): string {
  return connection.split('/', 1)[0] ?? connection;
}

function keyOf(relay: string): string {
  return `clock ${relay}`;
}

/** Ours minus theirs. */
function errorOf(relay: string, skewMs: number): HcmError {
  const side = skewMs < 0 ? 'behind' : 'ahead of';
  const text = `The clock of this machine is ${spoken(Math.abs(skewMs))} ${side} the relay's (${relay}).`;
  return new HcmError('HCM_CLOCK_SKEW', text, { details: { skewMs } });
}

function spoken(ms: number): string {
  return ms < HOURS_FROM_MS ? `${Math.round(ms / MINUTE_MS)} minutes` : `${Math.round(ms / HOUR_MS)} hours`;
}
