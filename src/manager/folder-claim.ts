/**
 * One manager a folder, also where two would answer at different sockets: the one that runs leaves a note of where it
 * answers, and the next one asks there.
 */
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadText, removeFile, saveText } from '../lib/config/json-file.ts';
import { HcmError } from '../protocol/errors.ts';
import { sleep, type Clock } from '../tunnel/clock.ts';
import { isAnswered } from './control/control-socket.ts';

const NOTE = 'manager.socket';
/** A folder: of two who make it, one is told that it is there. */
const TURN = 'manager.starting';
/** To look who runs takes some milliseconds; whoever was killed meanwhile left its turn behind. */
const TURN_MS = 5_000;
const TURN_RETRY_MS = 20;

export interface FolderClaim {
  /** Removes the note. */
  release(): Promise<void>;
}

/**
 * To be called by the one that has opened its socket.
 * @throws HcmError HCM_STATE_LOCKED when another manager of the folder answers elsewhere. A folder that cannot be written
 * is not claimed: nothing can be lost in it.
 */
export async function claimFolder(folder: string, socketPath: string): Promise<FolderClaim> {
  const path = join(folder, NOTE);
  const other = (await loadText(path).catch(() => undefined))?.trim();
  if (other !== undefined && other !== '' && other !== socketPath && (await isAnswered(other))) {
    throw new HcmError('HCM_STATE_LOCKED', `A manager of ${folder} runs already: it answers at ${other}.`, {
      details: { folder, socket: other, next: `HCM_CONTROL_SOCKET=${other} hcm status` },
    });
  }
  await saveText(path, `${socketPath}\n`).catch(() => undefined);
  return { release: () => removeFile(path).catch(() => undefined) };
}

/**
 * Looking who runs, and then saying that one runs oneself, is done by one manager of a folder at a time: of two that
 * start at once, both would see nobody.
 */
export async function inTurn<T>(folder: string, clock: Clock, act: () => Promise<T>): Promise<T> {
  const path = join(folder, TURN);
  const endMs = clock.monotonicMs() + TURN_MS;
  while (!(await take(path)) && clock.monotonicMs() < endMs) await sleep(clock, TURN_RETRY_MS);
  try {
    return await act();
  } finally {
    await rmdir(path).catch(() => undefined);
  }
}

/** False: another one has it. Where nothing can be made, nothing can be lost either. */
function take(path: string): Promise<boolean> {
  return mkdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'EEXIST',
  );
}
