/**
 * HTTP on the emulator's port: first the handlers that are handed in (Resource Manager, the token endpoint), each of
 * which answers or passes; then the read of an entity's description; everything else is a request for a listener.
 */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { relayAnswer } from '../../protocol/relay-answers.ts';
import { asksForWebSocket } from '../../websocket/handshake.ts';
import { formatHead, hasBody, HEAD_MAX_BYTES } from '../../websocket/http-head.ts';
import { isEntityRead, readEntity } from '../relay/entity-read.ts';
import { endWith } from '../relay/handshake.ts';
import { refuseRequest } from '../relay/http/refuse-request.ts';
import { relayRequest } from '../relay/http/relay-request.ts';
import type { Relay } from '../relay/relay.ts';
import { HttpRequest } from './http-request.ts';

/** True: the request is answered, or will be. */
export type HttpHandler = (request: HttpRequest, response: ServerResponse) => boolean;

/** A connection without traffic is closed after this long, in ms; node:http has no other limit without listening. */
const IDLE_MS = 120_000;

export interface HttpDoorOptions {
  readonly relay: Relay;
  readonly handlers?: readonly HttpHandler[];
}

/** An HTTP server that is handed its connections; it never listens. */
export function createHttpDoor({ relay, handlers = [] }: HttpDoorOptions): Server {
  const { context } = relay;
  const serve = (message: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void => {
    const request = new HttpRequest(message, awaitsContinue);
    response.setHeader('Date', new Date(context.nowMs()).toUTCString());
    if (request.isAmbiguous) {
      response.setHeader('Connection', 'close');
      return refuseRequest(context, request, response, 'bad-request');
    }
    if (handlers.some((handle) => handle(request, response))) {
      return response.headersSent ? undefined : request.askForBody(response);
    }
    if (isEntityRead(request)) return readEntity(context, request, response);
    relayRequest(context, request, response);
  };
  const options = {
    keepAliveTimeout: IDLE_MS,
    maxHeaderSize: HEAD_MAX_BYTES,
    // Since Node 22.21 and 24.9; an older one gives every offer to 'upgrade'.
    shouldUpgradeCallback: becomesWebSocket,
  };
  const server = createServer(options, (message, response) => serve(message, response, false));
  server.on('checkContinue', (message, response) => serve(message, response, true));
  server.on('connect', (message: IncomingMessage, socket: Socket) => forbid(relay, message, socket));
  server.timeout = IDLE_MS;
  // Their size is limited, not their number: node:http would drop what is over 1,000 without a word.
  server.maxHeadersCount = 0;
  return server;
}

/** False: it is answered by HTTP all the same. With a body, what newer Nodes hand on as an upgrade is no socket. */
export function becomesWebSocket({ rawHeaders }: IncomingMessage): boolean {
  return asksForWebSocket(rawHeaders) && !hasBody(rawHeaders);
}

/** CONNECT asks for a tunnel of another kind (Microsoft's protocol guide forbids it). */
function forbid({ context }: Relay, message: IncomingMessage, socket: Socket): void {
  const request = new HttpRequest(message);
  const { status, errorName } = relayAnswer('method-forbidden', context.behaviour.statuses);
  const reason = request.reason(context, 'method-forbidden');
  const body = JSON.stringify({ error: { code: errorName, message: reason } });
  const head = formatHead(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, [
    ...['Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(Buffer.byteLength(body))],
    ...['Connection', 'close'],
  ]);
  endWith(socket, head + body);
  const connection = request.path;
  context.emit({ event: 'refused', action: 'http', connection, status, reason, remote: request.from });
}
