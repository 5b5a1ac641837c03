/** Where the manager of this user, or of this machine, keeps its things, and where it answers. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { statePaths } from '../../config/paths.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the service of this machine answers on. */
const SERVICE_SOCKET = '/run/hcm/control.sock';
const PIPE = '\\\\.\\pipe\\hcm-manager';
/** Linux takes 107 bytes, macOS 103. */
const SOCKET_PATH_MAX_BYTES = 103;

/** Store and log of a manager that runs as this user. */
export function managerFolder(env: Environment): string {
  return join(statePaths(env).directory, 'manager');
}

/** Where a manager of this user answers. */
export function ownSocket(env: Environment): string {
  const folder = managerFolder(env);
  const user = userInfo().username;
  if (process.platform === 'win32') return `${PIPE}-${user}-${shortHash(folder)}`;
  const path = join(folder, 'control.sock');
  return Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES
    ? path
    : join(tmpdir(), `hcm-${user}-${shortHash(folder)}`, 'control.sock');
}

/** Which manager commands ask: the one that HCM_CONTROL_SOCKET names, this user's, else the service of this machine. */
export function askedSocket(env: Environment): string {
  const named = env['HCM_CONTROL_SOCKET'];
  if (named) return named;
  const own = ownSocket(env);
  return !existsSync(own) && existsSync(SERVICE_SOCKET) ? SERVICE_SOCKET : own;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
