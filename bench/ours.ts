/**
 * Our own path. TLS: the real program, `hcm emulator start`, `hcm listen`, `hcm forward`, as a user types them.
 * Plain: the library in three small entry files (bench/ours), since `hcm` itself speaks nothing but TLS to a relay;
 * `HCM_BENCH_OURS=library` takes them for TLS, too. The two are compared with peers that have the same legs.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnReady, type ChildOptions, type Line } from './children.ts';
import type { ListenerConfig, RelayConfig, RelayReady, SenderConfig } from './ours/entry.ts';
import { Chain, portOf, type Role } from './peers/chain.ts';
import type { PathOptions, Peer, RunningPath } from './peers/peer.ts';
import { checkoutDir, scratchDir } from './places.ts';

export const entityName = 'bench';
export const programFile = join(checkoutDir, 'bin', 'run.js');

/** The raw dialect: what works with any Azure Relay client at the other end. */
export const ours: Peer = {
  name: 'ours',
  legs: ['plain', 'tls'],
  available: () => Promise.resolve(missing()),
  start: (options) => (usesProgram(options) ? startProgram(options) : startLibrary(options, 'raw')),
};

/** Our own dialect between two hcm (multiplexed or from a warm pool). */
export const oursNative: Peer = {
  name: 'ours-native',
  legs: ['plain', 'tls'],
  available: () => Promise.resolve('the native dialect is not built yet (a later issue)'),
  start: (options) => startLibrary(options, 'native'),
};

function missing(): string | undefined {
  if (!existsSync(join(checkoutDir, 'src', 'index.ts'))) return 'src/index.ts is not there yet';
  if (!existsSync(join(checkoutDir, 'dist', 'index.js'))) return 'dist is missing (npm run build)';
  return undefined;
}

function usesProgram({ tls }: PathOptions): boolean {
  return tls && process.env['HCM_BENCH_OURS'] !== 'library';
}

/** Starts one `hcm` command and waits for the event that says it is useful. */
export function spawnHcm(args: string[], event: string, options: ChildOptions = {}) {
  const isReady = (line: Line) => line['event'] === event;
  return spawnReady(process.execPath, [programFile, ...args, '--json'], { ...options, isReady });
}

function startProgram({ targetPort }: PathOptions): Promise<RunningPath> {
  const target = `127.0.0.1:${targetPort}`;
  const dir = scratchDir('ours');
  const fileOf = (name: string, connectionString: string) => {
    const file = join(dir, name);
    writeFileSync(file, connectionString, { mode: 0o600 });
    return file;
  };
  return Chain.build(async (chain) => {
    const hcm = async (role: Role, event: string, args: string[]) =>
      chain.add(role, await spawnHcm(args, event));
    const emulator = ['emulator', 'start', '--port', '0', '--ephemeral'];
    const relay = await hcm('relay', 'ready', [...emulator, '--connection', `${entityName}=${target}`]);
    const [keys] = relay.ready['connections'] as [Record<string, string>];
    const listenerFile = fileOf('listener', keys['listenerConnectionString'] ?? '');
    const senderFile = fileOf('sender', keys['senderConnectionString'] ?? '');
    const listen = ['listen', entityName, '--connection-string-file', listenerFile, '--target', target];
    await hcm('listener', 'online', listen);
    const forward = ['forward', entityName, '--connection-string-file', senderFile, '--bind', '127.0.0.1:0'];
    const sender = await hcm('sender', 'ready', forward);
    return Number(String(sender.ready['bind']).split(':').at(-1));
  });
}

function startLibrary({ tls, targetPort }: PathOptions, dialect: 'raw' | 'native'): Promise<RunningPath> {
  return Chain.build(async (chain) => {
    const target = { host: '127.0.0.1', port: targetPort };
    const relayConfig: RelayConfig = { tls, entityName, target };
    const relay = await chain.node('relay', 'ours/relay.ts', relayConfig);
    const { port, caPem, listenerConnectionString, senderConnectionString } =
      relay.ready as unknown as RelayReady;
    const common = { tls, relayPort: port, entityName, dialect, ...(caPem && { caPem }) };
    const listener: ListenerConfig = { ...common, connectionString: listenerConnectionString, target };
    await chain.node('listener', 'ours/listener.ts', listener);
    const sender: SenderConfig = { ...common, connectionString: senderConnectionString };
    return portOf(await chain.node('sender', 'ours/sender.ts', sender));
  });
}
