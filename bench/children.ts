/**
 * Child processes of the benchmark: started, awaited until they say `ready`, stopped, never left behind.
 * A child says `ready` with one JSON line on stdout: {"ready":true,...}, or {"event":"ready",...} for hcm itself.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A line of JSON that a child printed. */
export type Line = Record<string, unknown>;

export interface Child {
  readonly pid: number;
  /** The line that said `ready`. */
  readonly ready: Line;
  /** The next line that satisfies the test, also one already printed; rejects when the child ends first. */
  line(test: (line: Line) => boolean): Promise<Line>;
  /** Ends the child's stdin, for children that hold until then. */
  endInput(): void;
  /** SIGTERM, two seconds later SIGKILL; resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  env?: Record<string, string>;
  /** How long until `ready`; 20 s by default. */
  timeoutMs?: number;
  isReady?: (line: Line) => boolean;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** The environment of every child: ours without what would change the figures. */
export function childEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'WS_NO_BUFFER_UTIL']) delete env[name];
  return { ...env, ...extra };
}

/** Starts a process that never says `ready` (haproxy, ssh); rejects only when it cannot be started at all. */
export function spawnQuiet(command: string, args: string[], options: ChildOptions = {}): Tail {
  return new Tail(
    spawn(command, args, { env: childEnv(options.env), stdio: ['pipe', 'pipe', 'pipe'] }),
    command,
  );
}

/** Starts a process and waits for its `ready` line. */
export async function spawnReady(
  command: string,
  args: string[],
  options: ChildOptions = {},
): Promise<Child & { ready: Line }> {
  const child = spawnQuiet(command, args, options);
  const isReady = options.isReady ?? ((line: Line) => line['ready'] === true || line['event'] === 'ready');
  try {
    const ready = await child.line(isReady, options.timeoutMs ?? 20_000);
    return Object.assign(child, { ready });
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** One child with the lines it printed and the end of its stderr. */
export class Tail {
  readonly pid: number;
  private readonly lines: Line[] = [];
  private readonly waiting = new Set<() => void>();
  private stderr = '';
  private end: string | undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
  ) {
    this.pid = child.pid ?? 0;
    running.add(child);
    child.stdin?.on('error', () => {});
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (text) => this.onLine(text));
    child.stderr?.on('data', (data: Buffer) => (this.stderr = (this.stderr + data.toString()).slice(-600)));
    child.once('error', (error) => this.onEnd(error.message));
    child.once('close', (code, signal) => this.onEnd(`ended with ${signal ?? code}`));
  }

  /** Why the child ended, with its last words; undefined while it runs. */
  get failure(): string | undefined {
    return this.end && `${this.name} ${this.end}${this.lastWords()}`;
  }

  async line(test: (line: Line) => boolean, timeoutMs = 60_000): Promise<Line> {
    const deadline = Date.now() + timeoutMs;
    for (let at = 0; ;) {
      for (; at < this.lines.length; at++) if (test(this.lines[at]!)) return this.lines[at]!;
      if (this.end) throw new Error(this.failure);
      if (Date.now() >= deadline)
        throw new Error(`${this.name}: silent for ${timeoutMs} ms${this.lastWords()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, Math.max(1, deadline - Date.now()));
        const waiting = this.waiting;
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        }
        waiting.add(wake);
      });
    }
  }

  endInput(): void {
    this.child.stdin?.end();
  }

  async stop(): Promise<void> {
    if (this.end) return;
    const gone = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 2000);
    await gone;
    clearTimeout(timer);
  }

  /** The end of its stderr, and its last line: hcm tells an error there. */
  private lastWords(): string {
    const line = this.lines.length > 0 ? JSON.stringify(this.lines.at(-1)).slice(0, 300) : '';
    return ['', this.stderr.trim(), line].filter((text, at) => at === 0 || text).join(': ');
  }

  private onLine(text: string): void {
    try {
      this.lines.push(JSON.parse(text) as Line);
    } catch {
      return; // talk, not an answer
    }
    for (const wake of [...this.waiting]) wake();
  }

  private onEnd(reason: string): void {
    this.end ??= reason;
    running.delete(this.child);
    for (const wake of [...this.waiting]) wake();
  }
}

/** Resolves once 127.0.0.1:port accepts a connection; rejects when the child ends or ten seconds pass. */
export async function untilListening(port: number, child: Tail): Promise<void> {
  const { connect } = await import('node:net');
  for (let attempt = 0; attempt < 400; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    if (child.failure) throw new Error(child.failure);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nothing listens at port ${port} after ten seconds`);
}

/** A port that was free a moment ago, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
