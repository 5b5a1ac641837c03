/**
 * HTTP on the emulator's port: first the handlers that are handed in (Resource Manager, the token endpoint), each of
 * which answers or passes; then the read of an entity's description; an error for everything else.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { relayAnswer, type RelayCondition } from '../../protocol/relay-answers.ts';
import type { Relay } from '../relay/relay.ts';
import { isEntityRead, readEntity } from '../relay/entity-read.ts';
import { sendJson } from './http-body.ts';
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
  const serve = (message: IncomingMessage, response: ServerResponse): void => {
    const request = new HttpRequest(message);
    response.setHeader('Date', new Date(relay.context.nowMs()).toUTCString());
    if (handlers.some((handle) => handle(request, response))) return;
    if (isEntityRead(request)) return readEntity(relay.context, request, response);
    relayed(relay, request, response);
  };
  const server = createServer({ keepAliveTimeout: IDLE_MS }, serve);
  server.timeout = IDLE_MS;
  return server;
}

/** Relayed HTTP requests come with a later version. */
function relayed(relay: Relay, request: HttpRequest, response: ServerResponse): void {
  const { entity } = relay.context.registry.resolve(request.asked.host, request.path);
  if (entity === undefined) {
    return sendCondition(relay, request, response, 'entity-missing');
  }
  const message = `HTTP requests over "${entity.name}" are not supported by this emulator yet; WebSocket connections are.`;
  sendJson(response, 501, { error: { code: 'NotImplemented', message } });
}

function sendCondition(
  relay: Relay,
  request: HttpRequest,
  response: ServerResponse,
  condition: RelayCondition,
) {
  const { status, errorName } = relayAnswer(condition, relay.context.behaviour.statuses);
  const message = request.reason(relay.context, condition);
  sendJson(response, status, { error: { code: errorName, message } }, message);
}
