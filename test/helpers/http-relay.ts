/** A relay of relayed HTTP in a few lines, over TLS: the test answers each request itself. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request, type ClientRequest, type RequestOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Sender } from '../../src/tunnel/sender.ts';
import {
  startHttpPort,
  type HttpPort,
  type HttpPortOptions,
} from '../../src/tunnel/http-sender/http-port.ts';
import type { StreamBind } from '../../src/protocol/target.ts';
import type { Connection, SenderOptions } from '../../src/tunnel/options.ts';
import { systemClock } from '../../src/tunnel/clock.ts';
import { tlsCertificate } from './tls-certificate.ts';
import { connectionTo, EventLog } from './tunnel.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What every answer of a listener has, and no answer of the relay's own. */
export const VIA = '1.1 ns1.servicebus.windows.net';

export class HttpRelay {
  readonly port: number;
  readonly ca: string;
  readonly requests: IncomingMessage[] = [];
  /** Of each request, the id that its sender chose. */
  readonly ids: (string | undefined)[] = [];
  /** TLS connections so far. */
  connections = 0;
  answer: Answer = (_request, response) => void response.writeHead(200, { Via: VIA }).end('hello');
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ports: HttpPort[] = [];

  static async start(): Promise<HttpRelay> {
    const { ca, cert, key } = await tlsCertificate();
    const server = createServer({ cert, key, keepAliveTimeout: 0 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HttpRelay(server, ca);
  }

  private constructor(server: Server, ca: string) {
    this.#server = server;
    this.ca = ca;
    this.port = (server.address() as AddressInfo).port;
    server.on('secureConnection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      this.#takeId(incoming);
      this.requests.push(incoming);
      incoming.on('error', () => undefined);
      response.on('error', () => undefined);
      this.answer(incoming, response);
    });
  }

  /** As a relay does: no listener sees it in the query. */
  #takeId(incoming: IncomingMessage): void {
    const { url = '' } = incoming;
    const [, before, id] = /^(.*)[?&]sb-hc-id=([^&]*)$/.exec(url) ?? [];
    this.ids.push(id);
    incoming.url = before ?? url;
  }

  get connection(): Connection {
    return connectionTo({ host: 'localhost', port: this.port }, systemClock);
  }

  /** A local port that leads here, and its events. */
  async open(
    options: HttpPortOptions & { bind?: StreamBind; connection?: Connection; sender?: SenderOptions } = {},
  ): Promise<{ port: HttpPort; url: string; events: EventLog }> {
    const events = new EventLog();
    const { bind = { kind: 'tcp', host: '127.0.0.1', port: 0 }, connection = this.connection } = options;
    const sender = new Sender(connection, { loopbackCa: this.ca, onEvent: events.record, ...options.sender });
    const port = await startHttpPort(bind, sender, options);
    this.#ports.push(port);
    return { port, url: port.url ?? '', events };
  }

  /** Cuts every connection that is open now. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const port of this.#ports) await port.stop({ graceMs: 0 });
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export interface Got {
  status: number;
  phrase: string;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  body: Buffer;
}

/** One request with node:http, told to the letter; rejects when the answer breaks off. */
export function got(url: string, options: RequestOptions & { body?: Buffer | string } = {}): Promise<Got> {
  const { body, ...rest } = options;
  const asked = ask(url, rest);
  asked.end(body);
  return answerTo(asked);
}

/** A request to write to; whoever waits for its answer hears of its errors. */
export function ask(url: string, options: RequestOptions = {}): ClientRequest {
  return request(url, { agent: false, ...options }).on('error', () => undefined);
}

export async function answerTo(asked: ClientRequest): Promise<Got> {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const { statusCode: status = 0, statusMessage: phrase = '', headers, rawHeaders } = answer;
  return { status, phrase, headers, rawHeaders, body: Buffer.concat(chunks) };
}

/** Resolves when an answer that has begun was cut off; rejects when it came to its end. */
export async function brokenOff(answer: IncomingMessage): Promise<void> {
  await new Promise((resolve) =>
    answer
      .on('error', () => undefined)
      .once('close', resolve)
      .resume(),
  );
  if (answer.complete) throw new Error('the answer came to its end');
}

/** The values of a header, line by line. */
export function lines({ rawHeaders }: { rawHeaders: readonly string[] }, name: string): string[] {
  return rawHeaders.filter(
    (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name.toLowerCase(),
  );
}
