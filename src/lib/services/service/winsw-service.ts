/**
 * The manager as a service of Windows, behind WinSW, which is not ours to bring along: whoever installs saves its one
 * file beside the configuration. Written after WinSW's documentation; not tried on Windows.
 */
import { win32 } from 'node:path';
import { HcmError } from '../../../protocol/errors.ts';
import { removePlanned, writeAllPlanned } from './planned-files.ts';
import { SERVICE_NAME } from './service-command.ts';
import {
  mustRun,
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
import { winswXml } from './winsw-xml.ts';

const FILE_MODE = 0o644;
const PIPE = '\\\\.\\pipe\\hcm-service';
const ACCOUNT = 'NT AUTHORITY\\LocalService';

export class WinswService implements ServiceHost {
  readonly scope = 'system';
  readonly #machine: ServiceMachine;

  constructor(machine: ServiceMachine) {
    this.#machine = machine;
  }

  get #state(): string {
    return win32.join(this.#machine.env['ProgramData'] ?? 'C:\\ProgramData', SERVICE_NAME);
  }

  get #file(): string {
    return win32.join(this.#state, 'service', 'hcm-service.xml');
  }

  get #wrapper(): string {
    return win32.join(this.#state, 'service', 'hcm-service.exe');
  }

  plan({ command, start }: InstallOptions): Promise<ServicePlan> {
    const text = winswXml({ command, stateDirectory: this.#state, pipe: PIPE });
    return Promise.resolve({
      scope: this.scope,
      files: [{ path: this.#file, mode: FILE_MODE, text }],
      commands: [
        ['icacls', this.#state, '/inheritance:r', '/grant:r', ...grants()],
        [this.#wrapper, 'install'],
        ...(start ? [[this.#wrapper, 'start']] : []),
      ],
    });
  }

  async install(options: InstallOptions): Promise<Installed> {
    const { files: planned, commands } = await this.plan(options);
    const { files, written } = await writeAllPlanned(planned, this.#machine.root);
    if (!(await this.#machine.exists(this.#wrapper))) {
      throw new HcmError('HCM_SERVICE_FAILED', `WinSW is missing: there is no ${this.#wrapper}.`, {
        details: {
          next: `Save WinSW-x64.exe, version 3, as ${this.#wrapper} and type the same command again`,
        },
      });
    }
    const { installed, running } = await this.state();
    const changed = written || !installed || (options.start && !running);
    if (running && written) await mustRun(this.#machine, this.#wrapper, 'stop');
    if (installed && written) await mustRun(this.#machine, this.#wrapper, 'refresh');
    const due = commands.filter(([command, verb]) =>
      command !== this.#wrapper ? !installed : verb === 'install' ? !installed : written || !running,
    );
    for (const [command = '', ...args] of due) await mustRun(this.#machine, command, ...args);
    const started = options.start && (written || !running);
    return {
      scope: this.scope,
      files,
      account: { user: ACCOUNT, made: false },
      process: started ? (running ? 'restarted' : 'started') : 'left',
      changed,
    };
  }

  async uninstall({ purge }: UninstallOptions): Promise<Uninstalled> {
    const { installed, running } = await this.state();
    if (running) await mustRun(this.#machine, this.#wrapper, 'stop');
    if (installed) await mustRun(this.#machine, this.#wrapper, 'uninstall');
    const wasThere = await removePlanned(this.#file, this.#machine.root);
    const left = await leaveState(this.#state, { root: this.#machine.root, purge });
    return {
      scope: this.scope,
      files: wasThere ? [{ path: this.#file, change: 'removed' }] : [],
      ...left,
      changed: wasThere || installed || left.removedFolders.length > 0,
    };
  }

  async start(): Promise<{ changed: boolean }> {
    const { installed, running } = await this.state();
    if (!installed) throw notInstalled();
    if (!running) await mustRun(this.#machine, this.#wrapper, 'start');
    return { changed: !running };
  }

  async stop(): Promise<{ changed: boolean }> {
    const { installed, running } = await this.state();
    if (!installed) throw notInstalled();
    if (running) await mustRun(this.#machine, this.#wrapper, 'stop');
    return { changed: running };
  }

  /** sc.exe has numbers for states, the same in every language: 4 is running. */
  async state(): Promise<ServiceState> {
    const { status, stdout } = await this.#machine.run('sc.exe', ['queryex', SERVICE_NAME]);
    const [, state = '1'] = /^\s*STATE\s*:\s*(\d)/m.exec(stdout) ?? [];
    const [, pid] = /^\s*PID\s*:\s*(\d+)/m.exec(stdout) ?? [];
    const running = status === 0 && state === '4';
    return {
      ...{ supervisor: 'winsw', scope: this.scope, installed: status === 0, enabled: status === 0 },
      ...{ running, state: running ? 'active' : 'inactive', unit: this.#file },
      ...(running && pid !== undefined ? { pid: Number(pid) } : {}),
    };
  }
}

/** The account of the service, and administrators: by their numbers, which are the same in every language. */
function grants(): string[] {
  const [localService, administrators, system] = ['*S-1-5-19', '*S-1-5-32-544', '*S-1-5-18'];
  return [localService, administrators, system].map((who) => `${who}:(OI)(CI)F`);
}
