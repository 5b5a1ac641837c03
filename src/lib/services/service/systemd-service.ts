/** The manager as a unit of systemd: of the machine, with an account of its own, or of one user. */
import { chmod, chown, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HcmError } from '../../../protocol/errors.ts';
import { exists, removePlanned, writeAllPlanned } from './planned-files.ts';
import { findAccount, MAKE_ACCOUNT, removeAccount, type ServiceAccount } from './service-account.ts';
import { SERVICE_NAME, type ServiceScope } from './service-command.ts';
import {
  mustRun,
  needRoot,
  notInstalled,
  type Installed,
  type InstallOptions,
  type PlannedFile,
  type Ran,
  type ServiceHost,
  type ServiceMachine,
  type ServicePlan,
  type ServiceState,
  type Uninstalled,
  type UninstallOptions,
} from './service-host.ts';
import { checkSight } from './service-sight.ts';
import { keptBecause, leaveState, worthKeeping } from './service-state.ts';
import { systemdUnit } from './systemd-unit.ts';

const UNIT = `${SERVICE_NAME}.service`;
const FILE_MODE = 0o644;
/** systemd makes it at its start (sd_booted(3)). */
const BOOTED = '/run/systemd/system';
const STATE_FOLDER = `/var/lib/${SERVICE_NAME}`;
const LOGS_FOLDER = `/var/log/${SERVICE_NAME}`;
const OWNER_ONLY = 0o700;
const PROPERTIES = [
  ...['LoadState', 'ActiveState', 'UnitFileState', 'MainPID'],
  ...['ActiveEnterTimestamp', 'NRestarts', 'Result'],
];

export class SystemdService implements ServiceHost {
  readonly scope: ServiceScope;
  readonly #machine: ServiceMachine;

  constructor(machine: ServiceMachine, scope: ServiceScope) {
    this.#machine = machine;
    this.scope = scope;
  }

