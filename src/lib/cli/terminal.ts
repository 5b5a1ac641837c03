/** Whether somebody sits there who can be asked, and whether this machine can show a page. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Nothing is ever asked with --json, with --no-input, in CI, or where there is no terminal. */
export function isInteractive(
  { json, noInput }: { json: boolean; noInput: boolean },
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  return !json && !isUnattended(noInput, env) && process.stdin.isTTY && process.stderr.isTTY;
}

/** Somebody has said that nobody is there. */
export function isUnattended(noInput: boolean, env: NodeJS.ProcessEnv = process.env): boolean {
  return noInput || !['', '0', 'false'].includes(env['CI'] ?? '');
}

/** On Linux a browser needs a display, and the program that opens it. */
export function canOpenBrowser(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (platform === 'win32' || platform === 'darwin') return true;
  const hasDisplay = env['DISPLAY'] || env['WAYLAND_DISPLAY'] || env['WSL_DISTRO_NAME'];
  const folders = (env['PATH'] ?? '').split(delimiter);
  return Boolean(hasDisplay) && folders.some((folder) => isExecutable(join(folder, 'xdg-open')));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
