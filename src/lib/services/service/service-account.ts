/**
 * The account of the service: found, or declared for systemd-sysusers. The declaration is also the record: what does not
 * stand there was not made by us, and is not removed by us.
 */
import { readFile } from 'node:fs/promises';
import { removePlanned } from './planned-files.ts';
import { SERVICE_NAME, SERVICE_TITLE } from './service-command.ts';
import { mustRun, type PlannedFile, type ServiceMachine } from './service-host.ts';
import type { Account } from './service-sight.ts';

const DECLARATION = `/etc/sysusers.d/${SERVICE_NAME}.conf`;
const FILE_MODE = 0o644;
/** As systemd-sysusers(8) takes it: a group, and a user who cannot log in. */
const GROUP_LINE = `g ${SERVICE_NAME} -`;
const USER_LINE = `u ${SERVICE_NAME} - "${SERVICE_TITLE}" /var/lib/${SERVICE_NAME} /usr/sbin/nologin`;

export interface ServiceAccount {
  /** Undefined: it is still to be made. */
  readonly found: Account | undefined;
  /** What declares it, when it is ours; undefined for an account that was there before us. */
  readonly declaration: PlannedFile | undefined;
  readonly group: string | undefined;
}

export async function findAccount(machine: ServiceMachine): Promise<ServiceAccount> {
  const [found, hasGroup, declared] = await Promise.all([
    accountOf(machine),
    isThere(machine, 'group'),
    declaredLines(machine),
  ]);
  const isOurs = declared.includes(USER_LINE) || found === undefined;
  if (!isOurs) return { found, declaration: undefined, group: hasGroup ? SERVICE_NAME : undefined };
  const lines = declared.includes(GROUP_LINE) || !hasGroup ? [GROUP_LINE, USER_LINE] : [USER_LINE];
  const text = ['# Written by "hcm service install", and removed by "hcm service uninstall".', ...lines, ''];
  return {
    found,
    declaration: { path: DECLARATION, mode: FILE_MODE, text: text.join('\n') },
    group: SERVICE_NAME,
  };
}

/** The command that makes what the declaration says; again, it does nothing. */
export const MAKE_ACCOUNT = ['systemd-sysusers', DECLARATION] as const;

/** Resolves with the name of the account that was removed. @throws HcmError HCM_SERVICE_FAILED. */
export async function removeAccount(machine: ServiceMachine): Promise<string | undefined> {
  const declared = await declaredLines(machine);
  const isOurs = declared.includes(USER_LINE);
  if (isOurs && machine.root === '') {
    if (await isThere(machine, 'passwd')) await mustRun(machine, 'userdel', SERVICE_NAME);
    // userdel takes the group along, but not when it has members.
    if (declared.includes(GROUP_LINE) && (await isThere(machine, 'group')))
      await mustRun(machine, 'groupdel', SERVICE_NAME);
  }
  // Last: while it is there, an uninstall that broke off can be gone on with.
  await removePlanned(DECLARATION, machine.root);
  return isOurs ? SERVICE_NAME : undefined;
}

/** `name:x:UID:GID:…`. A machine that is not started has nobody who could be asked. */
async function accountOf(machine: ServiceMachine): Promise<Account | undefined> {
  if (machine.root !== '') return undefined;
  const { status, stdout } = await machine.run('getent', ['passwd', SERVICE_NAME]);
  const [, , userId, groupId] = stdout.split(':');
  if (status !== 0 || userId === undefined || groupId === undefined) return undefined;
  return { userId: Number(userId), groupId: Number(groupId) };
}

async function isThere(machine: ServiceMachine, database: 'passwd' | 'group'): Promise<boolean> {
  return machine.root === '' && (await machine.run('getent', [database, SERVICE_NAME])).status === 0;
}

async function declaredLines({ root }: ServiceMachine): Promise<string[]> {
  const text = await readFile(`${root}${DECLARATION}`, 'utf8').catch(() => '');
  return text.split('\n');
}
