/**
 * Our own path. TLS: the real program, `hcm emulator start`, `hcm listen`, `hcm forward`, as a user types them.
 * Plain: the library in three small entry files (bench/ours), since `hcm` itself speaks nothing but TLS to a relay;
 * under TLS, too, with HCM_BENCH_OURS=library or when the program is not built.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnReady, type Child, type Line } from './children.ts';
import type { ClientConfig, ListenerConfig, RelayConfig, RelayReady } from './ours/entry.ts';
import { Chain, portOf, type Role } from './peers/chain.ts';
import type { PathOptions, Peer, RunningPath } from './peers/peer.ts';
import { checkoutDir, scratchDir } from './places.ts';

const entityName = 'bench';
export const programFile = join(checkoutDir, 'bin', 'run.js');

/** The raw dialect: what works with any Azure Relay client at the other end. */
export const ours: Peer = {
  name: 'ours',
  legs: ['plain', 'tls'],
  available: () =>
    Promise.resolve(
      existsSync(join(checkoutDir, 'src', 'index.ts')) ? undefined : 'src/index.ts is not there yet',
    ),
  start: (options) =>
    options.tls && whyLibrary() === undefined ? startProgram(options) : startLibrary(options, 'raw'),
};

/** Our own dialect between two hcm (multiplexed or from a warm pool). */
export const oursNative: Peer = {
  name: 'ours-native',
  legs: ['plain', 'tls'],
  available: () => Promise.resolve('the native dialect is not built yet (a later issue)'),
  start: (options) => startLibrary(options, 'native'),
};

/** Why the library stands for the program under TLS; undefined when the program is measured. */
export function whyLibrary(): string | undefined {
  if (process.env['HCM_BENCH_OURS'] === 'library') return 'HCM_BENCH_OURS=library';
  const built = (command: string) => existsSync(join(checkoutDir, 'dist', 'commands', `${command}.js`));
  return ['emulator/start', 'listen', 'forward'].every(built) ? undefined : 'its commands are not built';
}

function startProgram({ targetPort }: PathOptions): Promise<RunningPath> {
  const target = `127.0.0.1:${targetPort}`;
  const fileOf = (name: string, connectionString: string) => {
    const file = join(scratchDir('ours'), name);
    writeFileSync(file, connectionString, { mode: 0o600 });
    return file;
  };
  return Chain.build(async (chain) => {
    const hcm = async (role: Role, event: string, args: string[]) => {
      const isReady = (line: Line) => line['event'] === event;
      const argv = [programFile, ...args, '--json'];
      return chain.add(role, await spawnReady(process.execPath, argv, { isReady }));
    };
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

function startLibrary(options: PathOptions, dialect: ClientConfig['dialect']): Promise<RunningPath> {
  return Chain.build(async (chain) => {
    const relay = await startLibraryRelay(chain, options);
    const listener: ListenerConfig = {
      tls: options.tls,
      caPem: relay.caPem,
      connectionString: relay.listenerConnectionString,
      dialect,
      target: { host: '127.0.0.1', port: options.targetPort },
    };
    await chain.node('listener', 'ours/listener.ts', listener);
    return portOf(await startLibrarySender(chain, relay, options, dialect));
  });
}

/** Our relay alone, for peers that bring the other ends. */
export async function startLibraryRelay(
  chain: Chain,
  { tls, targetPort, addressScheme }: PathOptions & Pick<RelayConfig, 'addressScheme'>,
): Promise<RelayReady> {
  const target = { host: '127.0.0.1', port: targetPort };
  const config: RelayConfig = { tls, entityName, target, ...(addressScheme && { addressScheme }) };
  return (await chain.node('relay', 'ours/relay.ts', config)).ready as unknown as RelayReady;
}

/** Our sender alone; its ready line has the entry port. */
export function startLibrarySender(
  chain: Chain,
  { caPem, senderConnectionString }: RelayReady,
  { tls }: PathOptions,
  dialect: ClientConfig['dialect'] = 'raw',
): Promise<Child> {
  const config: ClientConfig = { tls, caPem, connectionString: senderConnectionString, dialect };
  return chain.node('sender', 'ours/sender.ts', config);
}
