/** The whole path in one process: emulator, listeners, senders, targets. `stop` ends all of it. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createCa } from '../../src/emulator/ca.ts';
import type { CertifiedKey } from '../../src/emulator/certified-key.ts';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/create-emulator.ts';
import { resolveConnection } from '../../src/protocol/connection-string.ts';
import type { Target } from '../../src/protocol/target.ts';
import { systemClock, type Clock } from '../../src/tunnel/clock.ts';
import { HybridConnectionListener } from '../../src/tunnel/listener.ts';
import { startLocalPort } from '../../src/tunnel/local-port.ts';
import type { ListenerOptions, SenderOptions } from '../../src/tunnel/options.ts';
import { Sender } from '../../src/tunnel/sender.ts';
import { sasKeyTokens } from '../../src/tunnel/token-provider.ts';
import { confirmEnd, keepOpenAtEnd } from '../../src/tunnel/true-end.ts';
import { ENTITY, EventLog, type ListenerConnection } from './tunnel.ts';
import { until } from './until.ts';

/** What clients need to know of a relay, be it here or in another process. */
export type RelayFacts = Pick<Emulator, 'caPem' | 'connections'>;

export class TunnelBed {
  readonly #relay: RelayFacts;
  readonly #emulator: Emulator | undefined;
  /** Signs for another emulator that takes the place of this one. */
  readonly ca: CertifiedKey | undefined;
  /** Events of all listeners and all senders. */
  readonly heard = new EventLog();
  readonly sent = new EventLog();
  readonly #cleanUp: (() => Promise<unknown> | void)[] = [];

  static async start(options: EmulatorOptions = {}): Promise<TunnelBed> {
    const ca = await createCa();
    const emulator = await createEmulator({ connections: [{ name: ENTITY }], ca, ...options });
    return new TunnelBed(emulator, emulator, ca);
  }

  /** Over a relay in another process. */
  static over(relay: RelayFacts): TunnelBed {
    return new TunnelBed(relay);
  }

  private constructor(relay: RelayFacts, emulator?: Emulator, ca?: CertifiedKey) {
    this.#relay = relay;
    this.#emulator = emulator;
    this.ca = ca;
  }

  get emulator(): Emulator {
    if (!this.#emulator) throw new Error('the relay is in another process');
    return this.#emulator;
  }

  /** What the listener's or the sender's connection string says. */
  connection(
    role: 'listener' | 'sender',
    options: { name?: string; clock?: Clock; lifetimeMs?: number } = {},
  ): ListenerConnection {
    const { name = ENTITY, clock = systemClock, lifetimeMs } = options;
    const found = this.#relay.connections.find((connection) => connection.name === name);
    if (!found) throw new Error(`the emulator has no ${name}`);
    const text = role === 'listener' ? found.listenerConnectionString : found.senderConnectionString;
    const { endpoint, path, credential } = resolveConnection({ connectionString: text });
    if (credential.kind !== 'key') throw new Error('the connection string has no key');
    return { endpoint, path, tokens: sasKeyTokens(credential, clock, lifetimeMs) };
  }

  /** Not started. */
  listener(
    options: ListenerOptions = {},
    connection = this.connection('listener'),
  ): HybridConnectionListener {
    const { caPem } = this.#relay;
    const onEvent = this.heard.record;
    const listener = new HybridConnectionListener(connection, { loopbackCa: caPem, onEvent, ...options });
    this.onStop(() => listener.stop({ graceMs: 0 }));
    return listener;
  }

  async onlineListener(options: ListenerOptions, connection?: ListenerConnection) {
    const listener = this.listener(options, connection);
    listener.start();
    await listener.online();
    return listener;
  }

  sender(options: SenderOptions = {}, connection = this.connection('sender')): Sender {
    return new Sender(connection, { loopbackCa: this.#relay.caPem, onEvent: this.sent.record, ...options });
  }

  /** A TCP server; its sockets allow half-open use. */
  async target(serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<Target> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
      serve(socket);
    });
    server.listen(0, host);
    await once(server, 'listening');
    this.onStop(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return { host, port: (server.address() as AddressInfo).port };
  }

  /** The port number of a local port that leads to the connection. */
  async localPort(sender = this.sender()): Promise<number> {
    const port = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, sender);
    this.onStop(() => port.stop({ graceMs: 0 }));
    return Number(port.bind.split(':').at(-1));
  }

  onStop(act: () => Promise<unknown> | void): void {
    this.#cleanUp.push(act);
  }

  async stop(): Promise<void> {
    for (const act of this.#cleanUp.reverse()) await act();
    await this.#emulator?.stop();
  }
}

/** A TCP client that has connected; it allows half-open use, and its errors are recorded by `outcomeOf` alone. */
export async function tcpClient(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** All bytes up to the end. Unlike node:stream/consumers it leaves a Duplex open for writing. */
export function readAll(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => resolve(Buffer.concat(chunks))).once('error', reject);
    stream.once('close', () => reject(new Error('closed without an end')));
  });
}

export interface Outcome {
  bytes: Buffer;
  ended: boolean;
  error: Error | undefined;
}

/**
 * Reads to the end or the error; resolves when the socket is closed or, with `ended`, at the peer's end. Node alone
 * would call many a reset an end: see src/tunnel/true-end.ts.
 */
export function outcomeOf(socket: Socket): Outcome & { over: Promise<Outcome> } {
  const chunks: Buffer[] = [];
  const outcome: Outcome = { bytes: Buffer.alloc(0), ended: false, error: undefined };
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const over = new Promise<Outcome>((resolve) => {
    const finish = () => {
      outcome.bytes = Buffer.concat(chunks);
      resolve(outcome);
    };
    keepOpenAtEnd(socket);
    const onTrueEnd = () => {
      outcome.ended = true;
      finish();
      if (socket.writableFinished) socket.destroy();
      else socket.once('finish', () => socket.destroy());
    };
    socket.once('end', () => confirmEnd(socket, onTrueEnd));
    socket.once('error', (error: Error) => {
      outcome.error = error;
      finish();
    });
    socket.once('close', finish);
  });
  return Object.assign(outcome, { over });
}

/** Waits for what a listener and a sender report when all streams are over. */
export function untilClosed(log: EventLog, count = 1): Promise<void> {
  return until(() => log.of('closed').length >= count, `${count} closed events`);
}
