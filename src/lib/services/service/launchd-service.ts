/** The manager as a job of launchd. Written after Apple's manual pages; not tried on macOS. */
import { join } from 'node:path';
import { HcmError } from '../../../protocol/errors.ts';
import { launchdPlist } from './launchd-plist.ts';
import { exists, removePlanned, writeAllPlanned } from './planned-files.ts';
import { LAUNCHD_LABEL, type ServiceScope } from './service-command.ts';
import {
  mustRun,
  needRoot,
  notInstalled,
  type Installed,
  type InstallOptions,
  type ServiceHost,
  type ServiceMachine,
  type ServicePlan,
  type ServiceState,
  type Uninstalled,
  type UninstallOptions,
} from './service-host.ts';
import { leaveState } from './service-state.ts';

const FILE_MODE = 0o644;
const MACHINE_STATE = '/Library/Application Support/hcm';

export class LaunchdService implements ServiceHost {
  readonly scope: ServiceScope;
  readonly #machine: ServiceMachine;

  constructor(machine: ServiceMachine, scope: ServiceScope) {
    this.#machine = machine;
    this.scope = scope;
  }

  get #file(): string {
    const folder =
      this.scope === 'system' ? '/Library/LaunchDaemons' : join(this.#machine.home, 'Library/LaunchAgents');
    return `${folder}/${LAUNCHD_LABEL}.plist`;
  }

  get #domain(): string {
    return this.scope === 'system' ? 'system' : `gui/${this.#machine.userId ?? ''}`;
  }

  plan(options: InstallOptions): Promise<ServicePlan> {
    const isSystem = this.scope === 'system';
    // Never as root: a daemon runs as whoever typed sudo.
    const user = this.#machine.env['SUDO_USER'];
    if (isSystem && (user === undefined || user === 'root')) {
      throw new HcmError('HCM_USAGE', 'It is not clear as whom the service is to run.', {
        details: {
          next: 'Type sudo hcm service install as that user, or without root: hcm service install --user',
        },
      });
    }
    const stateDirectory = isSystem ? MACHINE_STATE : options.stateDirectory;
    const text = launchdPlist({
      command: options.command,
      user: isSystem ? user : undefined,
      stateDirectory,
    });
    const owned = isSystem ? ['-o', user ?? ''] : [];
    return Promise.resolve({
      scope: this.scope,
      files: [{ path: this.#file, mode: FILE_MODE, text }],
      commands: [
        ['install', '-d', ...owned, '-m', '0700', stateDirectory],
        ['launchctl', 'bootstrap', this.#domain, this.#file],
      ],
    });
  }

  async install(options: InstallOptions): Promise<Installed> {
    needRoot(this.#machine, this.scope, 'install');
    const { files: planned, commands } = await this.plan(options);
    const { files, written } = await writeAllPlanned(planned, this.#machine.root);
    const installed = await this.#isLoaded();
    const loads = this.#isLive && options.start && (written || !installed);
    if (loads && installed) await this.#unload();
    if (loads) for (const [command = '', ...args] of commands) await mustRun(this.#machine, command, ...args);
    const user =
      (this.scope === 'system' ? this.#machine.env['SUDO_USER'] : this.#machine.env['USER']) ?? 'this user';
    return {
      scope: this.scope,
      files,
      account: { user, made: false },
      process: loads ? (installed ? 'restarted' : 'started') : 'left',
      changed: written || loads,
    };
  }

  async uninstall({ purge, stateDirectory }: UninstallOptions): Promise<Uninstalled> {
    needRoot(this.#machine, this.scope, 'uninstall');
    const { root } = this.#machine;
    if (await this.#isLoaded()) await this.#unload();
    const wasThere = await removePlanned(this.#file, root);
    const folder = this.scope === 'system' ? MACHINE_STATE : join(stateDirectory, 'manager');
    const left = await leaveState(folder, { root, purge });
    return {
      scope: this.scope,
      files: wasThere ? [{ path: this.#file, change: 'removed' }] : [],
      ...left,
      changed: wasThere || left.removedFolders.length > 0,
    };
  }

  async start(): Promise<{ changed: boolean }> {
    const { installed, running } = await this.state();
    if (!installed && !(await exists(this.#file))) throw notInstalled();
    if (running) return { changed: false };
    if (installed) await mustRun(this.#machine, 'launchctl', 'kickstart', `${this.#domain}/${LAUNCHD_LABEL}`);
    else await mustRun(this.#machine, 'launchctl', 'bootstrap', this.#domain, this.#file);
    return { changed: true };
  }

  /** A job that is kept alive ends only when it is unloaded. */
  async stop(): Promise<{ changed: boolean }> {
    const { installed } = await this.state();
    if (!installed && !(await exists(this.#file))) throw notInstalled();
    if (installed) await this.#unload();
    return { changed: installed };
  }

  async state(): Promise<ServiceState> {
    const { status, stdout } = await this.#machine.run('launchctl', [
      'print',
      `${this.#domain}/${LAUNCHD_LABEL}`,
    ]);
    const [, state = 'unloaded'] = /^\s*state = (.+)$/m.exec(stdout) ?? [];
    const [, pid] = /^\s*pid = (\d+)$/m.exec(stdout) ?? [];
    return {
      ...{ supervisor: 'launchd', scope: this.scope, installed: status === 0, enabled: status === 0 },
      ...{ running: state === 'running', state, unit: this.#file },
      ...(pid === undefined ? {} : { pid: Number(pid) }),
    };
  }

  async #unload(): Promise<void> {
    await mustRun(this.#machine, 'launchctl', 'bootout', `${this.#domain}/${LAUNCHD_LABEL}`);
  }

  get #isLive(): boolean {
    return this.#machine.root === '';
  }

  async #isLoaded(): Promise<boolean> {
    return this.#isLive && (await this.state()).installed;
  }
}
