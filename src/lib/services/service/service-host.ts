/**
 * What a machine must be able to do with the manager as a service, and the machine as it comes in from outside. Each of
 * systemd, launchd and Windows has its own file.
 */
import { HcmError } from '../../../protocol/errors.ts';
import type { ServiceCommand, ServiceScope } from './service-command.ts';

export interface Ran {
  /** Null when it could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ServiceMachine {
  readonly platform: NodeJS.Platform;
  /** Undefined where there is no such thing. */
  readonly userId: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** In front of every path that is written: '', or a folder that stands for a machine that is not started. */
  readonly root: string;
  /** Of a path of the machine itself, whatever `root` is. */
  exists(path: string): Promise<boolean>;
  /** Runs a program to its end, with no input, in English and UTC. Does not reject. */
  run(command: string, args: readonly string[]): Promise<Ran>;
}

export interface PlannedFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** What an install would do. */
export interface ServicePlan {
  readonly scope: ServiceScope;
  readonly files: readonly PlannedFile[];
  readonly commands: readonly (readonly string[])[];
}

export interface InstallOptions {
  readonly command: ServiceCommand;
  /** False: it is there, and starts with the machine, but not now. */
  readonly start: boolean;
  /** Of the user who installs: where a service of that user has its things. */
  readonly stateDirectory: string;
}

export interface FileChange {
  readonly path: string;
  readonly change: 'written' | 'unchanged' | 'removed';
}

export interface Installed {
  readonly scope: ServiceScope;
  readonly files: readonly FileChange[];
  /** The account that it runs as, and whether it was made for it. */
  readonly account: { readonly user: string; readonly made: boolean };
  /** What was done with the process. */
  readonly process: 'started' | 'restarted' | 'left';
  /** False: it was there already, exactly so. */
  readonly changed: boolean;
}

export interface UninstallOptions {
  /** Connections and keys are to go, too. */
  readonly purge: boolean;
  /** As of `InstallOptions`. */
  readonly stateDirectory: string;
}

export interface Uninstalled {
  readonly scope: ServiceScope;
  readonly files: readonly FileChange[];
  readonly removedAccount?: string | undefined;
  readonly removedFolders: readonly string[];
  /** What stays, and why. */
  readonly kept: readonly { readonly path: string; readonly why: string }[];
  readonly changed: boolean;
}

export interface ServiceState {
  readonly supervisor: 'systemd' | 'launchd' | 'winsw';
  readonly scope: ServiceScope;
  readonly installed: boolean;
  readonly enabled: boolean;
  readonly running: boolean;
  /** The supervisor's own word: active, inactive, failed, activating ... */
  readonly state: string;
  readonly since?: string | undefined;
  readonly pid?: number | undefined;
  readonly restarts?: number | undefined;
  /** How its last run ended, where that was not in peace. */
  readonly result?: string | undefined;
  /** The file that it is started from. */
  readonly unit: string;
}

export interface ServiceHost {
  readonly scope: ServiceScope;
  /** @throws HcmError HCM_USAGE, HCM_FILE_UNREADABLE. Changes nothing. */
  plan(options: InstallOptions): Promise<ServicePlan>;
  /** Again as asked, it changes nothing. @throws as `plan`; HCM_FORBIDDEN, HCM_SERVICE_FAILED, HCM_SERVICE_UNSUPPORTED. */
  install(options: InstallOptions): Promise<Installed>;
  /** Takes away what `install` has made. Connections that were added stay, unless `purge`. @throws as `install`. */
  uninstall(options: UninstallOptions): Promise<Uninstalled>;
  /** Resolves, once it runs, with whether that was so before. @throws HcmError HCM_NOT_RUNNING when it is not installed. */
  start(): Promise<{ changed: boolean }>;
  /** Resolves when it has drained. */
  stop(): Promise<{ changed: boolean }>;
  state(): Promise<ServiceState>;
}

/** Runs a program that must end well. @throws HcmError HCM_SERVICE_FAILED with its words. */
export async function mustRun(machine: ServiceMachine, command: string, ...args: string[]): Promise<Ran> {
  const ran = await machine.run(command, args);
  if (ran.status === 0) return ran;
  const line = [command, ...args].join(' ');
  const ended = ran.status === null ? 'could not be started' : `ended with status ${ran.status}`;
  const words = [ran.stderr, ran.stdout].map((text) => text.trim()).find((text) => text !== '');
  throw new HcmError('HCM_SERVICE_FAILED', `"${line}" ${ended}${words === undefined ? '.' : `: ${words}`}`, {
    details: { command: line, ...(ran.status === null ? {} : { status: ran.status }) },
  });
}

export function notInstalled(): HcmError {
  return new HcmError('HCM_NOT_RUNNING', 'The manager is not installed as a service.', {
    details: { next: 'hcm service install, or hcm service run in the foreground' },
  });
}

/** @throws HcmError HCM_FORBIDDEN for a service of the machine without root, with both ways on. */
export function needRoot({ userId, root }: ServiceMachine, scope: ServiceScope, verb: string): void {
  if (scope === 'user' || userId === 0 || root !== '') return;
  throw new HcmError('HCM_FORBIDDEN', 'A service of the machine can only be changed by root.', {
    details: { next: `sudo hcm service ${verb}, or without root: hcm service ${verb} --user` },
  });
}
