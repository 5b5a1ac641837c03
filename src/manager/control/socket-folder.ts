/**
 * Whether the folder of a control socket can be believed. In a place where everybody may make folders, such as /tmp,
 * another user can make it first, put a socket of his own there, and be told what was meant for the manager: keys.
 */
import { lstatSync, type Stats } from 'node:fs';
import { platform, userInfo } from 'node:os';
import { dirname } from 'node:path';
import { HcmError } from '../../protocol/errors.ts';

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;
const ROOT = 0;

/**
 * Asks at once, right before the socket is opened or called: what belongs to us in a sticky folder, nobody else can
 * move away in between. A folder that is not there is nobody's; Windows' pipes have none.
 * @throws HcmError HCM_FORBIDDEN when others may put a socket into it.
 */
export function checkSocketFolder(path: string): void {
  if (platform() === 'win32') return;
  const folder = dirname(path);
  const found = statusOf(folder);
  const above = statusOf(dirname(folder));
  const why = found && above && doubtOf(found, above);
  if (why === undefined) return;
  const text = `The folder ${folder} of the manager's socket cannot be trusted: ${why}.`;
  throw new HcmError('HCM_FORBIDDEN', text, {
    details: { folder, next: 'Remove it, or name another place in HCM_CONTROL_SOCKET' },
  });
}

/** Undefined for what is not there, and for what stands behind a door that is closed to us: opening the socket tells that. */
function statusOf(folder: string): Stats | undefined {
  try {
    return lstatSync(folder, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}

function doubtOf(folder: Stats, above: Stats): string | undefined {
  const isOurs = [userInfo().uid, ROOT].includes(folder.uid);
  if (isOpen(above) && !(folder.isDirectory() && isOurs)) return 'another user made it';
  // In /tmp itself the sticky bit keeps a socket where its owner has put it.
  if (isOpen(folder) && (folder.mode & STICKY) === 0) return 'other users may write there';
  return undefined;
}

function isOpen({ mode }: Stats): boolean {
  return (mode & OTHERS_WRITE) !== 0;
}
