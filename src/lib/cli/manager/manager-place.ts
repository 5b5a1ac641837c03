/** Where the manager of this user, or of this machine, keeps its things, and where it answers. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { statePaths } from '../../config/paths.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the service of this machine answers on. */
const SERVICE_SOCKET = '/run/hcm/control.sock';
const PIPE = '\\\\.\\pipe\\hcm-manager';
/** Linux takes 107 bytes, macOS 103. */
const SOCKET_PATH_MAX_BYTES = 103;

/** The store of a manager that runs as this user, or that systemd has started with a folder for it. */
export function managerFolder(env: Environment): string {
  const given = env['HCM_STATE_DIR'] ? undefined : givenFolder(env, 'STATE_DIRECTORY');
  return join(given ?? statePaths(env).directory, 'manager');
}

/** Where its log goes: systemd's folder for logs, else beside the store. */
export function logFolder(env: Environment): string {
  return givenFolder(env, 'LOGS_DIRECTORY') ?? managerFolder(env);
}

/** A service is shared: whoever is in its own group may ask it. Undefined: this user alone. */
export function sharedWithGroup(env: Environment, groupId: number | undefined): number | undefined {
  return givenFolder(env, 'RUNTIME_DIRECTORY') === undefined ? undefined : groupId;
}

/** Where a manager of this user answers. */
export function ownSocket(env: Environment): string {
  const runtime = givenFolder(env, 'RUNTIME_DIRECTORY');
  if (runtime !== undefined) return join(runtime, 'control.sock');
  const folder = managerFolder(env);
  const user = userInfo().username;
  if (process.platform === 'win32') return `${PIPE}-${user}-${shortHash(folder)}`;
  const path = join(folder, 'control.sock');
  return Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES
    ? path
    : join(tmpdir(), `hcm-${user}-${shortHash(folder)}`, 'control.sock');
}

/** Where the manager that is started answers: a variable that is set to nothing names nothing. */
export function servedSocket(env: Environment): string {
  return env['HCM_CONTROL_SOCKET'] || ownSocket(env);
}

/** Where the service of this machine answers. */
export function serviceSocket(): string {
  return SERVICE_SOCKET;
}

/** Which manager commands ask: the one that HCM_CONTROL_SOCKET names, this user's, else the service of this machine. */
export function askedSocket(env: Environment): string {
  const named = env['HCM_CONTROL_SOCKET'];
  if (named) return named;
  const own = ownSocket(env);
  // The folder, not the socket: who may not enter it is to hear that, not that nothing runs.
  return !existsSync(own) && existsSync(dirname(SERVICE_SOCKET)) ? SERVICE_SOCKET : own;
}

/** A folder that systemd has made for the service (systemd.exec(5)); of several, the first. */
function givenFolder(
  env: Environment,
  name: 'STATE_DIRECTORY' | 'RUNTIME_DIRECTORY' | 'LOGS_DIRECTORY',
): string | undefined {
  return env[name]?.split(':')[0] || undefined;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
