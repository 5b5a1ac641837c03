/** A local port (or Unix socket) whose connections become streams of a hybrid connection. */
import { randomUUID } from 'node:crypto';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { HcmError } from '../protocol/errors.ts';
import { formatBind, UNIX_PATH_MAX_BYTES, type Bind, type StreamBind } from '../protocol/target.ts';
import { asHcmError } from './emitter.ts';
import { nodeCode } from './network-errors.ts';
import type { OpenStream, Sender } from './sender.ts';
import { SocketEnd } from './socket-end.ts';
import { StreamSet, type LiveStream } from './stream-set.ts';
import { WebSocketEnd } from './websocket-end.ts';
import { Cancellation, type CancelSignal } from '../websocket/cancel-signal.ts';

const DRAIN_MS = 10_000;

export interface LocalPort {
  /** As bound: `127.0.0.1:40123`, `[::1]:40123`, or `unix:/run/db.sock`. */
  readonly bind: string;
  /** What the open streams have carried so far. */
  readonly streams: readonly LiveStream[];
  /** Takes no new clients, lets open streams finish for up to `graceMs`, then aborts them. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

/** How the stream of one client is made. */
export type OpenHook = (options: {
  stream: string;
  signal?: CancelSignal | undefined;
}) => Promise<OpenStream>;

export interface LocalPortOptions {
  /** Default: `sender.open`. With `openLogicalPort` the port leads to one logical port of an azbridge listener. */
  open?: OpenHook | undefined;
}

/**
 * Binds and begins to accept; a client's stream is opened when it connects, and the client is reset when that fails.
 * Rejects with HcmError HCM_PORT_IN_USE or HCM_BIND_FAILED.
 */
export async function startLocalPort(
  bind: StreamBind,
  sender: Sender,
  { open = (options) => sender.open(options) }: LocalPortOptions = {},
): Promise<LocalPort> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  await listen(server, bind);
  return new BoundPort(server, bind, sender, open);
}

class BoundPort implements LocalPort {
  readonly bind: string;
  readonly #server: Server;
  readonly #sender: Sender;
  readonly #open: OpenHook;
  readonly #streams: StreamSet;
  readonly #opening = new Set<Promise<void>>();
  readonly #cutting = new Cancellation();

  constructor(server: Server, bind: StreamBind, sender: Sender, open: OpenHook) {
    this.#server = server;
    this.#sender = sender;
    this.#open = open;
    this.#streams = new StreamSet(sender.clock, sender.emit, sender.options);
    const port = bind.kind === 'tcp' ? (server.address() as AddressInfo).port : 0;
    this.bind = formatBind(bind.kind === 'tcp' ? { ...bind, port } : bind);
    server.on('connection', (socket) => this.#onClient(socket));
  }

  get streams(): readonly LiveStream[] {
    return this.#streams.live;
  }

  async stop({ graceMs = DRAIN_MS } = {}): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await this.#streams.drain(graceMs, this.#opening, this.#cutting);
    await closed;
  }

  #onClient(socket: Socket): void {
    // Until the forwarder takes it, an error of the client has nobody else to hear it.
    socket.on('error', ignore);
    const serving = this.#serve(socket).finally(() => this.#opening.delete(serving));
    this.#opening.add(serving);
  }

  async #serve(socket: Socket): Promise<void> {
    const stream = randomUUID();
    const startedMs = this.#sender.clock.monotonicMs();
    const remote =
      socket.remoteAddress === undefined ? undefined : `${socket.remoteAddress}:${socket.remotePort}`;
    this.#sender.emit({ event: 'opening', stream, remote });
    const local = new SocketEnd(socket);
    try {
      const opened = await this.#open({ stream, signal: this.#cutting });
      const { webSocket, port, relay = new WebSocketEnd(webSocket) } = opened;
      const setupMs = Math.round(this.#sender.clock.monotonicMs() - startedMs);
      this.#sender.emit({ event: 'opened', stream, port, setupMs });
      void this.#streams.add(stream, local, relay, webSocket);
    } catch (error) {
      local.reset(asHcmError(error));
      this.#sender.emit({ event: 'refused', stream, error: asHcmError(error) });
    }
  }
}

function ignore(): void {}

/** Binds a server. Rejects with HcmError HCM_PORT_IN_USE or HCM_BIND_FAILED; the server is closed then. */
export async function listen(server: Server, bind: StreamBind): Promise<void> {
  try {
    if (bind.kind === 'tcp') await tryListen(server, { host: bind.host, port: bind.port });
    else await listenOnPath(server, bind.path);
  } catch (error) {
    server.close();
    throw bindError(error as Error, bind);
  }
}

async function listenOnPath(server: Server, path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > UNIX_PATH_MAX_BYTES)
    throw new Error(`its path has ${bytes} bytes, and ${UNIX_PATH_MAX_BYTES} are possible`);
  await tryListen(server, { path }).catch(async (error: Error) => {
    if (!(await removeStale(path))) throw error;
    return tryListen(server, { path });
  });
  // Whoever may write to the socket reaches the target: nobody but its owner, unless the owner says otherwise.
  await chmod(path, 0o600);
}

function tryListen(
  server: Server,
  options: { host: string; port: number } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Removes a socket file that a dead process left: nobody answers on it. Anything else stays. */
async function removeStale(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSocket()) return false;
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe
      .once('connect', () => resolve(false))
      .once('error', (error) => resolve(nodeCode(error) === 'ECONNREFUSED'));
    probe.once('connect', () => probe.destroy());
  });
  return (
    refused &&
    unlink(path).then(
      () => true,
      () => false,
    )
  );
}

/** The error of a local address that cannot be bound. */
export function bindError(error: Error, bind: Bind): HcmError {
  const name = formatBind(bind);
  const seen = nodeCode(error);
  const details = { bind: name, seen };
  if (seen === 'EADDRINUSE')
    return new HcmError('HCM_PORT_IN_USE', `${name} is in use already`, { details, cause: error });
  return new HcmError('HCM_BIND_FAILED', `${name} could not be bound: ${error.message}`, {
    details,
    cause: error,
  });
}
