// A manager with many connections as it runs for years: the emulator, the manager and the commands are processes of
// their own, so that each can be killed, cut off, or given another clock. Targets and outside clients live in the test.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer as createWebServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { resolveConnection } from '../../src/protocol/connection-string.ts';
import { ControlClient } from '../../src/manager/control/control-client.ts';
import type { ConnectionView } from '../../src/manager/control/operations.ts';
import { systemClock } from '../../src/tunnel/clock.ts';
import { startLocalPort } from '../../src/tunnel/local-port.ts';
import { Sender } from '../../src/tunnel/sender.ts';
import { sasKeyTokens } from '../../src/tunnel/token-provider.ts';
import { HcmPath, type HcmProcess } from './hcm-path.ts';
import { keptPort } from './servers/free-port.ts';
import { pollUntil } from './servers/process.ts';
import { runCommand, tryCommand } from './servers/run-command.ts';

/** How a process is started inside something else: a network namespace, another clock. */
export type Wrap = (command: string, args: readonly string[]) => [string, string[]];

/** Hybrid connections by what runs on them; of each dialect the first ones have a local port in the manager, too. */
export interface BedSize {
  raw: number;
  azbridge: number;
  http: number;
  /** Local ports to raw connections; each azbridge and each HTTP connection has one. */
  forwards: number;
}

/** 30 + 4 + 4 listeners and 4 + 4 + 4 local ports. */
export const FIFTY: BedSize = { raw: 30, azbridge: 4, http: 4, forwards: 4 };

/** What is seen of a process from outside. */
export interface ProcessFootprint {
  readonly residentMb: number;
  readonly fds: number;
}

export interface RunningManager {
  readonly process: HcmProcess;
  readonly client: ControlClient;
}

export interface ManagerStart {
  /** Of its own, so that it stands beside another; by default that of the commands. */
  folder?: string;
  wrap?: Wrap;
  args?: readonly string[];
  /** What its file says; by default everything. */
  entries?: FileEntries;
}

export interface FileEntries {
  listeners: readonly Record<string, unknown>[];
  forwards: readonly Record<string, unknown>[];
}

/** Clock ticks of /proc/PID/stat in a second: 100 on every Linux that Debian builds. */
const TICKS_PER_SECOND = 100;

export class ManagerBed {
  readonly path: HcmPath;
  readonly size: BedSize;
  emulator!: HcmProcess;
  /** In the order in which they were started. */
  readonly managers: RunningManager[] = [];
  readonly #port: number;
  readonly #cleanUp: (() => unknown)[] = [];
  readonly #servers: TargetServer[] = [];
  /** The target of each hybrid connection, as HOST:PORT. */
  readonly targets = new Map<string, string>();
  /** Local ports of the test's own senders, by hybrid connection. */
  readonly #outside = new Map<string, number>();

  /** The emulator runs when it resolves; the manager does not yet. */
  static async start(size: BedSize = FIFTY): Promise<ManagerBed> {
    const bed = new ManagerBed(await HcmPath.create(), size, await keptPort());
    try {
      await bed.#startTargets();
      await bed.startEmulator();
      for (const name of bed.names)
        await Promise.all([bed.path.stringFile(name, 'listener'), bed.path.stringFile(name, 'sender')]);
    } catch (error) {
      await bed.stop();
      throw error;
    }
    return bed;
  }

  private constructor(path: HcmPath, size: BedSize, port: number) {
    this.path = path;
    this.size = size;
    this.#port = port;
  }

  get names(): string[] {
    const { raw, azbridge, http } = this.size;
    return [...numbered('raw', raw), ...numbered('bridge', azbridge), ...numbered('web', http)];
  }