  /** The path of the unit file, without the machine's root. */
  get unit(): string {
    if (this.scope === 'system') return `/etc/systemd/system/${UNIT}`;
    const { env, home } = this.#machine;
    return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'systemd', 'user', UNIT);
  }

  async plan(options: InstallOptions): Promise<ServicePlan> {
    const { files, account } = await this.#files(options);
    return {
      scope: this.scope,
      files,
      commands: [
        ...(account?.declaration === undefined ? [] : [MAKE_ACCOUNT]),
        this.#line('daemon-reload'),
        this.#line('enable', UNIT),
        ...(options.start ? [this.#line('restart', UNIT)] : []),
      ],
    };
  }

  async install(options: InstallOptions): Promise<Installed> {
    needRoot(this.#machine, this.scope, 'install');
    const isLive = this.#machine.root === '';
    if (isLive) await this.#needSystemd();
    const { files: planned, account } = await this.#files(options);
    const { files, written } = await writeAllPlanned(planned, this.#machine.root);
    const done = isLive ? await this.#activate({ start: options.start, written, account }) : NOTHING_DONE;
    return {
      scope: this.scope,
      files,
      account: { user: this.#user, made: account?.declaration !== undefined },
      process: done.process,
      changed: written || done.changed,
    };
  }

  async uninstall({ purge, stateDirectory }: UninstallOptions): Promise<Uninstalled> {
    needRoot(this.#machine, this.scope, 'uninstall');
    const { root } = this.#machine;
    const isLive = root === '' && (await this.#machine.exists(BOOTED));
    const wasThere = await exists(`${root}${this.unit}`);
    if (isLive && wasThere) await this.#ctl('disable', '--now', UNIT);
    await removePlanned(this.unit, root);
    if (isLive && wasThere) {
      await this.#ctl('daemon-reload');
      // It fails when there is nothing to forget.
      await this.#try('reset-failed', UNIT);
    }
    const removedAccount = this.scope === 'system' ? await removeAccount(this.#machine) : undefined;
    const { removedFolders, kept } =
      this.scope === 'system'
        ? await this.#leave({ purge, orphaned: removedAccount !== undefined })
        : await leaveState(join(stateDirectory, 'manager'), { root, purge });
    return {
      scope: this.scope,
      files: wasThere ? [{ path: this.unit, change: 'removed' }] : [],
      removedAccount,
      removedFolders,
      kept: [...kept, ...(await this.#theirs())],
      changed: wasThere || removedAccount !== undefined || removedFolders.length > 0,
    };
  }

  async start(): Promise<{ changed: boolean }> {
    const { installed, running } = await this.state();
    if (!installed) throw notInstalled();
    if (!running) await this.#ctl('start', UNIT);
    return { changed: !running };
  }

  async stop(): Promise<{ changed: boolean }> {
    const { installed, state } = await this.state();
    if (!installed) throw notInstalled();
    // One that is about to start again must be stopped, too.
    const changed = state !== 'inactive' && state !== 'failed';
    if (changed) await this.#ctl('stop', UNIT);
    return { changed };
  }

  async state(): Promise<ServiceState> {
    await this.#needSystemd();
    const { stdout } = await this.#ctl('show', UNIT, `--property=${PROPERTIES.join(',')}`);
    const shown = new Map(stdout.split('\n').map((line) => splitOnce(line, '=')));
    const state = shown.get('ActiveState') ?? 'unknown';
    const running = state === 'active' || state === 'reloading';
    const [, day, time] =
      /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(shown.get('ActiveEnterTimestamp') ?? '') ?? [];
    const pid = Number(shown.get('MainPID') ?? 0);
    const result = shown.get('Result') ?? 'success';
    return {
      supervisor: 'systemd',
      scope: this.scope,
      installed: shown.get('LoadState') === 'loaded',
      enabled: shown.get('UnitFileState') === 'enabled',
      ...{ running, state },
      ...(running && time !== undefined ? { since: `${day}T${time}.000Z` } : {}),
      ...(pid > 0 ? { pid } : {}),
      restarts: Number(shown.get('NRestarts') ?? 0),
      ...(result === 'success' ? {} : { result }),
      unit: this.unit,
    };
  }

  get #user(): string {
    return this.scope === 'system' ? SERVICE_NAME : (this.#machine.env['USER'] ?? 'this user');
  }

  async #files({
    command,
    stateDirectory,
  }: InstallOptions): Promise<{ files: PlannedFile[]; account?: ServiceAccount }> {
    const unitFile = (text: string): PlannedFile => ({ path: this.unit, mode: FILE_MODE, text });
    if (this.scope === 'user')
      return { files: [unitFile(systemdUnit({ scope: 'user', command, stateDirectory }))] };
    const account = await findAccount(this.#machine);
    // What a machine that is not started can read cannot be seen from here.
    const isLive = this.#machine.root === '';
    const { seesHomes } = isLive ? await checkSight(command, account.found) : { seesHomes: false };
    const { group, declaration } = account;
    const unit = systemdUnit({ scope: 'system', command, user: SERVICE_NAME, group, seesHomes });
    return { files: [...(declaration === undefined ? [] : [declaration]), unitFile(unit)], account };
  }

  /** Makes systemd do what the files say. */
  async #activate({ start, written, account }: Activation): Promise<typeof NOTHING_DONE> {
    const makes = account?.declaration !== undefined && account.found === undefined;
    const [program, ...args] = MAKE_ACCOUNT;
    if (makes) await mustRun(this.#machine, program, ...args);
    if (written) await this.#ctl('daemon-reload');
    const before = await this.state();
    if (!before.enabled) await this.#ctl('enable', UNIT);
    const changed = makes || !before.enabled;
    if (!start || (before.running && !written)) return { process: 'left', changed };
    // One that is just starting, or starting again and again, must not go on with the old unit.
    await this.#ctl(written ? 'restart' : 'start', UNIT);
    return { process: before.running ? 'restarted' : 'started', changed: true };
  }

  /** What the manager has written: removed when nobody would miss it. */
  async #leave({ purge, orphaned }: { purge: boolean; orphaned: boolean }): Promise<Left> {
    const { root } = this.#machine;
    const folders = [STATE_FOLDER, LOGS_FOLDER].map((path) => ({ path, place: `${root}${path}` }));
    const present = [];
    for (const folder of folders) if (await exists(folder.place)) present.push(folder);
    const found = purge ? undefined : await worthKeeping(`${root}${STATE_FOLDER}`);
    if (found === undefined) {
      for (const { place } of present) await rm(place, { recursive: true, force: true });
      return { removedFolders: present.map(({ path }) => path), kept: [] };
    }
    for (const { place } of present) {
      // The next account with the number of the one that is gone must not find a key here. systemd gives the folder
      // to the new account at the next start.
      if (orphaned && root === '') await chown(place, 0, 0);
      if (orphaned) await chmod(place, OWNER_ONLY);
    }
    return { removedFolders: [], kept: [{ path: STATE_FOLDER, why: keptBecause(found, root) }] };
  }

  /** What people have made beside it. */
  async #theirs(): Promise<Left['kept']> {
    const theirs = [];
    const places = [...(this.scope === 'system' ? [`/etc/${SERVICE_NAME}`] : []), `${this.unit}.d`];
    for (const path of places)
      if (await exists(`${this.#machine.root}${path}`)) theirs.push({ path, why: 'not written by hcm' });
    return theirs;
  }

  async #needSystemd(): Promise<void> {
    const { env } = this.#machine;
    // A systemd of the user may run where the machine's does not.
    const own = this.scope === 'user' ? env['XDG_RUNTIME_DIR'] : undefined;
    const places = [BOOTED, ...(own === undefined ? [] : [join(own, 'systemd')])];
    for (const place of places) if (await this.#machine.exists(place)) return;
    throw new HcmError('HCM_SERVICE_UNSUPPORTED', 'No systemd runs on this machine.');
  }

  #line(...args: string[]): string[] {
    return ['systemctl', ...(this.scope === 'user' ? ['--user'] : []), '--no-ask-password', ...args];
  }

  async #ctl(...args: string[]): Promise<Ran> {
    const [command = '', ...rest] = this.#line(...args);
    return mustRun(this.#machine, command, ...rest);
  }

  async #try(...args: string[]): Promise<Ran> {
    const [command = '', ...rest] = this.#line(...args);
    return this.#machine.run(command, rest);
  }
}

interface Activation {
  start: boolean;
  written: boolean;
  account: ServiceAccount | undefined;
}

type Left = Pick<Uninstalled, 'removedFolders' | 'kept'>;

const NOTHING_DONE: Pick<Installed, 'process' | 'changed'> = { process: 'left', changed: false };

function splitOnce(line: string, by: string): [string, string] {
  const at = line.indexOf(by);
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
