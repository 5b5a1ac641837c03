/**
 * Where hcm keeps things on this machine. Pure: the environment comes in, nothing is created.
 * HCM_STATE_DIR moves all of it.
 */
import { homedir, platform as thisPlatform } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export interface StatePaths {
  /** The user's folder for the state of hcm. */
  readonly directory: string;
  /** State, key files and lock of the local emulator. */
  readonly emulatorDirectory: string;
  /** The one CA of this user, which signs the certificates of local emulators. */
  readonly caDirectory: string;
}

export function statePaths(env: Environment, platform: NodeJS.Platform = thisPlatform()): StatePaths {
  const directory = stateDirectory(env, platform);
  return {
    directory,
    emulatorDirectory: join(directory, 'emulator'),
    caDirectory: join(directory, 'ca'),
  };
}

function stateDirectory(env: Environment, platform: NodeJS.Platform): string {
  const own = env['HCM_STATE_DIR'];
  if (own) return own;
  if (platform === 'win32') return join(env['LOCALAPPDATA'] || join(homeOf(env), 'AppData', 'Local'), 'hcm');
  if (platform === 'darwin') return join(homeOf(env), 'Library', 'Application Support', 'hcm');
  const xdg = env['XDG_STATE_HOME'] ?? '';
  // The XDG specification: a relative path is to be ignored.
  return join(isAbsolute(xdg) ? xdg : join(homeOf(env), '.local', 'state'), 'hcm');
}

/** HOME may be unset in containers and services; the system's own record serves then. */
function homeOf(env: Environment): string {
  return env['HOME'] || homedir();
}