  /** On the port and with the keys that it had before. */
  async startEmulator(): Promise<void> {
    this.emulator = await this.path.startKeptEmulator(this.#port, this.names);
  }

  /** From now on connection strings lead to the relay by way of this port. */
  async leadThrough(port: number): Promise<void> {
    for (const name of this.names)
      for (const side of ['listener', 'sender'] as const) {
        const file = await this.path.stringFile(name, side);
        const text = readFileSync(file, 'utf8').replace(`localhost:${this.#port}`, `localhost:${port}`);
        await writeFile(file, text);
      }
  }

  /** SIGKILL: nobody is told; the kernel resets its sockets. */
  async killEmulator(): Promise<void> {
    await kill(this.emulator);
  }

  /** The file as the manager follows it: all listeners, then all local ports. */
  async writeFile(
    entries: FileEntries = { listeners: this.listeners, forwards: this.forwards },
  ): Promise<string> {
    const file = join(this.path.directory, 'hcm.yaml');
    await writeFile(file, JSON.stringify({ manager: entries }));
    return file;
  }

  get listeners(): Record<string, unknown>[] {
    return this.names.map((name) => {
      const target = this.#target(name);
      const what = name.startsWith('bridge')
        ? { dialect: 'azbridge', ports: { echo: target } }
        : { target: name.startsWith('web') ? `http://${target}/` : target };
      return { connection: `localhost/${name}`, connectionStringFile: `${name}.listener`, ...what };
    });
  }

  get forwards(): Record<string, unknown>[] {
    const { raw, azbridge, http, forwards } = this.size;
    assert.ok(forwards <= raw);
    const entry = (name: string, more: object) => ({
      connection: `localhost/${name}`,
      connectionStringFile: `${name}.sender`,
      ...more,
    });
    return [
      ...numbered('raw', forwards).map((name) => entry(name, { bind: '127.0.0.1:0' })),
      ...numbered('bridge', azbridge).map((name) =>
        entry(name, { dialect: 'azbridge', ports: { echo: '127.0.0.1:0' } }),
      ),
      ...numbered('web', http).map((name) => entry(name, { http: true, bind: '127.0.0.1:0' })),
    ];
  }

  /** The newest manager. */
  get manager(): RunningManager {
    const newest = this.managers.at(-1);
    if (!newest) throw new Error('no manager was started');
    return newest;
  }

  async startManager({ folder, wrap, args = [], entries }: ManagerStart = {}): Promise<RunningManager> {
    const state = join(this.path.directory, folder ?? '.');
    const run: Wrap = (command, rest) => {
      const [program, all] = wrap?.(command, rest) ?? [command, [...rest]];
      // `env` becomes the program: the process keeps its id.
      return ['env', [`HCM_STATE_DIR=${state}`, program, ...all]];
    };
    // Its CA is the one of the emulator, whose folder is the state folder of all others.
    const ca = ['--ca-file', this.path.relay.caFile];
    const file = await this.writeFile(entries);
    const started = await this.path.run(['service', 'run', '--file', file, ...ca, ...args], 'ready', run);
    const ready = started.events.find(({ event }) => event === 'ready');
    const manager = { process: started, client: new ControlClient(String(ready?.['socket'])) };
    this.managers.push(manager);
    return manager;
  }

  /** One that should not come up: beside a manager of the same folder. */
  tryManager(): ReturnType<typeof tryCommand> {
    const [command, args] = this.path.commandLine(['service', 'run', '--json']);
    return tryCommand(command, args, { env: this.path.env });
  }

  /** What `hcm list --json` says, as a user would ask. */
  async list(): Promise<ConnectionView[]> {
    const [command, args] = this.path.commandLine(['list', '--json']);
    const { stdout } = await runCommand(command, args, { env: this.path.env });
    return JSON.parse(stdout) as ConnectionView[];
  }

  /** Resolves with the ms it took until the list, asked again and again, is as wanted. */
  async becomes(
    what: string,
    isIt: (connections: readonly ConnectionView[]) => boolean,
    timeoutMs: number,
    { client } = this.manager,
  ): Promise<number> {
    const startedMs = performance.now();
    let seen: readonly ConnectionView[] = [];
    await pollUntil(async () => isIt((seen = await client.list())), {
      timeoutMs,
      what: () => `${what}; seen: ${summary(seen)}`,
    });
    return Math.round(performance.now() - startedMs);
  }

  /** Resolves when it is so. */
  async until(what: string, isIt: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
    await pollUntil(isIt, { timeoutMs, what });
  }

  allOnline(timeoutMs: number, manager?: RunningManager): Promise<number> {
    const count = this.names.length + this.forwards.length;
    const isIt = (all: readonly ConnectionView[]) =>
      all.length === count && all.every(({ state }) => state === 'online');
    return this.becomes(`all ${count} online`, isIt, timeoutMs, manager);
  }

  /** No listener claims to be registered. */
  noneOnline(timeoutMs: number): Promise<number> {
    const isIt = (all: readonly ConnectionView[]) =>
      listenersOf(all).every(({ state }) => state !== 'online');
    return this.becomes('no listener online', isIt, timeoutMs);
  }

  /** Bytes go through every connection, each to its own target: local ports of the manager, and senders outside. */
  async bytesFlow(): Promise<void> {
    await this.answersAtForwards();
    for (const name of this.names) if (name.startsWith('raw')) await this.answers(name);
  }

  /** Of the connections whose names begin so. */
  async answersAtForwards(beginning = ''): Promise<void> {
    const all = await this.manager.client.list();
    const forwards = all.filter(({ role }) => role === 'forward');
    assert.equal(forwards.length, this.forwards.length);
    for (const { connection, binds } of forwards) {
      const name = connection.replace('localhost/', '');
      if (!name.startsWith(beginning)) continue;
      await this.answers(name, Number(binds[0]?.split(':').at(-1)));
    }
  }

  /** The target of this hybrid connection answers at the port; by default at one of a sender of the test's own. */
  async answers(name: string, port?: number): Promise<void> {
    const asked = port ?? (await this.outside(name));
    if (name.startsWith('web')) {
      const answer = await fetch(`http://127.0.0.1:${asked}/`);
      assert.equal(await answer.text(), `web page of ${name}`);
      return;
    }
    assert.equal(String(await askOnce(asked, 'hello')), `${name}: hello`);
  }

  /** The local port of a sender outside of the manager. */
  async outside(name: string): Promise<number> {
    const known = this.#outside.get(name);
    if (known !== undefined) return known;
    const text = this.path.relay.connections.find((one) => one.name === name)?.senderConnectionString ?? '';
    const { endpoint, path, credential } = resolveConnection({ connectionString: text });
    assert.equal(credential.kind, 'key');
    const tokens = sasKeyTokens(credential, systemClock);
    const loopbackCa = readFileSync(this.path.relay.caFile, 'utf8');
    const sender = new Sender({ endpoint, path, tokens }, { loopbackCa });
    const local = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, sender);
    this.#cleanUp.push(() => local.stop({ graceMs: 0 }));
    const port = Number(local.bind.split(':').at(-1));
    this.#outside.set(name, port);
    return port;
  }

