/**
 * One manager a folder, also where two would answer at different sockets: the one that runs leaves a note of where it
 * answers, and the next one asks there.
 */
import { join } from 'node:path';
import { loadText, removeFile, saveText } from '../lib/config/json-file.ts';
import { HcmError } from '../protocol/errors.ts';
import { isAnswered } from './control/control-socket.ts';

const NOTE = 'manager.socket';

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
