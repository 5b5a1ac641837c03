/** Listener and sender on the `ws` library: other people's code, as most clients of a relay are. */
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { until } from '../helpers/until.ts';
import type { RelayUnderTest } from './relay-under-test.ts';
import { token } from './tokens.ts';

export interface AcceptMessage {
  address: string;
  id: string;
  connectHeaders: Record<string, string>;
  remoteEndpoint: { address: string; port: number };
}

export interface OpenOptions {
  /** Default: a good one for the action; null: none. */
  token?: string | null;
  /** Where the token goes. Default: the header. */
  tokenIn?: 'header' | 'query';
  path?: string;
  /** Further pairs of the query, raw. */
  query?: string;
  id?: string;
  headers?: Record<string, string>;
  protocols?: string[];
  port?: number;
}

/** The answer to a handshake. */
export interface Answer {
  status: number;
  reason: string;
  headers: Record<string, string | string[] | undefined>;
}

const opened = new Set<WebSocket>();

/** To be called inside `describe`: ends the test's WebSockets after each test. */
export function closeClientsAfterEach(): void {
  afterEach(async () => {
    const all = [...opened];
    opened.clear();
    for (const webSocket of all) webSocket.terminate();
    await until(
      () => all.every(({ readyState }) => readyState === WebSocket.CLOSED),
      'the end of the clients',
    );
  });
}

export function goodToken(relay: RelayUnderTest, action: 'listen' | 'connect'): string {
  const key = action === 'listen' ? relay.listenKey : relay.sendKey;
  return token(`http://${relay.host}/${relay.path}/`, key);
}

/** Dials; does not wait. */
export function dial(
  relay: RelayUnderTest,
  url: string,
  options: ClientOptions = {},
  protocols: string[] = [],
) {
  const webSocket = new WebSocket(url, protocols, {
    ca: relay.ca,
    perMessageDeflate: false,
    ...options,
  });
  opened.add(webSocket);
  webSocket.on('error', () => undefined);
  return webSocket;
}

/** Dials the relay for an action; does not wait. */
export function start(
  relay: RelayUnderTest,
  action: 'listen' | 'connect',
  options: OpenOptions = {},
): WebSocket {
  const sas = options.token === undefined ? goodToken(relay, action) : options.token;
  const inQuery = options.tokenIn === 'query';
  const pairs = [
    ...(options.query === undefined ? [] : [options.query]),
    `sb-hc-action=${action}`,
    ...(options.id === undefined ? [] : [`sb-hc-id=${encodeURIComponent(options.id)}`]),
    ...(sas !== null && inQuery ? [`sb-hc-token=${encodeURIComponent(sas)}`] : []),
  ];
  const headers = {
    ...options.headers,
    ...(sas !== null && !inQuery ? { ServiceBusAuthorization: sas } : {}),
  };
  const url = `wss://${relay.host}:${relay.port}/$hc/${options.path ?? relay.path}?${pairs.join('&')}`;
  return dial(relay, url, { headers }, options.protocols);
}

/** Resolves when the WebSocket is open; rejects with the relay's answer when it is refused. */
export async function open(webSocket: WebSocket): Promise<WebSocket> {
  const answer = refusal(webSocket).then((refused) => {
    throw new Error(`refused: ${refused.status} ${refused.reason}`);
  });
  await Promise.race([once(webSocket, 'open'), answer]);
  answer.catch(() => undefined);
  return webSocket;
}

/** The relay's refusal; never resolves when there is none. */
export function refusal(webSocket: WebSocket): Promise<Answer> {
  return new Promise((resolve) => {
    webSocket.once('unexpected-response', (request, response) => {
      const { statusCode = 0, statusMessage = '', headers } = response;
      response.resume();
      response.once('end', () => request.destroy());
      webSocket.terminate();
      resolve({ status: statusCode, reason: statusMessage, headers });
    });
  });
}

/** A listener that keeps what it is told. */
export class TestListener {
  readonly webSocket: WebSocket;
  /** All control messages so far, as they came. */
  readonly texts: string[] = [];
  #taken = 0;
  readonly #relay: RelayUnderTest;

  static async open(relay: RelayUnderTest, options: OpenOptions = {}): Promise<TestListener> {
    const listener = new TestListener(relay, start(relay, 'listen', options));
    await open(listener.webSocket);
    return listener;
  }

  private constructor(relay: RelayUnderTest, webSocket: WebSocket) {
    this.#relay = relay;
    this.webSocket = webSocket;
    webSocket.on('message', (data: Buffer) => void this.texts.push(data.toString()));
  }

  async nextAccept(): Promise<AcceptMessage> {
    await until(() => this.texts.length > this.#taken, 'an accept message');
    const message = JSON.parse(this.texts[this.#taken] ?? '') as { accept: AcceptMessage };
    this.#taken += 1;
    return message.accept;
  }

  /** Opens the rendezvous. */
  async accept(
    message: AcceptMessage,
    options: { protocols?: string[]; headers?: Record<string, string> } = {},
  ) {
    const { headers = {}, protocols = [] } = options;
    return await open(dial(this.#relay, message.address, { headers }, protocols));
  }

  /** Closes, and waits for the relay to know. */
  async close(): Promise<void> {
    this.webSocket.close(1000);
    await once(this.webSocket, 'close');
  }
}

/** A sender and the listener's end of its stream. */
export async function openStream(relay: RelayUnderTest, listener: TestListener, options: OpenOptions = {}) {
  const sender = start(relay, 'connect', options);
  const isOpen = open(sender);
  const message = await listener.nextAccept();
  const rendezvous = await listener.accept(message);
  await isOpen;
  return { sender, rendezvous, message };
}

/** The next message of a WebSocket. */
export async function nextMessage(webSocket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> {
  const [data, isBinary] = (await once(webSocket, 'message')) as [Buffer, boolean];
  return { data, isBinary };
}

/** The Close that a WebSocket gets; 1006 stands for a connection lost without one. */
export async function closeOf(webSocket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(webSocket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}
