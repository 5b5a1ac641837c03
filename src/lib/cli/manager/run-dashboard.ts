/** `hcm dashboard`: asks the manager for a link that works once, prints it, and hands it to the browser. */
import { spawn } from 'node:child_process';
import type { ControlClient } from '../../../manager/control/control-client.ts';
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
  const [command, ...args] = browserCommand(invitation.url, platform);
  const opened = canOpenBrowser(env, platform) && (await launch(command, args));
  output.say(opened ? 'Opened in the browser' : 'Open it in a browser of this machine within a minute');
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
