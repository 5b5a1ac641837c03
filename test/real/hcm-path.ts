// The whole path as a user runs it: `hcm emulator start`, `hcm listen`, `hcm forward`, each a process of its own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, type ServerProcess } from './servers/process.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export type EventLine = Readonly<Record<string, unknown>> & { event: string };

export interface HcmProcess extends ServerProcess {
  /** All event lines until now, in order. */
  readonly events: readonly EventLine[];
}

interface EmulatorReady {
  endpoint: string;
  connectionString: string;
  caFile: string;
  connections: { name: string; listenerConnectionString: string; senderConnectionString: string }[];
}

/** Processes of hcm that share one state folder, and a way to end them all. */
export class HcmPath {
  readonly directory: string;
  readonly #processes: HcmProcess[] = [];
  #relay: EmulatorReady | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<HcmPath> {
    return new HcmPath(await mkdtemp(join(tmpdir(), 'hcm-path-')));
  }

  /** What every process of this path runs with. */
  get env(): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = { ...process.env, HCM_STATE_DIR: this.directory, HOME: this.directory };
    delete env['NODE_OPTIONS'];
    return env;
  }

  get relay(): EmulatorReady {
    if (!this.#relay) throw new Error('the emulator is not running');
    return this.#relay;
  }

  get relayPort(): number {
    return Number(new URL(this.relay.endpoint.replace('sb:', 'http:')).port);
  }

  /** The command line of hcm, for programs that start it themselves (ProxyCommand, a network namespace). */
  commandLine(args: readonly string[]): [string, string[]] {
    return [process.execPath, [PROGRAM, ...args]];
  }

  /** Starts a long-running command and resolves at its `event`. */
  async run(
    args: readonly string[],
    event: string,
    wrap: (command: string, args: readonly string[]) => [string, string[]] = (command, rest) => [
      command,
      [...rest],
    ],
  ): Promise<HcmProcess> {
    const events: EventLine[] = [];
    const [command, commandArgs] = wrap(...this.commandLine([...args, '--json']));
    const child = await startProcess({
      command,
      args: commandArgs,
      env: this.env,
      onLine: (line) => events.push(JSON.parse(line) as EventLine),
      isReady: () => Promise.resolve(events.some((seen) => seen.event === event)),
    });
    const hcm = { ...child, events };
    this.#processes.push(hcm);
    return hcm;
  }

  async startEmulator(connections: readonly string[]): Promise<HcmProcess> {
    const flags = connections.flatMap((name) => ['--connection', name]);
    const emulator = await this.run(['emulator', 'start', '--port', '0', '--ephemeral', ...flags], 'ready');
    this.#relay = emulator.events.find(({ event }) => event === 'ready') as unknown as EmulatorReady;
    return emulator;
  }

  /** An emulator whose keys survive its death, on a port that it has again after it. */
  async startKeptEmulator(port: number, connections: readonly string[]): Promise<HcmProcess> {
    const flags = connections.flatMap((name) => ['--connection', name]);
    const kept = ['--port', String(port), '--state-dir', join(this.directory, 'relay')];
    const emulator = await this.run(['emulator', 'start', ...kept, ...flags], 'ready');
    this.#relay = emulator.events.find(({ event }) => event === 'ready') as unknown as EmulatorReady;
    return emulator;
  }

  /** A file with a connection string of the connection, as a user keeps it. */
  async stringFile(name: string, side: 'listener' | 'sender'): Promise<string> {
    const connection = this.relay.connections.find((candidate) => candidate.name === name);
    if (!connection) throw new Error(`no connection ${name}`);
    const file = join(this.directory, `${name.replaceAll('/', '-')}.${side}`);
    const text =
      side === 'listener' ? connection.listenerConnectionString : connection.senderConnectionString;
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  async listen(name: string, target: string, more: readonly string[] = []): Promise<HcmProcess> {
    const file = await this.stringFile(name, 'listener');
    return this.run(['listen', '--connection-string-file', file, '--target', target, ...more], 'online');
  }

  /** Resolves with the local port on 127.0.0.1. */
  async forward(name: string, more: readonly string[] = []): Promise<number> {
    const file = await this.stringFile(name, 'sender');
    const forward = await this.run(['forward', '--connection-string-file', file, ...more], 'ready');
    const ready = forward.events.find(({ event }) => event === 'ready');
    return Number(String(ready?.['bind']).split(':').at(-1));
  }

  /** Emulator, listener and forward for one target; resolves with the local port. */
  async open(target: string): Promise<number> {
    await this.startEmulator(['main']);
    await this.listen('main', target);
    return this.forward('main');
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.stop()));
    await rm(this.directory, { recursive: true, force: true });
  }
}
