// The life of one real server as a child process: start it, wait until it answers, stop it with everything it started.
// It keeps the last output for error messages. It knows no particular server.
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 25;
const READY_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 5_000;
const KEPT_OUTPUT_CHARS = 16_384;

export interface ServerProcessOptions {
  command: string;
  args: readonly string[];
  /** Resolves to true when the server answers; asked again and again until then. */
  isReady: (child: ServerProcess) => Promise<boolean>;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** The unprivileged user to run as when we are root; otherwise it runs as us. */
  user?: string | undefined;
  /** What asks it to stop; SIGTERM unless told. */
  stopSignal?: NodeJS.Signals;
  readyTimeoutMs?: number;
  /** Hears each line of its stdout. */
  onLine?: (line: string) => void;
}

export interface ServerProcess {
  readonly pid: number;
  /** The end of what it wrote on stdout and stderr. */
  output(): string;
  /** Resolves with the exit status (null after a signal) when the process has ended. */
  readonly exited: Promise<number | null>;
  /** Asks it to stop, kills it after a grace period, kills what it left behind. May be called twice. */
  stop(): Promise<void>;
}

/** Starts the command and resolves once it is ready; rejects with its output when it ends or is not ready in time. */
export async function startProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { command, args, cwd, env, user, isReady, stopSignal = 'SIGTERM' } = options;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(user === undefined ? {} : credentialsOf(user)),
  });
  const server = watch(child, stopSignal);
  if (options.onLine !== undefined) createInterface({ input: child.stdout }).on('line', options.onLine);
  let ended = false;
  const exit = server.exited.then(
    (status) => {
      ended = true;
      throw new Error(
        `${command} ended with status ${String(status)} before it was ready:\n${server.output()}`,
      );
    },
    (error: unknown) => {
      throw new Error(`${command} did not start`, { cause: error });
    },
  );
  const poll = pollUntil(() => ended || isReady(server), {
    timeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
    what: () => `${command} to be ready; it said:\n${server.output()}`,
  });
  try {
    await Promise.race([exit, poll]);
  } catch (error) {
    await server.stop().catch(() => {});
    throw error;
  } finally {
    exit.catch(() => {}); // after this the server's end is the business of `exited`
  }
  return server;
}

function watch(child: ChildProcess, stopSignal: NodeJS.Signals): ServerProcess {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT_CHARS);
    });
  }
  const exited = once(child, 'exit').then(([status]) => status as number | null);
  exited.catch(() => {}); // a command that cannot be started: startProcess says so
  const killAll = (): void =>
    kill([...descendantsOf(child.pid), ...(child.pid === undefined ? [] : [child.pid])]);
  process.once('exit', killAll); // a test run that breaks off leaves no server behind
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const left = descendantsOf(child.pid);
    child.kill(stopSignal);
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await exited.catch(() => {});
    clearTimeout(force);
    kill(left);
    process.off('exit', killAll);
  };
  return { pid: child.pid ?? 0, output: () => output, exited, stop: () => (stopping ??= stop()) };
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}

/** The processes that the process started, and those that they started (a server's workers and sessions). */
function descendantsOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // pid (comm) state ppid ...; comm may hold spaces and brackets
      const parent = Number(/^.*\) \S (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  const descend = (parent: number): number[] =>
    (children.get(parent) ?? []).flatMap((id) => [id, ...descend(id)]);
  return descend(pid);
}

/** Are we root, so that a server must be told to run as somebody else? */
export function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The numbers to give to spawn or chown for an unprivileged user; nothing when we are not root. */
export function credentialsOf(user: string): { uid: number; gid: number } | undefined {
  if (!runsAsRoot()) return undefined;
  const ask = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: ask('-u'), gid: ask('-g') };
}

/** Resolves once the condition holds; rejects in time, saying what it waited for. */
export async function pollUntil(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = READY_TIMEOUT_MS, what }: { timeoutMs?: number; what: string | (() => string) },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      throw new Error(
        `gave up after ${timeoutMs} ms waiting for ${typeof what === 'string' ? what : what()}`,
      );
    }
    await delay(POLL_INTERVAL_MS);
  }
}
