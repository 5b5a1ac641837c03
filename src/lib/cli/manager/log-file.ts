/** The manager's log as it lies on the disk: for when nobody runs who could be asked. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOG_FILE } from '../../../manager/event-log.ts';
import type { EventView } from '../../../manager/control/operations.ts';
import type { LogFilter } from './log-filter.ts';

/** The newest lines that are wanted, oldest first. Undefined: there is no log, or none that may be read. */
export async function readLogFile(
  folder: string,
  { lines, filter }: { lines: number; filter: LogFilter },
): Promise<EventView[] | undefined> {
  const names = await readdir(folder).catch((): string[] => []);
  let found: EventView[] = [];
  let isThere = false;
  for (const name of newestFirst(names)) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    isThere = true;
    found = [...text.split('\n').flatMap(eventIn).filter(filter), ...found];
    if (found.length >= lines) break;
  }
  if (!isThere) return undefined;
  return lines === 0 ? [] : found.slice(-lines);
}

/** The one that is written has no number; of the others, the oldest has the greatest. */
function newestFirst(names: readonly string[]): string[] {
  const age = (name: string) => Number(name.slice(LOG_FILE.length + 1));
  const logs = names.filter(
    (name) => name.startsWith(LOG_FILE) && /^(?:\.\d+)?$/.test(name.slice(LOG_FILE.length)),
  );
  return logs.sort((one, other) => age(one) - age(other));
}

/** A line that was cut off when the machine went down is none. */
function eventIn(line: string): EventView[] {
  try {
    const value = JSON.parse(line) as Partial<EventView> | null;
    return typeof value?.event === 'string' && typeof value.time === 'string' ? [value as EventView] : [];
  } catch {
    return [];
  }
}
