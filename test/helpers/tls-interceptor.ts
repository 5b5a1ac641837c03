/**
 * The box of a company that looks into TLS: answers in place of the relay with a certificate of its own authority,
 * and passes on what it reads. It may change the head of each request on the way, or answer it itself.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { issueAuthority, issueServer } from '../../src/emulator/certificate.ts';
import { readHead } from '../../src/websocket/handshake.ts';
import { formatHead, type HttpHead } from '../../src/websocket/http-head.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Interception {
  /** The relay: its port on loopback, and the authority that it is known by. */
  toPort: number;
  toCa: string;
  /** The name that its certificate is for. Default localhost. */
  name?: string;
  /** Default: a day ago to a day ahead. */
  validTo?: Date;
  /** The request that goes on, or what the box answers itself. Default: as it came. */
  onHead?: (head: HttpHead) => HttpHead | string;
}

export class TlsInterceptor {
  /** Of the company, PEM. */
  readonly ca: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(options: Interception): Promise<TlsInterceptor> {
    const { name = 'localhost', validTo = new Date(Date.now() + DAY_MS) } = options;
    const validity = { notBefore: new Date(validTo.getTime() - 2 * DAY_MS), notAfter: validTo };
    const subject = { commonName: 'Corp TLS Inspection CA', organization: 'Corp' };
    const names = [{ type: 'dns', value: name } as const];
    const authority = await issueAuthority({ subject, permitted: names, ...validity });
    const { certPem, keyPem } = await issueServer(authority, {
      ...{ subject: { ...subject, commonName: name }, names, ...validity },
    });
    const server = createServer({ cert: certPem, key: keyPem, allowHalfOpen: true });
    const interceptor = new TlsInterceptor(authority.certPem, server, options);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return interceptor;
  }

  private constructor(ca: string, server: Server, options: Interception) {
    this.ca = ca;
    this.#server = server;
    server.on('secureConnection', (socket) => {
      this.#keep(socket);
      void this.#serve(socket, options).catch(() => socket.destroy());
    });
    // Below TLS: a client that refuses the certificate is gone before there is a secure connection.
    server.on('connection', (socket: Socket) => this.#keep(socket));
    server.on('tlsClientError', () => undefined);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(socket: TLSSocket, { toPort, toCa, onHead = (head) => head }: Interception): Promise<void> {
    const { head, rest } = await readHead(socket);
    const next = onHead(head);
    if (typeof next === 'string') return void socket.end(next);
    const relay = connect({ host: '127.0.0.1', port: toPort, servername: 'localhost', ca: toCa });
    this.#keep(relay);
    relay.once('close', () => socket.destroy());
    socket.once('close', () => relay.destroy());
    await once(relay, 'secureConnect');
    relay.write(Buffer.concat([Buffer.from(formatHead(next.startLine, next.rawHeaders), 'latin1'), rest]));
    socket.pipe(relay).pipe(socket);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }
}

/** The head without these headers. */
export function withoutHeaders(head: HttpHead, ...names: string[]): HttpHead {
  const rawHeaders = head.rawHeaders.filter(
    (_, at) => !names.includes(head.rawHeaders[at - (at % 2)]?.toLowerCase() ?? ''),
  );
  return { ...head, rawHeaders };
}
