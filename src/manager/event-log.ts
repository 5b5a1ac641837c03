/**
 * The manager's log: each event as one line of JSON, in a file that is rotated, and the newest lines in memory. An
 * event's error becomes code and text; nothing else of it is kept.
 */
import { join } from 'node:path';
import { redact } from '../protocol/redact.ts';
import type { EventView } from './control/operations.ts';

/** So many lines answer `hcm logs` without reading a file. */
const LINES_KEPT = 10_000;
const FILE_SIZE = '10M';
const FILES_KEPT = 5;
/** A sender chooses the path of a request; thousands of long ones must not fill the memory. */
const TEXT_MAX_CHARS = 2_048;
export const LOG_FILE = 'manager.log';

export interface LogSink {
  write(line: string): void;
  close(): Promise<void>;
}

export class EventLog {
  readonly #sink: LogSink;
  readonly #lines: EventView[] = [];
  readonly #followers = new Set<(event: EventView) => void>();

  constructor(sink: LogSink) {
    this.#sink = sink;
  }

  append(event: EventView): void {
    const plain = plainEvent(event);
    this.#lines.push(plain);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
    this.#sink.write(`${JSON.stringify(plain)}\n`);
    for (const tell of this.#followers) tell(plain);
  }

  /** The newest, oldest first. */
  tail(count: number): readonly EventView[] {
    return count === 0 ? [] : this.#lines.slice(-count);
  }

  subscribe(tell: (event: EventView) => void): () => void {
    this.#followers.add(tell);
    return () => void this.#followers.delete(tell);
  }

  close(): Promise<void> {
    return this.#sink.close();
  }
}

/** A full disk ends the writing, not the manager: lines stay in memory, and `onError` is told once. */
export async function logFile(
  folder: string,
  onError: (error: Error) => void,
  size = FILE_SIZE,
): Promise<LogSink> {
  const { createStream } = await import('rotating-file-stream');
  // Counted files: the other way of rotating keeps a list of its files, which anybody could read.
  const stream = createStream(LOG_FILE, { path: folder, size, rotate: FILES_KEPT, mode: 0o600 });
  let broken = false;
  stream.on('error', (error: Error) => {
    if (!broken) onError(new Error(`${join(folder, LOG_FILE)}: ${error.message}`));
    broken = true;
  });
  return {
    write: (line) => void (broken || stream.write(line)),
    close: () => new Promise((resolve) => (broken ? resolve() : stream.end(() => resolve()))),
  };
}

/** Errors as code and text, secrets taken out, what is undefined left out. */
function plainEvent(event: EventView): EventView {
  const fields = Object.entries(event).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields.map(([name, value]) => [name, plainValue(value)])) as unknown as EventView;
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'string') return clipped(redact(value));
  if (value instanceof Error) {
    const { code } = value as Error & { code?: string };
    return { code, message: clipped(redact(value.message)) };
  }
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainValue(inner)]));
}

function clipped(text: string): string {
  return text.length <= TEXT_MAX_CHARS ? text : `${text.slice(0, TEXT_MAX_CHARS - 1)}…`;
}
