/**
 * The one port: does TLS, reads the head of the first request of each connection, and decides who serves it.
 * WebSocket handshakes go straight to the relay (node:http would cost them half as much again); everything else
 * goes to the HTTP server, which never listens itself.
 */
import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { asksForWebSocket, readHead } from '../../websocket/handshake.ts';
import { formatHead, type HttpHead, type RawHeaders } from '../../websocket/http-head.ts';
import type { CertifiedKey } from '../certified-key.ts';
import { endWith, Handshake } from '../relay/handshake.ts';
import { becomesWebSocket } from './http-door.ts';
import { Sockets } from './sockets.ts';

export interface FrontDoorOptions {
  /** Undefined: plain TCP. */
  readonly certificate: CertifiedKey | undefined;
  readonly minTlsVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxTlsVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly handshakeTimeoutMs: number;
  readonly http: HttpServer;
  readonly onWebSocket: (handshake: Handshake) => void;
  /** True: connections are taken and left lying. */
  readonly ignores: () => boolean;
}

/** P-384 first, as at Azure; a TLS 1.3 client that has sent a share for another of these is not asked again for it. */
const CURVES = 'P-384:X25519:P-256';

export class FrontDoor {
  readonly sockets: Sockets;
  readonly #options: FrontDoorOptions;
  readonly #tls: TlsServer | undefined;

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.#tls = options.certificate && this.#createTls(options.certificate);
    this.sockets = new Sockets((socket) => this.#enter(socket));
    // A kept-alive HTTP connection may still become a WebSocket.
    options.http.on('upgrade', (request, socket, rest) => {
      const startLine = `${request.method} ${request.url} HTTP/1.1`;
      const head: HttpHead = { startLine, rawHeaders: request.rawHeaders, bytes: 0 };
      if (!becomesWebSocket(request)) return this.#handToHttp(socket as Socket, head, rest);
      (socket as Socket).setTimeout(0).pause();
      this.#serve(socket as Socket, head, rest);
    });
  }

  #enter(socket: Socket): void {
    if (this.#options.ignores()) return void socket.pause();
    if (this.#tls === undefined) void this.#read(socket);
    else this.#tls.emit('connection', socket);
  }

  #createTls({ certPem, keyPem }: CertifiedKey): TlsServer {
    const server = createTlsServer({
      cert: certPem,
      key: keyPem,
      ecdhCurve: CURVES,
      minVersion: this.#options.minTlsVersion ?? 'TLSv1.2',
      maxVersion: this.#options.maxTlsVersion ?? 'TLSv1.3',
      allowHalfOpen: true,
      handshakeTimeout: this.#options.handshakeTimeoutMs,
    });
    server.on('secureConnection', (socket) => {
      socket.on('error', ignore);
      void this.#read(socket);
    });
    server.on('tlsClientError', (_error, socket) => void socket.destroy());
    return server;
  }

  /** Slow or silent clients are cut here; TLS has the same limit of its own before. */
  async #read(socket: Socket): Promise<void> {
    const limit = setTimeout(() => socket.destroy(), this.#options.handshakeTimeoutMs);
    try {
      const { head, rest } = await readHead(socket);
      if (this.#options.ignores()) return;
      if (asksForWebSocket(head.rawHeaders)) this.#serve(socket, head, rest);
      else this.#handToHttp(socket, head, rest);
    } catch {
      const answer = ['Content-Length', '0', 'Connection', 'close'];
      if (!socket.destroyed) endWith(socket, formatHead('HTTP/1.1 400 Bad Request', answer));
    } finally {
      clearTimeout(limit);
    }
  }

  #serve(socket: Socket, head: HttpHead, rest: Buffer): void {
    this.#options.onWebSocket(new Handshake(socket, head, rest));
  }

  /** Puts back what was read: node:http reads the request itself. */
  #handToHttp(socket: Socket, head: HttpHead, rest: Buffer): void {
    // An offer to upgrade to HTTP/2 may be ignored; left in, node:http would take it for our kind of upgrade.
    const headers = withoutHeader(head.rawHeaders, 'Upgrade');
    socket.unshift(Buffer.concat([Buffer.from(formatHead(head.startLine, headers), 'latin1'), rest]));
    this.#options.http.emit('connection', socket);
    socket.resume();
  }
}

function ignore(): void {}

function withoutHeader(headers: RawHeaders, name: string): RawHeaders {
  const isOther = (at: number) => headers[at - (at % 2)]?.toLowerCase() !== name.toLowerCase();
  return headers.filter((_, at) => isOther(at));
}
