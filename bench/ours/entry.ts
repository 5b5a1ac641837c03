/**
 * The contract of bench/ours: what each entry file is told (JSON in argv[2]) and what it answers (one JSON line).
 * SIGTERM ends it. An entry file knows the library and nothing else of the benchmark.
 */
import {
  resolveConnection,
  sasKeyTokens,
  systemClock,
  type Connection,
  type TunnelEvent,
  type TunnelOptions,
} from '../../src/index.ts';

export interface Address {
  host: string;
  port: number;
}

/** relay.ts: `createEmulator` with one connection; answers {"ready":true, ...RelayReady}. */
export interface RelayConfig {
  /** False: the relay's port speaks plain TCP; for figures only. */
  tls: boolean;
  entityName: string;
  target: Address;
  /** Scheme of rendezvous addresses for clients that take them to the letter (hyco-ws); `wss` by default. */
  addressScheme?: 'ws' | 'wss';
}

export interface RelayReady {
  port: number;
  /** The CA that the clients must trust; '' without TLS. */
  caPem: string;
  listenerConnectionString: string;
  senderConnectionString: string;
}

/** sender.ts: a local port on 127.0.0.1, chosen by itself; answers {"ready":true,"port":N}. */
export interface ClientConfig {
  tls: boolean;
  connectionString: string;
  caPem: string;
  /** Raw: one rendezvous a stream, as any Azure Relay client; native: whatever two hcm do between themselves. */
  dialect: 'raw' | 'native';
}

/** listener.ts: answers {"ready":true} when it is registered at the relay (`online`). */
export interface ListenerConfig extends ClientConfig {
  /** For streams. */
  target?: Address;
  /** For relayed HTTP requests: a server, or a module that exports `handle`, as node:http wants it. */
  http?: Address;
  handler?: string;
}

/** emulator-start.ts: answers {"ready":true,"ms":N}. */
export interface EmulatorStartConfig {
  /** The library as it is shipped: it loads parts of itself when they are needed. */
  library: string;
}

export function readConfig<T>(): T {
  process.on('SIGTERM', () => process.exit(0));
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

export function sayReady(more: object = {}): void {
  process.stdout.write(`${JSON.stringify({ ready: true, ...more })}\n`);
}

/** The first thing both clients hand to the library; `optionsOf` is the second. */
export function connectionOf({ connectionString }: ClientConfig): Connection {
  const { endpoint, path, credential } = resolveConnection({ connectionString });
  if (credential.kind !== 'key') throw new Error('the emulator gave no key');
  return { endpoint, path, tokens: sasKeyTokens(credential, systemClock) };
}

export function optionsOf({ tls, caPem }: ClientConfig): TunnelOptions {
  return { ...(tls ? { loopbackCa: caPem } : { insecureLoopback: true }), onEvent: tellTrouble };
}

/** To stderr, whose end the benchmark repeats when a path fails. */
function tellTrouble(event: TunnelEvent): void {
  if ('error' in event && event.error) process.stderr.write(`${event.event}: ${event.error.message}\n`);
}
