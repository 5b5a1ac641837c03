/**
 * The manager and the systemd that has started it. Node has no datagram sockets of the Unix kind, so the program
 * systemd-notify, which is part of systemd, sends each message; it waits until systemd has taken it.
 */
import { execFile } from 'node:child_process';
import type { ConnectionView, EventView } from '../../../manager/control/operations.ts';
import { ServiceNotify } from '../../../manager/service-notify.ts';
import type { Clock } from '../../../tunnel/clock.ts';

const US_PER_MS = 1_000;
/** It waits up to 5 s for systemd by itself. */
const SEND_TIMEOUT_MS = 15_000;

/** What is needed of a manager. */
export interface Supervised {
  list(): readonly ConnectionView[];
  subscribe(onEvent: (event: EventView) => void): () => void;
  reload(): Promise<unknown>;
}

export interface SystemdOptions {
  env: NodeJS.ProcessEnv;
  pid: number;
  clock: Clock;
  /** SIGHUP asks for a reload. */
  signals: NodeJS.EventEmitter;
  /** Told once: what fails once fails again in the same way. */
  warn: (text: string) => void;
}

export interface Supervision {
  stopping(): void;
  /** Resolves when nothing is left of it. */
  end(): Promise<void>;
}

/**
 * Tells systemd that the manager is ready, and from then on how it is; SIGHUP reloads. Call it when the manager has
 * started. Does nothing where nobody waits for that.
 */
export function superviseBySystemd(manager: Supervised, options: SystemdOptions): Supervision {
  const notify = notifier(manager, options);
  if (notify === undefined) return { stopping: () => undefined, end: () => Promise.resolve() };
  const unsubscribe = manager.subscribe(() => notify.changed());
  const onHangup = () => void notify.reloading(() => manager.reload());
  options.signals.on('SIGHUP', onHangup);
  void notify.ready();
  return {
    stopping: () => void notify.stopping(),
    end: () => {
      unsubscribe();
      options.signals.off('SIGHUP', onHangup);
      return notify.end();
    },
  };
}

/** How the manager is, on one line. */
export function statusLine(connections: readonly ConnectionView[]): string {
  const online = connections.filter(({ state }) => state === 'online').length;
  const streams = connections.reduce((sum, { openStreams }) => sum + openStreams, 0);
  return `${online} of ${connections.length} connections online, ${streams} streams open`;
}

function notifier(manager: Supervised, options: SystemdOptions): ServiceNotify | undefined {
  const { env, clock, warn } = options;
  const socket = env['NOTIFY_SOCKET'];
  if (!socket) return undefined;
  let told = false;
  return new ServiceNotify({
    clock,
    status: () => statusLine(manager.list()),
    watchdogMs: watchdogMs(options),
    send: (assignments) => sendNotification(assignments, { NOTIFY_SOCKET: socket, PATH: env['PATH'] }),
    onError: (error) => {
      if (!told) warn(`systemd cannot be told how the manager is: ${error.message}`);
      told = true;
    },
  });
}

/** sd_watchdog_enabled(3): it may be meant for another process. */
function watchdogMs({ env, pid }: SystemdOptions): number | undefined {
  const limitUs = Number(env['WATCHDOG_USEC']);
  const isOurs = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === pid;
  return isOurs && limitUs > 0 ? limitUs / US_PER_MS : undefined;
}

function sendNotification(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', [...assignments], { env, timeout: SEND_TIMEOUT_MS }, (error, _, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim() || error.message));
    });
  });
}
