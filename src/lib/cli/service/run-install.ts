/** service install and uninstall: what was done, for people and programs, and what to type next. */
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { statePaths } from '../../config/paths.ts';
import type {
  Installed,
  InstallOptions,
  ServiceHost,
  ServicePlan,
  Uninstalled,
} from '../../services/service/service-host.ts';
import { confirm, type ConfirmOptions } from '../confirm.ts';
import { readInputFile } from '../input-file.ts';
import type { Output } from '../output.ts';

export interface InstallRun {
  host: ServiceHost;
  /** The folder of the program. */
  programRoot: string;
  file: string | undefined;
  graceMs: number;
  start: boolean;
  dryRun: boolean;
  output: Output;
  json: boolean;
}

export async function installService(run: InstallRun): Promise<void> {
  const { host, output, json } = run;
  const options = await optionsOf(run);
  if (run.dryRun) return showPlan(await host.plan(options), output, json);
  output.progress('Installing the service');
  const installed = await host.install(options);
  if (json) return output.json(installed);
  showInstalled(installed, output);
}

async function optionsOf({ programRoot, file, graceMs, start }: InstallRun): Promise<InstallOptions> {
  const path = file === undefined ? undefined : resolve(file);
  // A name that is mistyped is told now, not by a service that nobody looks at.
  if (path !== undefined) await readInputFile(path);
  return {
    command: {
      node: await realpath(process.execPath),
      program: join(programRoot, 'bin', 'run.js'),
      file: path,
      graceMs,
    },
    start,
    stateDirectory: statePaths(process.env).directory,
  };
}

function showPlan(plan: ServicePlan, output: Output, json: boolean): void {
  const files = plan.files.map(({ mode, ...file }) => ({ ...file, mode: mode.toString(8).padStart(4, '0') }));
  if (json) return output.json({ dryRun: true, ...plan, files });
  for (const { path, text } of plan.files) output.answer(`# ${path}\n${text}`);
  for (const command of plan.commands) output.answer(`# ${command.join(' ')}`);
  output.say('Nothing was changed: this is what --dry-run would write and run.');
}

function showInstalled({ scope, files, account, process: done, changed }: Installed, output: Output): void {
  if (!changed) return output.answer('The service is installed exactly so already; nothing was changed.');
  for (const { path, change } of files) if (change === 'written') output.answer(`Wrote ${path}`);
  const what = { started: 'runs', restarted: 'was started anew', left: 'is installed' }[done];
  output.answer(`The service ${what}, as ${account.user}.`);
  if (scope === 'user') {
    output.say('It ends when you log out, unless: loginctl enable-linger');
    output.next('hcm add, hcm list, hcm service status --user');
  } else {
    output.say(
      'Who may use it: root, and members of the group hcm (sudo usermod --append --groups hcm NAME)',
    );
    output.next('sudo hcm add, sudo hcm list, hcm service status');
  }
}

export interface UninstallRun {
  host: ServiceHost;
  purge: boolean;
  confirmation: ConfirmOptions;
  output: Output;
  json: boolean;
}

export async function uninstallService(run: UninstallRun): Promise<void> {
  const { host, purge, output, json } = run;
  if (purge) await confirm('Remove the service with all connections and keys that it has?', run.confirmation);
  output.progress('Removing the service; open streams may finish');
  const gone = await host.uninstall({ purge, stateDirectory: statePaths(process.env).directory });
  if (json) return output.json(gone);
  showUninstalled(gone, output);
}

function showUninstalled(
  { changed, files, removedAccount, removedFolders, kept }: Uninstalled,
  output: Output,
): void {
  if (!changed) output.answer('There is no service to remove; nothing was changed.');
  for (const path of [...files.map((file) => file.path), ...removedFolders]) output.answer(`Removed ${path}`);
  if (removedAccount !== undefined) output.answer(`Removed the user and the group ${removedAccount}`);
  for (const { path, why } of kept) output.answer(`Left ${path}: ${why}`);
}
