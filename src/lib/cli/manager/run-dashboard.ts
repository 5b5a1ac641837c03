/** `hcm dashboard`: asks the manager for a link that works once, prints it, and hands it to the browser. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ControlClient } from '../../../manager/control/control-client.ts';
import { saveText } from '../../config/json-file.ts';
import { statePaths } from '../../config/paths.ts';
import { withoutSecrets } from '../child-process.ts';
import type { Output } from '../output.ts';
import { canOpenBrowser, isUnattended } from '../terminal.ts';

export interface DashboardRun {
  client: ControlClient;
  /** The user has not said no. */
  open: boolean;
  json: boolean;
  output: Output;
  env?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  isTerminal?: boolean;
  launch?: (command: string, args: readonly string[]) => Promise<boolean>;
}

/** @throws HcmError HCM_NOT_RUNNING: there is no manager, or it has no web server. */
export async function openDashboard(run: DashboardRun): Promise<void> {
  const { client, json, output, env = process.env, platform = process.platform, launch = start } = run;
  const { isTerminal = Boolean(process.stdout.isTTY) } = run;
  const invitation = await client.dashboard();
  // The link is a secret for a minute, and the point of the command.
  if (json) return output.jsonWithSecrets(invitation);
  output.answerWithSecrets(invitation.url);
  if (!run.open || !isTerminal || isUnattended(false, env)) return;
  const open = async () => {
    const [command, ...args] = browserCommand(await place(invitation.url, { platform, env }), platform);
    return launch(command, args);
  };
  const opened = canOpenBrowser(env, platform) && (await open());
  output.say(opened ? 'Opened in the browser' : 'Open it in a browser of this machine within a minute');
}

const PAGE = 'dashboard.html';

/**
 * What the browser is given. Every user of the machine sees the arguments of a browser, and the first who comes with the code
 * is let in: so the link stands in a file that this user alone can read. Windows shows nobody the arguments of others.
 */
async function place(
  url: string,
  { platform, env }: { platform: NodeJS.Platform; env: NodeJS.ProcessEnv },
): Promise<string> {
  if (platform === 'win32') return url;
  const path = join(statePaths(env).directory, PAGE);
  const quoted = url.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const head = `<meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${quoted}">`;
  await saveText(
    path,
    `<!doctype html><html lang="en">${head}<title>hcm</title><a href="${quoted}">hcm</a></html>\n`,
  );
  return path;
}

/** What opens a page on this system, without a shell: the link has characters that shells read. */
export function browserCommand(url: string, platform: NodeJS.Platform): readonly [string, ...string[]] {
  if (platform === 'darwin') return ['open', url];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  return ['xdg-open', url];
}

/** Whether it could be started; what becomes of it is not waited for. */
function start(command: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: 'ignore',
      detached: true,
      env: withoutSecrets(process.env),
    });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
