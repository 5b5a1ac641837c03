/**
 * A local HTTP port whose requests are answered through the relay: each gets the token that the relay wants, so that
 * browsers, curl and programs need to know nothing of Azure. Owns the server and the pool; one request is an Exchange.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { urlHost } from '../../protocol/relay-hosts.ts';
import { formatBind, type StreamBind } from '../../protocol/target.ts';
import { Cancellation } from '../../websocket/cancel-signal.ts';
import { HEAD_MAX_BYTES } from '../../websocket/http-head.ts';
import { listen, type LocalPort } from '../local-port.ts';
import { RelayDialer } from '../relay-dialer.ts';
import type { Sender } from '../sender.ts';
import { StreamSet, type LiveStream } from '../stream-set.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import { foreignHost } from './host-check.ts';
import {
  answerOnSocket,
  answerWith,
  closeAfter,
  errorBody,
  foreignHostBody,
  MISDIRECTED,
} from './local-answer.ts';
import { headWithoutOffer, openUpgrade, staysHttp } from './raw-upgrade.ts';
import { RelayAgent } from './relay-agent.ts';
import { RelayTokens } from './relay-tokens.ts';

const DRAIN_MS = 10_000;
/** A browser's connection that rests is kept as long as browsers keep it. */
const KEEP_ALIVE_MS = 120_000;
const NOT_ALLOWED = 405;

export interface HttpPortOptions {
  /** The path is sent as it is: the caller writes the connection's name in front. Default false. */
  keepPath?: boolean | undefined;
}

export interface HttpPort extends LocalPort {
  /** `http://127.0.0.1:40123/`; undefined for a Unix socket. */
  readonly url: string | undefined;
}

/** Binds and begins to answer. Rejects with HcmError HCM_PORT_IN_USE or HCM_BIND_FAILED. */
export async function startHttpPort(
  bind: StreamBind,
  sender: Sender,
  options: HttpPortOptions = {},
): Promise<HttpPort> {
  const settings = {
    maxHeaderSize: HEAD_MAX_BYTES,
    // An upload may take as long as it takes: Node would cut it after five minutes.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Since Node 22.21 and 24.9; an older one gives every offer to 'upgrade'.
    shouldUpgradeCallback: (request: IncomingMessage) => !staysHttp(request),
  };
  const server = createServer(settings);
  await listen(server, bind);
  return new BoundHttpPort(server, bind, sender, options);
}

class BoundHttpPort implements HttpPort {
  readonly bind: string;
  readonly url: string | undefined;
  readonly #server: Server;
  readonly #bind: StreamBind;
  readonly #context: ExchangeContext;
  /** Those that have left HTTP behind. */
  readonly #streams: StreamSet;
  readonly #running = new Set<Promise<void>>();
  readonly #cutting = new Cancellation();
  #isStopping = false;

  constructor(server: Server, bind: StreamBind, sender: Sender, { keepPath = false }: HttpPortOptions) {
    this.#server = server;
    this.#bind = bind.kind === 'tcp' ? { ...bind, port: (server.address() as AddressInfo).port } : bind;
    this.bind = formatBind(this.#bind);
    this.url = urlOf(this.#bind);
    const agent = new RelayAgent(new RelayDialer(sender.options, sender.clock), sender.connection.endpoint);
    this.#context = { sender, agent, tokens: new RelayTokens(sender), keepPath };
    this.#streams = new StreamSet(sender.clock, sender.emit, sender.options);
    server.on('request', (request, response) => this.#onRequest(request, response));
    server.on('upgrade', (request, socket, rest) => this.#onUpgrade(request, socket as Socket, rest));
    server.on('connect', (_request, socket) => {
      socket.on('error', ignore);
      const message = 'This is no proxy: CONNECT has no meaning here.';
      answerOnSocket(socket, NOT_ALLOWED, errorBody({ code: 'HCM_REQUEST_INVALID', message }));
    });
  }

  get streams(): readonly LiveStream[] {
    return this.#streams.live;
  }

  async stop({ graceMs = DRAIN_MS } = {}): Promise<void> {
    this.#isStopping = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    await this.#streams.drain(graceMs, this.#running, this.#cutting);
    this.#server.closeAllConnections();
    this.#context.agent.destroy();
    await closed;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isStopping) closeAfter(response);
    const foreign = foreignHost(this.#bind, request);
    if (foreign !== undefined) {
      closeAfter(response);
      return answerWith(response, MISDIRECTED, foreignHostBody(foreign));
    }
    this.#track(new Exchange(this.#context, { request, response }).run(this.#cutting));
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, rest: Buffer): void {
    // Until the forwarder takes it, an error of the client has nobody else to hear it.
    socket.on('error', ignore);
    const foreign = foreignHost(this.#bind, request);
    if (foreign !== undefined) return answerOnSocket(socket, MISDIRECTED, foreignHostBody(foreign));
    if (staysHttp(request)) {
      socket.unshift(Buffer.concat([headWithoutOffer(request), rest]));
      return void this.#server.emit('connection', socket);
    }
    const { sender, keepPath } = this.#context;
    const context = { sender, keepPath, streams: this.#streams, signal: this.#cutting };
    this.#track(openUpgrade(context, { request, socket, rest }));
  }

  #track(running: Promise<void>): void {
    const tracked = running.finally(() => {
      this.#running.delete(tracked);
      // A connection that was busy when the stop began rests now.
      if (this.#isStopping) this.#server.closeIdleConnections();
    });
    this.#running.add(tracked);
  }
}

/** For clients on this machine: they reach what is bound to all addresses by the one of loopback. */
function urlOf(bind: StreamBind): string | undefined {
  if (bind.kind !== 'tcp') return undefined;
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[bind.host] ?? bind.host;
  return `http://${urlHost(host)}:${bind.port}/`;
}

function ignore(): void {}
