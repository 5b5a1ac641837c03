/** Relayed HTTP in one process: the emulator, a listener, an HTTP target, and a sender that is node:https. */
import { once } from 'node:events';
import {
  createServer,
  request as requestHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createTlsServer, request as requestHttps, type RequestOptions } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { parseTargetAddress, type TargetAddress } from '../../../src/protocol/target-address.ts';
import type { HybridConnectionListener } from '../../../src/tunnel/listener.ts';
import type { ListenerOptions } from '../../../src/tunnel/options.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { TunnelBed } from '../../helpers/tunnel-bed.ts';

export interface Answer {
  status: number;
  phrase: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Ask extends RequestOptions {
  body?: Buffer | string | Readable;
}

export class HttpTargetBed {
  readonly bed: TunnelBed;
  listener!: HybridConnectionListener;

  static async start(): Promise<HttpTargetBed> {
    return new HttpTargetBed(await TunnelBed.start());
  }

  private constructor(bed: TunnelBed) {
    this.bed = bed;
  }

  /** A node:http server; resolves with its origin. */
  async serve(handler: RequestListener, tls?: { cert: string; key: string }): Promise<string> {
    const server = tls ? createTlsServer(tls, handler) : createServer(handler);
    const port = await this.#listen(server);
    return `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  }

  async #listen(server: Server): Promise<number> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.bed.onStop(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    });
    return (server.address() as AddressInfo).port;
  }

  /** A listener that is online; `target` as on the command line. */
  async listen(target: string | undefined, options: ListenerOptions = {}): Promise<HybridConnectionListener> {
    const address: TargetAddress = parseTargetAddress(target ?? '127.0.0.1:9');
    this.listener = await this.bed.onlineListener({ address, ...options });
    return this.listener;
  }

  /** Options of a request through the relay: its path comes behind the connection's name. */
  async through(path: string, options: RequestOptions = {}): Promise<RequestOptions> {
    const connection = this.bed.connection('sender');
    const { host, port } = connection.endpoint;
    const token = await connection.tokens.token({ host, path: ENTITY });
    return {
      host: '127.0.0.1',
      servername: host,
      port,
      ca: this.bed.emulator.caPem,
      path: `/${ENTITY}${path}`,
      agent: false,
      ...options,
      headers: { Host: `${host}:${port}`, ServiceBusAuthorization: token.text, ...options.headers },
    };
  }

  async ask(path: string, { body, ...options }: Ask = {}): Promise<Answer> {
    return answerTo(requestHttps(await this.through(path, options)), body);
  }

  /** The answer as its head comes: the body is the caller's to read. */
  async open(path: string, { body, ...options }: Ask = {}): Promise<IncomingMessage> {
    const request = requestHttps(await this.through(path, options));
    const answer = headOf(request);
    send(request, body);
    return answer;
  }

  /** The same request without a relay. */
  direct(origin: string, path: string, { body, ...options }: Ask = {}): Promise<Answer> {
    return answerTo(requestHttp(`${origin}${path}`, { agent: false, ...options }), body);
  }

  stop(): Promise<void> {
    return this.bed.stop();
  }
}

function send(request: ReturnType<typeof requestHttp>, body: Ask['body']): void {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
  else body.pipe(request);
}

async function headOf(request: ReturnType<typeof requestHttp>): Promise<IncomingMessage> {
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return answer;
}

async function answerTo(request: ReturnType<typeof requestHttp>, body: Ask['body']): Promise<Answer> {
  const coming = headOf(request);
  send(request, body);
  const answer = await coming;
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const { statusCode: status = 0, statusMessage: phrase = '', headers } = answer;
  return { status, phrase, headers, body: Buffer.concat(chunks) };
}
