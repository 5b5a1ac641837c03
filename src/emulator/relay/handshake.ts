/**
 * A client's WebSocket handshake that has been read and not yet answered: what it asks for, from whom it comes, and
 * the two answers it can get. Owns the socket until one of them is given.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { RemoteEndpoint } from '../../protocol/control-messages.ts';
import { RELAY_HEADERS } from '../../protocol/headers.ts';
import { normalizeHost } from '../../protocol/relay-hosts.ts';
import { parseRelayRequest, type RelayRequestTarget } from '../../protocol/request-target.ts';
import { sanitizeReason, stripGateway, trackingId } from '../../protocol/tracking.ts';
import { formatAcceptance } from '../../websocket/handshake.ts';
import { formatHead, headerValues, type HttpHead, type RawHeaders } from '../../websocket/http-head.ts';

/** How long a refused client may take to read its answer and close, before it is cut, in ms. */
const LINGER_MS = 2_000;
/** All that a made-up environment has: one gateway. */
const GATEWAY = 0;

/** The authority that the client asked for, as it named it. */
export interface AskedHost {
  /** Lower-case, without `[]`. */
  readonly host: string;
  readonly port: number;
}

export class Handshake {
  readonly socket: Socket;
  /** Read behind the head. */
  readonly rest: Buffer;
  readonly method: string;
  readonly target: RelayRequestTarget;
  readonly rawHeaders: RawHeaders;
  readonly asked: AskedHost;
  /** The client's id or a new one, with our gateway. */
  readonly trackingId: string;
  #remote: RemoteEndpoint | undefined;

  constructor(socket: Socket, head: HttpHead, rest: Buffer) {
    const [method = '', target = ''] = head.startLine.split(' ');
    this.socket = socket;
    this.rest = rest;
    this.method = method;
    this.target = parseRelayRequest(target);
    this.rawHeaders = head.rawHeaders;
    this.asked = askedHost(this.header('Host'), () => socket.localPort);
    const { id = randomUUID(), action } = this.target;
    // The id in a rendezvous address is a secret as a whole, and the sender's up to the gateway.
    this.trackingId = trackingId(
      action === 'accept' || action === 'request' ? stripGateway(id) : id,
      GATEWAY,
    );
  }

  /** The first value of a header. */
  header(name: string): string | undefined {
    return headerValues(this.rawHeaders, name)[0];
  }

  /** Asked of the system when somebody wants to know, while the socket is open. */
  get remote(): RemoteEndpoint {
    return (this.#remote ??= remoteOf(this.socket));
  }

  get from(): string {
    return `${this.remote.address}:${this.remote.port}`;
  }

  /** Answers 101; the socket is the caller's from here on. */
  accept(dateMs: number, protocol?: string): void {
    const headers = this.#commonHeaders(dateMs);
    this.socket.write(formatAcceptance(this.rawHeaders, { protocol, headers }), 'latin1');
  }

  /** Answers an error and closes. The explanation is the reason phrase; there is no body. */
  refuse(dateMs: number, status: number, reason: string): void {
    if (this.socket.destroyed) return;
    const head = formatHead(`HTTP/1.1 ${status} ${sanitizeReason(reason)}`, [
      ...this.#commonHeaders(dateMs),
      ...['Content-Length', '0', 'Connection', 'close'],
      // RFC 6455, 4.4: the version that would do.
      ...(status === 426 ? ['Upgrade', 'websocket', 'Sec-WebSocket-Version', '13'] : []),
    ]);
    endWith(this.socket, head);
  }

  #commonHeaders(dateMs: number): string[] {
    // A client's id may hold anything, percent-decoded.
    const id = this.trackingId.replace(/[^\x21-\x7e]/g, '?').slice(0, 256);
    return ['Date', new Date(dateMs).toUTCString(), RELAY_HEADERS.trackingId, id];
  }
}

/**
 * Writes the last words on a socket. Closing at once would reset the connection where the client has sent more than
 * was read, and the words would be lost: the client's own end is awaited, for a while.
 */
export function endWith(socket: Socket, text: string): void {
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
  socket.end(text, 'latin1');
  socket.resume();
}

/** Reads a Host header; a client that leaves the port out means the port it reached. */
export function askedHost(header: string | undefined, localPort: () => number | undefined): AskedHost {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(header?.trim() ?? '');
  const host = normalizeHost(match?.[1] ?? '');
  // The host becomes part of URLs and phrases: nothing but names and addresses.
  const usable = /^[0-9a-z._:-]+$/.test(host) ? host : 'localhost';
  return { host: usable, port: Number(match?.[2] ?? localPort() ?? 0) };
}

/** The client's address as the relay sees it. */
export function remoteOf(socket: Socket): RemoteEndpoint {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/i, '');
  return { address, port: socket.remotePort ?? 0 };
}
