/**
 * Can an account of its own read what the service is started from? Told before anything is installed, since systemd
 * would only say "203/EXEC". Looks at owner, group and mode of each folder on the way, not at access lists.
 */
import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HcmError } from '../../../protocol/errors.ts';
import type { ServiceCommand } from './service-command.ts';

export interface Account {
  readonly userId: number;
  readonly groupId: number;
}

const READ = 0o4;
const ENTER = 0o1;
const RIGHTS = 0o777;
/** ProtectHome= (systemd.exec(5)) hides these; the mode of what is in them may still let others in. */
const HOMES = ['/home', '/root', '/run/user'];
/** PrivateTmp= gives a service empty ones. */
const OWN_FOR_EACH = ['/tmp', '/var/tmp'];

/**
 * @throws HcmError HCM_FILE_UNREADABLE with the file or folder that is in the way. `account`: undefined when it is still
 * to be made: then it is nobody that any file knows.
 */
export async function checkSight(
  { node, program, file }: ServiceCommand,
  account: Account | undefined,
): Promise<{ seesHomes: boolean }> {
  const main = join(dirname(dirname(program)), 'dist', 'lib', 'cli', 'main.js');
  const programs = [
    { path: node, needs: READ | ENTER },
    { path: program, needs: READ },
    { path: main, needs: READ },
  ];
  for (const { path, needs } of programs) {
    await checkPath(path, needs, {
      account,
      next: 'Install Node.js and hcm for the whole machine (sudo npm install --global), or, without root: hcm service install --user',
    });
  }
  if (file !== undefined)
    await checkPath(file, READ, { account, next: `sudo chgrp hcm ${file} && sudo chmod 640 ${file}` });
  const places = [...programs.map(({ path }) => path), ...(file === undefined ? [] : [file])];
  return { seesHomes: places.some((path) => HOMES.some((home) => isBelow(path, home))) };
}

interface Seen {
  account: Account | undefined;
  next: string;
}

async function checkPath(path: string, needs: number, { account, next }: Seen): Promise<void> {
  const refuse = (text: string, advice: string): never => {
    throw new HcmError('HCM_FILE_UNREADABLE', text, { details: { file: path, next: advice } });
  };
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) =>
    refuse(`${path} cannot be read: ${error.code ?? 'unknown'}.`, `ls -l ${path}`),
  );
  // A link must be reached, too.
  for (const place of new Set([path, real])) {
    const hidden = OWN_FOR_EACH.find((folder) => isBelow(place, folder));
    if (hidden !== undefined)
      refuse(`The service cannot see ${place}: it gets a ${hidden} of its own.`, `Move it out of ${hidden}`);
    for (const above of foldersAbove(place)) {
      const rights = await rightsOf(above, account);
      if ((rights.allowed & ENTER) === 0)
        refuse(`The service cannot read ${place}: ${above} lets others not in (mode ${rights.mode}).`, next);
    }
  }
  const rights = await rightsOf(real, account);
  if ((rights.allowed & needs) !== needs)
    refuse(`The service cannot read ${real}: others may not (mode ${rights.mode}).`, next);
}

async function rightsOf(
  path: string,
  account: Account | undefined,
): Promise<{ allowed: number; mode: string }> {
  const { mode, uid, gid } = await stat(path);
  const shift = account?.userId === uid ? 6 : account?.groupId === gid ? 3 : 0;
  return { allowed: (mode >> shift) & 0o7, mode: (mode & RIGHTS).toString(8).padStart(4, '0') };
}

/** From the outermost. */
function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [...foldersAbove(above), above];
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
