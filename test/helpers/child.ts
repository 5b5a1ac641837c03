/** A module of ours in a process of its own that says one line of JSON when it is ready. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export class Child<Ready> {
  readonly process: ChildProcess;
  readonly ready: Ready;
  readonly #lines: Interface;

  /** `module` is relative to test/helpers; the child gets `argument` as JSON. It dies with our end of its stdin. */
  static async start<Ready>(module: string, argument: unknown): Promise<Child<Ready>> {
    const path = fileURLToPath(new URL(module, import.meta.url));
    const started = spawn(process.execPath, ['--import=tsx', path, JSON.stringify(argument)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: started.stdout });
    const [line] = (await Promise.race([
      once(lines, 'line'),
      once(started, 'exit').then(() => Promise.reject(new Error(`${module} ended before it was ready`))),
    ])) as [string];
    return new Child(started, lines, JSON.parse(line) as Ready);
  }

  private constructor(started: ChildProcess, lines: Interface, ready: Ready) {
    this.process = started;
    this.#lines = lines;
    this.ready = ready;
  }

  /** SIGKILL: no farewell, the kernel closes its sockets. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'close');
    this.process.kill('SIGKILL');
    await gone;
  }

  /** Its resident memory now, in bytes. */
  async memory(): Promise<number> {
    this.process.stdin?.write('?');
    const [line] = (await once(this.#lines, 'line')) as [string];
    return (JSON.parse(line) as { residentBytes: number }).residentBytes;
  }
}
