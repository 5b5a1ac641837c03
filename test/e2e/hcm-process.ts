// The program as a user starts it: bin/run.js in a process of its own, with a home of its own. Waits for events, never
// for time; whatever is still running is killed by `killAll`.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const programFile = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin', 'run.js');

export type Line = Record<string, unknown> & { event?: string };

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export class HcmProcess {
  readonly ended: Promise<Ended>;
  readonly child: ChildProcessWithoutNullStreams;
  stdout = '';
  stderr = '';
  #over: Ended | undefined;
  #wake: (() => void)[] = [];

  constructor(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
    this.child = spawn(process.execPath, [programFile, ...args], { env, cwd });
    this.child.stdin.on('error', () => undefined);
    this.child.stdout
      .setEncoding('utf8')
      .on('data', (text: string) => this.#note(() => (this.stdout += text)));
    this.child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => this.#note(() => (this.stderr += text)));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (status, signal) => {
        this.#over = { status, signal, stdout: this.stdout, stderr: this.stderr };
        this.#note(() => undefined);
        resolve(this.#over);
      });
    });
  }

  /** The NDJSON lines on stdout so far. */
  get lines(): Line[] {
    return parseLines(this.stdout);
  }

  /** Resolves with the first line of this event, of those that have come and those that come; rejects at the end. */
  async event(name: string, isIt: (line: Line) => boolean = () => true): Promise<Line> {
    return this.#until(`the event ${name}`, () =>
      this.lines.find((line) => line.event === name && isIt(line)),
    );
  }

  /** Resolves when stderr holds the text. */
  async says(text: string): Promise<void> {
    await this.#until(`"${text}" on stderr`, () => this.stderr.includes(text) || undefined);
  }

  /** Resolves when stdout holds the text. */
  async answers(text: string): Promise<void> {
    await this.#until(`"${text}" on stdout`, () => this.stdout.includes(text) || undefined);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends Ctrl-C and resolves with how it ended. */
  interrupt(): Promise<Ended> {
    this.kill('SIGINT');
    return this.ended;
  }

  async #until<T>(what: string, find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#over) {
        const { status, stdout, stderr } = this.#over;
        throw new Error(
          `hcm ended with status ${status} before ${what}\nstdout: ${stdout}\nstderr: ${stderr}`,
        );
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #note(change: () => void): void {
    change();
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A home for some processes, and the processes. */
export class HcmHome {
  readonly directory = mkdtempSync(join(tmpdir(), 'hcm-e2e-'));
  readonly #running = new Set<HcmProcess>();

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): HcmProcess {
    const started = new HcmProcess(args, { ...this.env, ...env }, this.directory);
    this.#running.add(started);
    void started.ended.then(() => this.#running.delete(started));
    return started;
  }

  /** Runs to the end, with `stdin` as its input. */
  async run(
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; stdin?: string } = {},
  ): Promise<Ended> {
    const started = this.start(args, options.env);
    started.child.stdin.end(options.stdin ?? '');
    return started.ended;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  get env(): NodeJS.ProcessEnv {
    const { PATH, SystemRoot } = process.env;
    return {
      ...{ PATH, SystemRoot, HOME: this.directory, LOCALAPPDATA: this.directory, TMPDIR: this.directory },
      XDG_STATE_HOME: join(this.directory, 'state'),
      // Whoever runs the tests has a keychain of their own.
      HCM_SECRETS: 'file',
    };
  }

  async killAll(): Promise<void> {
    const running = [...this.#running];
    for (const { child } of running) child.kill('SIGKILL');
    await Promise.all(running.map(({ ended }) => ended));
  }

  async remove(): Promise<void> {
    await this.killAll();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function parseLines(text: string): Line[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}