  /** On the ports that they had before. */
  async returnTargets(): Promise<void> {
    for (const { server, port } of this.#servers) await listenOn(server, port);
  }

  /** Their ports refuse, and whoever was connected is reset. */
  async stopTargets(): Promise<void> {
    await Promise.all(this.#servers.map(stopServer));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#cleanUp.splice(0).map((end) => end()));
    await this.path.stop();
  }

  #target(name: string): string {
    const target = this.targets.get(name);
    if (target === undefined) throw new Error(`no target ${name}`);
    return target;
  }

  async #startTargets(): Promise<void> {
    for (const name of this.names) {
      const server = name.startsWith('web')
        ? createWebServer((_request, response) => response.end(`web page of ${name}`))
        : createServer({ allowHalfOpen: true }, (socket) => echo(socket, name));
      const open = new Set<Socket>();
      server.on('connection', (socket: Socket) => {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
      });
      const target = { server, open, port: await keptPort() };
      await listenOn(server, target.port);
      this.#servers.push(target);
      this.targets.set(name, `127.0.0.1:${target.port}`);
      this.#cleanUp.push(() => void stopServer(target));
    }
  }
}

interface TargetServer {
  server: Server | ReturnType<typeof createWebServer>;
  port: number;
  open: Set<Socket>;
}

async function stopServer({ server, open }: TargetServer): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  for (const socket of open) socket.resetAndDestroy();
  await closed;
}

/** Ends it without a word and resolves when it is gone. */
export async function kill(hcm: HcmProcess): Promise<void> {
  process.kill(hcm.pid, 'SIGKILL');
  await hcm.exited;
  await hcm.stop();
}

export function footprintOf(pid: number): ProcessFootprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const fds = readdirSync(`/proc/${pid}/fd`);
  return { residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, fds: fds.length };
}

/** Seconds of CPU that the process has used. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  // utime and stime are fields 14 and 15 of proc(5); the first one here is field 3.
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function listenersOf(all: readonly ConnectionView[]): ConnectionView[] {
  return all.filter(({ role }) => role === 'listener');
}

/** How many are in which state, for messages. */
export function summary(all: readonly ConnectionView[]): string {
  const counts = new Map<string, number>();
  for (const { state, reason } of all) {
    const text = reason === undefined ? state : `${state} (${reason.code})`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => `${count} ${text}`).join(', ');
}

/** Sends, ends its direction, and resolves with the answer; rejects when the connection breaks. */
export async function askOnce(port: number, question: string | Buffer): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.end(question);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Says its name, then gives back what it gets. */
function echo(socket: Socket, name: string): void {
  socket.on('error', () => undefined);
  socket.write(`${name}: `);
  socket.pipe(socket);
}

async function listenOn(server: TargetServer['server'], port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name}-${at + 1}`);
}
