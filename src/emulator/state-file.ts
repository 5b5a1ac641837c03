/**
 * The state document on disk. Written as a whole beside the old one and then renamed over it: whatever fails, one of
 * the two is there. Who may write is state-lock.ts's business, where the folder is the caller's.
 */
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { HcmError } from '../protocol/errors.ts';
import { checkState } from './state-check.ts';
import type { EmulatorState } from './state.ts';

const FILE_NAME = 'emulator.json';
/** Keys are in it: the owner's alone. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export class StateFile {
  readonly path: string;
  readonly #folder: string;
  #saving: Promise<void> = Promise.resolve();
  #next: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, FILE_NAME);
  }

  /**
   * Reads the document; undefined when there is none yet.
   * @throws HcmError HCM_STATE_CORRUPT: what cannot be used was renamed to `details.keptAs`, so that the next start
   * begins anew; a newer version's (`details.reason` is `newer-version`) stays where it is. HCM_FILE_UNREADABLE.
   */
  async load(): Promise<EmulatorState | undefined> {
    const text = await this.#read();
    if (text === undefined) return undefined;
    try {
      return checkState(parseJson(text));
    } catch (error) {
      if (!(error instanceof HcmError) || error.details['reason'] === 'newer-version') throw error;
      const keptAs = `${this.path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
      await rename(this.path, keptAs);
      throw new HcmError('HCM_STATE_CORRUPT', `${error.message} It was kept as ${keptAs}.`, {
        details: { ...error.details, file: this.path, keptAs },
      });
    }
  }

  /**
   * Writes the document as it is now; resolves when it, or a later one, is on disk. Calls during a write are one.
   * @throws HcmError HCM_STATE_UNWRITABLE; the document before is unharmed.
   */
  save(state: EmulatorState): Promise<void> {
    const isQueued = this.#next !== undefined;
    this.#next = `${JSON.stringify(state, undefined, 2)}\n`;
    if (!isQueued) {
      const write = () => this.#write();
      this.#saving = this.#saving.then(write, write);
    }
    return this.#saving;
  }

  async #read(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      const cause = codeOf(error);
      if (cause === 'ENOENT') return undefined;
      throw new HcmError('HCM_FILE_UNREADABLE', `Cannot read ${this.path}: ${cause}.`, {
        details: { file: this.path, cause },
      });
    }
  }

  async #write(): Promise<void> {
    const text = this.#next;
    this.#next = undefined;
    if (text === undefined) return;
    try {
      await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
      await writeAtomically(this.path, text, FILE_MODE);
    } catch (error) {
      const cause = codeOf(error);
      throw new HcmError('HCM_STATE_UNWRITABLE', `Cannot write ${this.path}: ${cause}.`, {
        details: { file: this.path, cause },
      });
    }
  }
}

/** Replaces a file, or makes it, and has it on the disk; readers see the old text or the new one. */
export async function writeAtomically(path: string, text: string, mode: number): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic');
  await writeFileAtomic(path, text, { mode });
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
