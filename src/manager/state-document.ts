/**
 * A JSON document of the manager's folder, read with suspicion: it may be half-written, huge, something else than a
 * file, or another version's. One that is of no use is put aside, never thrown away.
 */
import { copyFile, rename, stat } from 'node:fs/promises';
import { loadJson } from '../lib/config/json-file.ts';
import { HcmError } from '../protocol/errors.ts';

/** Ten thousand connections need a few megabytes; what is larger was not written by the manager. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A manager that runs writes over what is put in its place. */
const MEND = 'Stop the manager, mend the file and put it back; or add again what it had: hcm add';

/**
 * The parsed document, undefined when there is none.
 * @throws HcmError HCM_STATE_CORRUPT when it is of no use, HCM_FILE_UNREADABLE. The file stays as it is.
 */
export async function loadDocument(path: string): Promise<unknown> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(path, error.code ?? 'unknown');
  });
  if (found === undefined) return undefined;
  // Reading a pipe would wait for ever.
  if (!found.isFile()) throw unreadable(path, 'it is no file');
  if (found.size > MAX_BYTES) throw corrupt(path, `it has ${found.size} bytes, and ${MAX_BYTES} are plenty`);
  return loadJson(path);
}

export function corrupt(path: string, what: string, next = MEND): HcmError {
  return new HcmError('HCM_STATE_CORRUPT', `The file ${path} cannot be used: ${what}.`, {
    details: { file: path, next },
  });
}

/** Of a version that only a newer hcm can read: it must be left alone. */
export function newer(path: string, version: number): HcmError {
  return new HcmError('HCM_STATE_CORRUPT', `${path} was written by a newer version of hcm (${version}).`, {
    details: { file: path, newer: true, next: 'Install that version of hcm again' },
  });
}

/** Whether the file may be put aside because of this error. */
export function isUseless(error: unknown): boolean {
  return error instanceof HcmError && error.code === 'HCM_STATE_CORRUPT' && error.details['newer'] !== true;
}

/**
 * Moves it away and resolves with where it is now. A file has one such place, named by when it was written, so that one
 * that is damaged at each start is not kept again each time.
 * @throws HcmError HCM_STATE_UNWRITABLE.
 */
export async function putAside(path: string): Promise<string> {
  try {
    const aside = await asidePath(path);
    await rename(path, aside);
    return aside;
  } catch (error) {
    throw unwritable(path, `is damaged and cannot be moved: ${codeOf(error)}`);
  }
}

/** Leaves it where it is, and a copy beside it; as `putAside`. */
export async function copyAside(path: string): Promise<string> {
  try {
    const aside = await asidePath(path);
    await copyFile(path, aside);
    return aside;
  } catch (error) {
    throw unwritable(path, `is damaged and cannot be copied: ${codeOf(error)}`);
  }
}

async function asidePath(path: string): Promise<string> {
  const { mtime } = await stat(path);
  return `${path}.corrupt-${mtime.toISOString().replaceAll(':', '-')}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

function unwritable(path: string, what: string): HcmError {
  return new HcmError('HCM_STATE_UNWRITABLE', `${path} ${what}.`, { details: { file: path } });
}

function unreadable(path: string, cause: string): HcmError {
  return new HcmError('HCM_FILE_UNREADABLE', `The file ${path} cannot be read: ${cause}.`, {
    details: { file: path, cause, next: `ls -l ${path}` },
  });
}
