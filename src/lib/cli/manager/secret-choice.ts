/** Where a manager that runs here keeps keys: in the keychain of its user, or in a file. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { openKeychain, type Keychain } from '../../../manager/keychain-secrets.ts';
import type { SecretChoice } from '../../../manager/store.ts';
import { systemClock } from '../../../tunnel/clock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const SECRET_CHOICES = ['auto', 'keychain', 'file'] as const satisfies readonly SecretChoice[];

/** `auto` without what a keychain needs is the file: a service has none, nor has a session without a desktop. */
export function secretChoice(
  wanted: SecretChoice,
  env: Environment,
  here: { platform: NodeJS.Platform; userId: number | undefined } = {
    platform: process.platform,
    userId: process.getuid?.(),
  },
): SecretChoice {
  if (wanted !== 'auto') return wanted;
  // systemd sets it for a service that has a folder of its own.
  if (env['STATE_DIRECTORY']) return 'file';
  if (here.platform === 'win32') return 'auto';
  // The keychain of root is the system's own, which asks for an administrator.
  if (here.platform === 'darwin') return here.userId === 0 ? 'file' : 'auto';
  return hasSessionBus(env) ? 'auto' : 'file';
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
