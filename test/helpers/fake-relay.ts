/** A relay in a few lines, plain TCP on loopback: the test sees each handshake and answers it itself. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../src/protocol/addresses.ts';
import { formatAcceptance, readHead } from '../../src/websocket/handshake.ts';
import { formatHead, headerValues, type HttpHead } from '../../src/websocket/http-head.ts';
import { WebSocket } from '../../src/websocket/websocket.ts';
import { until } from './until.ts';

export class FakeRelay {
  readonly endpoint: Endpoint;
  /** All handshakes so far, in order. */
  readonly requests: RelayRequest[] = [];
  /** Every connection, also those that have asked for nothing yet. */
  readonly sockets = new Set<Socket>();
  /** How many connections there were in all. */
  connections = 0;
  readonly #server: Server;
  readonly #seen = new Set<RelayRequest>();

  static async start(): Promise<FakeRelay> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeRelay(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.endpoint = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    server.on('connection', (socket) => void this.#onConnection(socket).catch(() => socket.destroy()));
  }

  /** The next handshake of this action that was not handed out yet. */
  async next(action: string): Promise<RelayRequest> {
    const find = () => this.requests.find((request) => request.action === action && !this.#seen.has(request));
    await until(() => find() !== undefined, `a handshake to ${action}`);
    const found = find() as RelayRequest;
    this.#seen.add(found);
    return found;
  }

  /** The accept message for a rendezvous here. */
  acceptMessage(id: string, headers: Record<string, string> = {}): Buffer {
    const { host, port } = this.endpoint;
    const address = `wss://${host}:${port}/$hc/hyco?sb-hc-action=accept&sb-hc-id=${id}`;
    const remoteEndpoint = { address: '203.0.113.9', port: 62917 };
    return Buffer.from(JSON.stringify({ accept: { address, id, connectHeaders: headers, remoteEndpoint } }));
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #onConnection(socket: Socket): Promise<void> {
    this.connections += 1;
    this.sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket));
    socket.setNoDelay(true);
    const { head, rest } = await readHead(socket);
    this.requests.push(new RelayRequest(socket, head, rest));
  }
}

export class RelayRequest {
  readonly socket: Socket;
  readonly url: URL;
  readonly action: string;
  readonly #head: HttpHead;
  readonly #rest: Buffer;

  constructor(socket: Socket, head: HttpHead, rest: Buffer) {
    this.socket = socket;
    this.#head = head;
    this.#rest = rest;
    this.url = new URL(head.startLine.split(' ')[1] ?? '', 'wss://relay');
    this.action = this.url.searchParams.get('sb-hc-action') ?? 'read';
  }

  header(name: string): string | undefined {
    return headerValues(this.#head.rawHeaders, name)[0];
  }

  accept(options: { protocol?: string; date?: Date } = {}): Peer {
    const headers = options.date ? ['Date', options.date.toUTCString()] : [];
    const { protocol } = options;
    this.socket.write(formatAcceptance(this.#head.rawHeaders, { protocol, headers }), 'latin1');
    return new Peer(this.socket, this.#rest);
  }

  refuse(status: number, reason: string, headers: readonly string[] = []): void {
    this.socket.end(
      formatHead(`HTTP/1.1 ${status} ${reason}`, ['Content-Length', '0', ...headers]),
      'latin1',
    );
  }

  /** Answers with a body, as the read of an entity wants it. */
  answer(contentType: string, body: string): void {
    const length = String(Buffer.byteLength(body));
    const head = formatHead('HTTP/1.1 200 OK', ['Content-Type', contentType, 'Content-Length', length]);
    this.socket.end(head + body);
  }
}

export interface PeerMessage {
  kind: 'text' | 'binary';
  bytes: Buffer;
  frames: number;
}

/** The relay's end of a WebSocket; it records what comes. Closes are answered by the test. */
export class Peer {
  readonly webSocket: WebSocket;
  readonly texts: string[] = [];
  /** Whole messages, in order. */
  readonly messages: PeerMessage[] = [];
  readonly #bytes: Buffer[] = [];
  closed: { code: number | undefined; reason: string } | undefined;
  /** Set when the connection is over; `error` undefined after both Closes. */
  over: { error: Error | undefined } | undefined;

  constructor(socket: Socket, head: Buffer) {
    this.webSocket = new WebSocket(socket, { role: 'server', head });
    let parts: Buffer[] = [];
    this.webSocket.start({
      onFragment: (payload, opcode, first, last) => {
        if (opcode === 1) this.texts.push(payload.toString());
        else this.#bytes.push(Buffer.from(payload));
        if (first) parts = [];
        parts.push(Buffer.from(payload));
        const kind = opcode === 1 ? 'text' : 'binary';
        if (last) this.messages.push({ kind, bytes: Buffer.concat(parts), frames: parts.length });
      },
      onClose: (code, reason) => (this.closed = { code, reason }),
      onDrain: () => undefined,
      onEnd: (error) => (this.over = { error }),
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#bytes);
  }
}
