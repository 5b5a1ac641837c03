/**
 * The two ends of relayed HTTP, written by hand: a sender that is a TLS socket and shows every byte of its answer, and
 * a listener on the `ws` library that keeps its messages as they came.
 */
import type { WebSocket } from 'ws';
import { until } from '../helpers/until.ts';
import { RawClient, type RawAnswer } from './raw-client.ts';
import type { RelayUnderTest } from './relay-under-test.ts';
import { dial, goodToken, open, start, type OpenOptions } from './ws-clients.ts';

export interface RequestMessage {
  address: string;
  id: string;
  requestTarget: string;
  method: string;
  remoteEndpoint: { address: string; port: number };
  requestHeaders: Record<string, string>;
  body: boolean;
}

export interface ResponseMessage {
  requestId: string;
  statusCode?: number | string;
  statusDescription?: string | null;
  responseHeaders?: Record<string, string>;
  body?: boolean;
}

export interface HttpAnswer extends RawAnswer {
  readonly body: Buffer;
  /** How the body was delimited. */
  readonly framing: 'none' | 'length' | 'chunked' | 'end';
}

/** A WebSocket from the relay to a listener, control channel or rendezvous. */
export class ListenerSocket {
  readonly webSocket: WebSocket;
  /** What has come and was not taken yet. */
  readonly messages: { data: Buffer; isBinary: boolean }[] = [];
  close: { code: number; reason: string } | undefined;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on('message', (data: Buffer, isBinary) => void this.messages.push({ data, isBinary }));
    webSocket.on('close', (code, reason) => (this.close = { code, reason: reason.toString() }));
  }

  async text(): Promise<string> {
    const { data, isBinary } = await this.#next();
    if (isBinary) throw new Error(`a binary message of ${data.length} bytes instead of a text`);
    return data.toString();
  }

  async binary(): Promise<Buffer> {
    const { data, isBinary } = await this.#next();
    if (!isBinary) throw new Error(`a text instead of a binary message: ${data.toString()}`);
    return data;
  }

  async request(): Promise<RequestMessage> {
    const message = JSON.parse(await this.text()) as { request: RequestMessage };
    return message.request;
  }

  respond(response: ResponseMessage, ...bodies: (Buffer | string)[]): void {
    const full = { statusCode: 200, responseHeaders: {}, body: bodies.length > 0, ...response };
    this.webSocket.send(JSON.stringify({ response: full }));
    for (const body of bodies) this.webSocket.send(Buffer.from(body as string));
  }

  /** Part of a binary message. */
  async fragment(part: Buffer | string, last = false): Promise<void> {
    const options = { fin: last, binary: true };
    await new Promise((resolve) => this.webSocket.send(Buffer.from(part as string), options, resolve));
  }

  async closed(): Promise<{ code: number; reason: string }> {
    await until(() => this.close !== undefined, 'the Close');
    return this.close as { code: number; reason: string };
  }

  async #next(): Promise<{ data: Buffer; isBinary: boolean }> {
    await until(() => this.messages.length > 0 || this.close !== undefined, 'a message');
    const message = this.messages.shift();
    if (message === undefined) throw new Error('the WebSocket was closed without a message');
    return message;
  }
}

export async function openListener(
  relay: RelayUnderTest,
  options: OpenOptions = {},
): Promise<ListenerSocket> {
  const webSocket = start(relay, 'listen', options);
  const listener = new ListenerSocket(webSocket);
  await open(webSocket);
  return listener;
}

export async function openRendezvous(relay: RelayUnderTest, address: string): Promise<ListenerSocket> {
  const webSocket = dial(relay, address);
  const rendezvous = new ListenerSocket(webSocket);
  await open(webSocket);
  return rendezvous;
}

export interface SendOptions {
  method?: string;
  /** Behind the path of the hybrid connection. */
  target?: string;
  /** Lines; a token is added unless `token` is null. */
  headers?: readonly string[];
  body?: Buffer | string;
  token?: string | null;
  host?: string;
}

/** Writes a request on a connection; does not wait. A body is announced with its length. */
export function writeRequest(client: RawClient, relay: RelayUnderTest, options: SendOptions = {}): void {
  const { method = 'GET', target = '', headers = [], body, host = 'localhost' } = options;
  const token = options.token === undefined ? goodToken(relay, 'connect') : options.token;
  const lines = [
    `${method} /${relay.path}${target} HTTP/1.1`,
    `Host: ${host}`,
    ...(token === null ? [] : [`ServiceBusAuthorization: ${token}`]),
    ...headers,
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  client.socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (body !== undefined) client.socket.write(body);
}

/** Bytes that show when some are lost or changed places. */
export function pattern(bytes: number): Buffer {
  return Buffer.alloc(bytes, 'relayed bytes, 23 long.');
}

/** Connects and writes a request. */
export async function sendRequest(relay: RelayUnderTest, options: SendOptions = {}): Promise<RawClient> {
  const client = await RawClient.connect(relay);
  writeRequest(client, relay, options);
  return client;
}

/** The next answer with its body. Rejects when the connection ends within it. */
export async function readAnswer(client: RawClient, method = 'GET'): Promise<HttpAnswer> {
  const head = await client.answer();
  const [length] = head.headers.get('content-length') ?? [];
  const chunked = head.headers.get('transfer-encoding')?.includes('chunked') === true;
  if (method === 'HEAD' || head.status === 204 || head.status === 304 || head.status < 200) {
    return { ...head, body: Buffer.alloc(0), framing: 'none' };
  }
  if (chunked) return { ...head, body: await readChunks(client), framing: 'chunked' };
  if (length !== undefined) {
    return { ...head, body: await take(client, Number(length)), framing: 'length' };
  }
  await client.end();
  return { ...head, body: await take(client, client.received.length), framing: 'end' };
}

async function readChunks(client: RawClient): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    await until(() => client.received.includes('\r\n') || client.ended, 'a chunk');
    const end = client.received.indexOf('\r\n');
    if (end < 0) throw new Error('the connection ended between two chunks');
    const size = parseInt(client.received.toString('latin1', 0, end), 16);
    client.received = client.received.subarray(end + 2);
    const chunk = await take(client, size + 2);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, size));
  }
}

async function take(client: RawClient, bytes: number): Promise<Buffer> {
  await until(() => client.received.length >= bytes || client.ended, `${bytes} bytes of a body`, 15_000);
  if (client.received.length < bytes) throw new Error('the connection ended within the body');
  const taken = client.received.subarray(0, bytes);
  client.received = client.received.subarray(bytes);
  return taken;
}
