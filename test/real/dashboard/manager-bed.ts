// The real program: an emulator that can be killed and comes back with its keys, a manager, and their page.
import { writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import type { HcmProcess } from '../../e2e/hcm-process.ts';
import { portOf, RelayHome } from '../../e2e/relay-home.ts';

export class ManagerBed extends RelayHome {
  manager!: HcmProcess;
  #emulatorArgs: readonly string[] = [];

  /** An emulator with these connections, each with a target or none. */
  async startRelay(connections: Readonly<Record<string, Server | undefined>>): Promise<void> {
    const named = Object.entries(connections).flatMap(([name, target]) => [
      ...['--connection', target ? `${name}=127.0.0.1:${portOf(target)}` : name],
    ]);
    // A state folder keeps the keys when it is killed.
    this.#emulatorArgs = ['--state-dir', this.path('relay'), '--json', '--register', ...named];
    await this.#startEmulator(0);
    for (const { name, listenerConnectionString, senderConnectionString } of this.connections) {
      writeFileSync(this.path(`${name}-listen.txt`), listenerConnectionString, { mode: 0o600 });
      writeFileSync(this.path(`${name}-send.txt`), senderConnectionString, { mode: 0o600 });
    }
  }

  async killRelay(): Promise<void> {
    this.emulator.kill('SIGKILL');
    await this.emulator.ended;
  }

  /** Where it was before. */
  async restartRelay(): Promise<void> {
    await this.#startEmulator(Number(/:(\d+)\//.exec(String(this.ready['endpoint']))?.[1]));
  }

  async startManager(...args: string[]): Promise<void> {
    this.manager = this.start(['service', 'run', '--json', ...args]);
    await this.manager.event('ready');
  }

  async add(file: string, ...args: string[]): Promise<void> {
    const { status, stdout, stderr } = await this.run([
      ...['add', '--connection-string-file', file, '--json', ...args],
    ]);
    if (status !== 0) throw new Error(`hcm add ended with status ${status}: ${stdout}${stderr}`);
  }

  /** A fresh link into the page. */
  async invite(): Promise<string> {
    const { stdout, stderr } = await this.run(['dashboard', '--json']);
    const { url } = JSON.parse(stdout || '{}') as { url?: string };
    if (url === undefined) throw new Error(`hcm dashboard: ${stdout}${stderr}`);
    return url;
  }

  /** Resolves when the manager has told this, at `since` or later. */
  becomes(id: string, state: string, since = ''): Promise<unknown> {
    return this.manager.event(
      'state',
      (line) => line['id'] === id && line['state'] === state && String(line['time']) >= since,
    );
  }

  async #startEmulator(port: number): Promise<void> {
    this.emulator = this.start(['emulator', 'start', '--port', String(port), ...this.#emulatorArgs]);
    this.ready = await this.emulator.event('ready');
  }
}
