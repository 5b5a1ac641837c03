/** Which lines of the manager's log are wanted: by connection, by how bad they are, by kind, time and stream. */
import { HcmError } from '../../../protocol/errors.ts';
import type { EventView } from '../../../manager/control/operations.ts';
import { durationMs } from '../../duration-text.ts';
import { nameFilter } from './name-filter.ts';

export const LOG_LEVELS = ['error', 'warning', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogFilterOptions {
  /** A name, with `*` for any text, or a namespace. */
  pattern?: string | undefined;
  role?: string | undefined;
  /** This bad, or worse. */
  level?: LogLevel | undefined;
  events?: readonly string[] | undefined;
  /** So long ago (`10m`), or an ISO time. */
  since?: string | undefined;
  /** The beginning of a stream's id is enough. */
  stream?: string | undefined;
}

export type LogFilter = (event: EventView) => boolean;

const BAD = new Set(['problem']);
const WORTH_A_LOOK = new Set(['rejected', 'refused', 'reconnecting', 'clock-skew', 'datagrams-dropped']);
const DETAILS = new Set(['connecting', 'opening', 'token-renewed', 'followed', 'tested']);
const BAD_STATES = new Set(['failed']);
const GOOD_STATES = new Set(['online', 'connecting', 'stopped']);

/** How bad an event is. An error that comes with it counts, whatever its kind. */
export function levelOf(event: EventView): LogLevel {
  const state = event['state'];
  if (BAD.has(event.event) || (typeof state === 'string' && BAD_STATES.has(state))) return 'error';
  if (event.event === 'state' && typeof state === 'string' && !GOOD_STATES.has(state)) return 'warning';
  if (WORTH_A_LOOK.has(event.event) || event['error'] !== undefined || event['passed'] === false)
    return 'warning';
  return DETAILS.has(event.event) ? 'debug' : 'info';
}

/** @throws HcmError HCM_USAGE for a time that is none. */
export function logFilter(options: LogFilterOptions, nowMs: number): LogFilter {
  const { pattern, role, level = 'debug', events, since, stream } = options;
  const isNamed = nameFilter(pattern);
  const sinceMs = since === undefined ? undefined : sinceTime(since, nowMs);
  const worst = LOG_LEVELS.indexOf(level);
  return (event) => {
    const [ofRole = '', connection = ''] = (event.id ?? '').split(' ');
    return (
      (pattern === undefined || (event.id !== undefined && isNamed(connection))) &&
      (role === undefined || ofRole === (role === 'listener' ? 'listen' : role)) &&
      LOG_LEVELS.indexOf(levelOf(event)) <= worst &&
      (events === undefined || events.includes(event.event)) &&
      (sinceMs === undefined || Date.parse(event.time) >= sinceMs) &&
      (stream === undefined || (typeof event['stream'] === 'string' && event['stream'].startsWith(stream)))
    );
  };
}

function sinceTime(text: string, nowMs: number): number {
  const agoMs = durationMs(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new HcmError('HCM_USAGE', `"${text.slice(0, 40)}" is neither a time nor a duration.`, {
    details: { next: 'Write --since 10m, or --since 2026-01-31T12:00:00Z' },
  });
}
