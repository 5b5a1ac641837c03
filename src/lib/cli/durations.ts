/** Durations as people type them: `500ms`, `10s`, `5m`, `1h`, `1m30s`. */
import { HcmError } from '../../protocol/errors.ts';
import { durationMs } from '../duration-text.ts';

/** Milliseconds. @throws HcmError HCM_USAGE. A bare number has no unit and is refused, except 0. */
export function parseDuration(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined) return ms;
  throw new HcmError('HCM_USAGE', `"${text.slice(0, 40)}" is not a duration.`, {
    details: { next: 'Write a number and its unit: 500ms, 10s, 5m, 1h' },
  });
}

/** The two largest units that matter: `1m 5s`, `15m`, `850ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  return hours > 0 ? withRest(`${hours}h`, minutes % 60, 'm') : withRest(`${minutes}m`, seconds % 60, 's');
}

function withRest(text: string, rest: number, unit: string): string {
  return rest === 0 ? text : `${text} ${rest}${unit}`;
}
