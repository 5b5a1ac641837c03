/** What a service manager is to start: `hcm service run`, spelled out, with absolute paths. */

/** The name of the unit, the account, the group and their folders. */
export const SERVICE_NAME = 'hcm';
export const SERVICE_TITLE = 'Hybrid Connection Manager (hcm)';
/** macOS names services as it names programs, by a domain from behind. */
export const LAUNCHD_LABEL = 'io.github.hcm-cli.hcm';

export interface ServiceCommand {
  /** The absolute path of Node.js. */
  readonly node: string;
  /** The absolute path of bin/run.js. */
  readonly program: string;
  /** The absolute path of the hcm.yaml that it follows. */
  readonly file?: string | undefined;
  /** How long open streams may go on when it is stopped. */
  readonly graceMs: number;
}

/** `system`: for the machine, from its start on. `user`: for one user, without root. */
export type ServiceScope = 'system' | 'user';

/** The arguments behind Node.js. */
export function argumentsOf({ program, file, graceMs }: ServiceCommand): string[] {
  const followed = file === undefined ? [] : ['--file', file];
  const grace = graceMs % 1_000 === 0 ? `${graceMs / 1_000}s` : `${graceMs}ms`;
  return [program, 'service', 'run', ...followed, '--grace-period', grace];
}

/** What a supervisor waits between the signal and the kill: the grace, and time to say goodbye to the relay. */
export function stopTimeoutSeconds(graceMs: number): number {
  return Math.ceil(graceMs / 1_000) + STOP_MARGIN_SECONDS;
}

const STOP_MARGIN_SECONDS = 20;
