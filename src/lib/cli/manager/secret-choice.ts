/** Where a manager that runs here keeps keys: in the keychain of its user, or in a file. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { openKeychain, type Keychain } from '../../../manager/keychain-secrets.ts';
import type { SecretChoice } from '../../../manager/store.ts';
import { systemClock } from '../../../tunnel/clock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const SECRET_CHOICES = ['auto', 'keychain', 'file'] as const satisfies readonly SecretChoice[];

export interface KeyChoice {
  /** What the store goes by. */
  readonly choice: SecretChoice;
  /** Why `auto` is the file here; undefined where a keychain is to be asked, or was not left to us. */
  readonly because?: string;
}

/** `auto` without what a keychain needs is the file: a service has none, nor has a session without a desktop. */
export function keyChoice(
  wanted: SecretChoice,
  env: Environment,
  here: { platform: NodeJS.Platform; userId: number | undefined } = {
    platform: process.platform,
    userId: process.getuid?.(),
  },
): KeyChoice {
  const because = wanted === 'auto' ? whyNone(env, here) : undefined;
  return because === undefined ? { choice: wanted } : { choice: 'file', because };
}

function whyNone(
  env: Environment,
  { platform, userId }: { platform: NodeJS.Platform; userId: number | undefined },
): string | undefined {
  // systemd sets it for a service that has a folder of its own.
  if (env['STATE_DIRECTORY']) return 'a service has no keychain';
  if (platform === 'win32') return undefined;
  // It is the system's own, which asks for an administrator.
  if (platform === 'darwin') return userId === 0 ? 'root has no keychain of its own' : undefined;
  return hasSessionBus(env) ? undefined : 'this session has no bus on which a keychain would answer';
}

/** Starts nothing before a key is to be written or read there. */
export function userKeychain(env: Environment): Keychain {
  return openKeychain({
    node: process.execPath,
    env,
    findPackage: () => createRequire(import.meta.url).resolve('@napi-rs/keyring'),
    clock: systemClock,
  });
}

/** Where the Secret Service answers. */
function hasSessionBus(env: Environment): boolean {
  const folder = env['XDG_RUNTIME_DIR'];
  return (
    Boolean(env['DBUS_SESSION_BUS_ADDRESS']) || (Boolean(folder) && existsSync(join(folder ?? '', 'bus')))
  );
}
