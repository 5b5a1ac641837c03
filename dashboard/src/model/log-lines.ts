/** Lines of the manager's log: as text, how grave they are, and which ones somebody wants to see. */
import type { EventView } from '../../../src/manager/control/operations.ts';

export type Level = 'info' | 'good' | 'bad';

export interface LogLine {
  readonly key: number;
  readonly time: string;
  readonly event: string;
  readonly id?: string | undefined;
  readonly about: string;
  readonly level: Level;
}

export function logLineOf(key: number, { event, time, id, ...fields }: EventView): LogLine {
  // The id says which connection it is.
  const told = Object.entries(fields).filter(([name]) => name !== 'connection');
  const about = told.map(([name, value]) => `${name}=${asText(value)}`);
  return { key, time, event, id, about: about.join(' '), level: levelOf(event, fields) };
}

export function wants(line: LogLine, id: string | undefined, text: string): boolean {
  if (id !== undefined && line.id !== id) return false;
  const wanted = text.trim().toLowerCase();
  return (
    wanted === '' ||
    `${line.time} ${line.event} ${line.id ?? ''} ${line.about}`.toLowerCase().includes(wanted)
  );
}

function levelOf(event: string, fields: Readonly<Record<string, unknown>>): Level {
  if (fields['error'] !== undefined || fields['reason'] !== undefined || event === 'problem') return 'bad';
  return event === 'online' || fields['state'] === 'online' ? 'good' : 'info';
}

function asText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'code' in value && 'message' in value)
    return `${String(value.code)} ${JSON.stringify(value.message)}`;
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}
