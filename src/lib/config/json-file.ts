/** Small JSON documents of the state folder: read as a whole, replaced as a whole, for the user's eyes only. */
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HcmError } from '../../protocol/errors.ts';
import { makeFolder } from './make-folder.ts';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * The parsed document, undefined when there is none.
 * @throws HcmError HCM_STATE_CORRUPT (the file stays as it is), HCM_FILE_UNREADABLE.
 */
export async function loadJson(path: string): Promise<unknown> {
  const text = await loadText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new HcmError('HCM_STATE_CORRUPT', `The file ${path} is not JSON.`, {
      details: { file: path, next: moveAway(path) },
    });
  }
}

/** What to do about a document that cannot be used: it stays where it is until somebody looked at it. */
export function moveAway(path: string): string {
  return `Move ${path} away and type the same command again`;
}

/** Undefined when there is none. @throws HcmError HCM_FILE_UNREADABLE. */
export async function loadText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const cause = codeOf(error);
    if (cause === 'ENOENT') return undefined;
    throw new HcmError('HCM_FILE_UNREADABLE', `The file ${path} cannot be read: ${cause}.`, {
      details: { file: path, cause, next: `ls -l ${path}` },
    });
  }
}

/** Readers see the old document or the new one. @throws HcmError HCM_STATE_UNWRITABLE; the old one is unharmed. */
export function saveJson(path: string, value: unknown): Promise<void> {
  return saveText(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** As `saveJson`. */
export async function saveText(path: string, text: string): Promise<void> {
  try {
    await makeFolder(dirname(path), FOLDER_MODE);
    const { default: writeFileAtomic } = await import('write-file-atomic');
    await writeFileAtomic(path, text, { mode: FILE_MODE });
  } catch (error) {
    const cause = codeOf(error);
    throw new HcmError('HCM_STATE_UNWRITABLE', `The file ${path} cannot be written: ${cause}.`, {
      details: { file: path, cause },
    });
  }
}

/** Does nothing when there is none. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
