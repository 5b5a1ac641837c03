/** The folder of the manager's store: made for its user alone; one that others may write to is not believed. */
import { stat } from 'node:fs/promises';
import { platform, userInfo } from 'node:os';
import { makeFolder } from '../lib/config/make-folder.ts';
import { HcmError } from '../protocol/errors.ts';

const MODE = 0o700;
const OTHERS_WRITE = 0o022;
const ROOT = 0;

/**
 * Whoever may write there says what the manager connects to, and reads the keys that it is given next. The sticky bit
 * changes nothing of that: a file that is not there yet can be made by anybody.
 * @throws HcmError HCM_STATE_UNWRITABLE when it cannot be made, HCM_FORBIDDEN when others may write there.
 */
export async function makeStoreFolder(folder: string, userId = userInfo().uid): Promise<void> {
  try {
    await makeFolder(folder, MODE);
    const found = await stat(folder);
    // On Windows access lists count, and Node's mode and owner say nothing.
    if (platform() === 'win32') return;
    if (found.uid !== userId && found.uid !== ROOT)
      throw doubted(folder, `user ${found.uid} owns it`, `sudo chown ${userId} ${folder}`);
    if ((found.mode & OTHERS_WRITE) !== 0) {
      const mode = (found.mode & 0o777).toString(8);
      throw doubted(folder, `other users may write there (mode ${mode})`, `chmod go-w ${folder}`);
    }
  } catch (error) {
    if (error instanceof HcmError) throw error;
    const cause = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new HcmError('HCM_STATE_UNWRITABLE', `The folder ${folder} cannot be made: ${cause}.`, {
      details: { folder, cause },
    });
  }
}

function doubted(folder: string, why: string, mend: string): HcmError {
  return new HcmError('HCM_FORBIDDEN', `The folder ${folder} of the manager cannot be trusted: ${why}.`, {
    details: { folder, next: `See that all in it is yours (ls -la ${folder}), then: ${mend}` },
  });
}
