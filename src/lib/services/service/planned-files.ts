/** Writes the files of a service, and only those that differ; takes them away again. */
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HcmError } from '../../../protocol/errors.ts';
import type { FileChange, PlannedFile } from './service-host.ts';

const FOLDER_MODE = 0o755;
const RIGHTS = 0o777;

/** @throws HcmError HCM_STATE_UNWRITABLE; the old file is unharmed then. */
async function writePlanned({ path, mode, text }: PlannedFile, root: string): Promise<FileChange> {
  const place = `${root}${path}`;
  if (await isAsPlanned(place, mode, text)) return { path, change: 'unchanged' };
  const half = `${place}.new`;
  try {
    await mkdir(dirname(place), { recursive: true, mode: FOLDER_MODE });
    await writeFile(half, text);
    // Whatever the umask is: who may read it is part of the plan.
    await chmod(half, mode);
    await rename(half, place);
  } catch (error) {
    await rm(half, { force: true }).catch(() => undefined);
    const cause = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new HcmError('HCM_STATE_UNWRITABLE', `The file ${place} cannot be written: ${cause}.`, {
      details: { file: place, cause, next: 'Make room there, or see who may write there' },
    });
  }
  return { path, change: 'written' };
}

/** All of them, in order. `written`: one was not there yet, or was another. @throws as `writePlanned`. */
export async function writeAllPlanned(
  files: readonly PlannedFile[],
  root: string,
): Promise<{ files: FileChange[]; written: boolean }> {
  const changes: FileChange[] = [];
  for (const file of files) changes.push(await writePlanned(file, root));
  return { files: changes, written: changes.some(({ change }) => change === 'written') };
}

/** Resolves with false when there was none. */
export async function removePlanned(path: string, root: string): Promise<boolean> {
  const found = await exists(`${root}${path}`);
  await rm(`${root}${path}`, { force: true });
  return found;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isAsPlanned(place: string, mode: number, text: string): Promise<boolean> {
  try {
    return (await readFile(place, 'utf8')) === text && ((await stat(place)).mode & RIGHTS) === mode;
  } catch {
    return false;
  }
}
