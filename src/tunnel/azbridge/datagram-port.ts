/**
 * A local UDP port that leads to a logical port of an azbridge listener. Each client address has a stream of its own,
 * a route, opened by its first datagram and over when it is idle; so answers find their way back.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { checkPortName } from '../../protocol/azbridge.ts';
import { formatBind, formatTarget, type Bind } from '../../protocol/target.ts';
import { Cancellation } from '../../websocket/cancel-signal.ts';
import { asHcmError } from '../emitter.ts';
import type { DropReason } from '../events.ts';
import { bindError, type LocalPort } from '../local-port.ts';
import type { Sender } from '../sender.ts';
import { StreamSet, type LiveStream } from '../stream-set.ts';
import { DatagramEnd } from './datagram-end.ts';
import { dropTeller, sendDatagram } from './datagram-socket.ts';
import { openLogicalPort } from './logical-port.ts';

const DRAIN_MS = 10_000;
const ROUTES_MAX = 1_000;
/** A client whose stream was refused is not tried again for this long, however much it sends. */
const REFUSED_PAUSE_MS = 1_000;

export type DatagramBind = Extract<Bind, { kind: 'udp' }>;

export interface DatagramPortOptions {
  /** The logical port: 1 to 255 bytes of UTF-8. */
  name: string;
  /** Clients at a time; datagrams of others are dropped. Default 1,000. */
  maxRoutes?: number | undefined;
}

/**
 * Binds and begins to take datagrams. Rejects with HcmError HCM_PORT_IN_USE, HCM_BIND_FAILED or HCM_NAME_INVALID. A stop
 * ends all routes at once.
 */
export async function startDatagramPort(
  bind: DatagramBind,
  sender: Sender,
  options: DatagramPortOptions,
): Promise<LocalPort> {
  checkPortName(options.name);
  const socket = createSocket(isIPv6(bind.host) ? 'udp6' : 'udp4');
  try {
    socket.bind({ address: bind.host, port: bind.port, exclusive: true });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw bindError(error as Error, bind);
  }
  return new BoundDatagramPort(socket, bind, sender, options);
}

class BoundDatagramPort implements LocalPort {
  readonly bind: string;
  readonly #socket: Socket;
  readonly #sender: Sender;
  readonly #options: DatagramPortOptions;
  readonly #streams: StreamSet;
  /** By the client's address. */
  readonly #routes = new Map<string, DatagramEnd>();
  /** Clients that wait for their next attempt; what takes the wait back. */
  readonly #refused = new Map<string, () => void>();
  readonly #opening = new Set<Promise<void>>();
  readonly #cutting = new Cancellation();
  readonly #tellDropped: (reason: DropReason) => void;
  #stopping = false;
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, bind: DatagramBind, sender: Sender, options: DatagramPortOptions) {
    this.#socket = socket;
    this.#sender = sender;
    this.#options = options;
    this.#streams = new StreamSet(sender.clock, sender.emit, sender.options);
    this.#tellDropped = dropTeller(sender.emit, { port: options.name });
    this.bind = formatBind({ ...bind, port: socket.address().port });
    socket.on('message', (payload, client) => this.#onDatagram(payload, client));
    // What ICMP says about one client is no matter of the others.
    socket.on('error', () => undefined);
  }

  get streams(): readonly LiveStream[] {
    return this.#streams.live;
  }

  async stop({ graceMs = DRAIN_MS } = {}): Promise<void> {
    this.#stopping = true;
    for (const cancel of this.#refused.values()) cancel();
    this.#refused.clear();
    await this.#streams.drain(graceMs, this.#opening, this.#cutting);
    this.#closing ??= new Promise((resolve) => this.#socket.close(resolve));
    await this.#closing;
  }

  #onDatagram(payload: Buffer, client: RemoteInfo): void {
    const remote = formatTarget({ host: client.address, port: client.port });
    if (this.#stopping || this.#refused.has(remote)) return;
    const route = this.#routes.get(remote) ?? this.#newRoute(client, remote);
    if (route) route.receive(payload);
    else this.#tellDropped('too-many-routes');
  }

  #newRoute(client: RemoteInfo, remote: string): DatagramEnd | undefined {
    const { name, maxRoutes = ROUTES_MAX } = this.#options;
    if (this.#routes.size + this.#refused.size >= maxRoutes) return undefined;
    const stream = randomUUID();
    const { clock, emit, options } = this.#sender;
    const onDropped = dropTeller(emit, { port: name, stream });
    const { address, port } = client;
    const route = new DatagramEnd({
      clock,
      idleMs: options.datagramIdleTimeoutMs,
      send: (payload) => sendDatagram(this.#socket, payload, onDropped, { address, port }),
      close: () => this.#routes.delete(remote),
      onDropped,
    });
    this.#routes.set(remote, route);
    const serving = this.#serve(route, stream, remote).finally(() => this.#opening.delete(serving));
    this.#opening.add(serving);
    return route;
  }

  async #serve(route: DatagramEnd, stream: string, remote: string): Promise<void> {
    const { clock, emit } = this.#sender;
    const { name } = this.#options;
    const startedMs = clock.monotonicMs();
    emit({ event: 'opening', stream, remote });
    try {
      const signal = this.#cutting;
      const { webSocket, relay, port } = await openLogicalPort(this.#sender, {
        name,
        mode: 'datagram',
        stream,
        signal,
      });
      relay.limitClosing(clock);
      emit({ event: 'opened', stream, port, setupMs: Math.round(clock.monotonicMs() - startedMs) });
      void this.#streams.add(stream, route, relay, webSocket);
    } catch (error) {
      const failure = asHcmError(error);
      route.reset(failure);
      emit({ event: 'refused', stream, error: failure });
      if (!this.#stopping)
        this.#refused.set(
          remote,
          clock.setTimer(REFUSED_PAUSE_MS, () => this.#refused.delete(remote)),
        );
    }
  }
}
