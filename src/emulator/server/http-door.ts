/**
 * HTTP on the emulator's port: the read of an entity's description, and an error for everything else. The seam for
 * what comes later (ARM, token endpoint, relayed requests): a handler before these, which answers or passes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { relayAnswer, type RelayCondition } from '../../protocol/relay-answers.ts';
import { isRelayNamespaceHost } from '../../protocol/relay-hosts.ts';
import type { Relay } from '../relay/relay.ts';
import { isEntityRead, readEntity } from '../relay/entity-read.ts';
import { HttpRequest } from './http-request.ts';

/** True: the request is answered, or will be. */
export type HttpHandler = (request: HttpRequest, response: ServerResponse) => boolean;

/** First path segments that ARM and the token endpoint own, on every host but a namespace's. */
export const RESERVED_SEGMENTS: ReadonlySet<string> = new Set([
  ...['subscriptions', 'providers', 'tenants', 'metadata', 'batch', 'resources'],
  ...['common', 'organizations', 'consumers', 'oauth2', '.well-known', 'discovery', 'msi', 'health'],
]);

/** A connection without traffic is closed after this long, in ms; node:http has no other limit without listening. */
const IDLE_MS = 120_000;

export interface HttpDoorOptions {
  readonly relay: Relay;
  readonly tenantId: string;
  readonly handlers?: readonly HttpHandler[];
}

/** An HTTP server that is handed its connections; it never listens. */
export function createHttpDoor({ relay, tenantId, handlers = [] }: HttpDoorOptions): Server {
  const isReserved = ({ asked, path }: HttpRequest): boolean => {
    const first = path.split('/')[0]?.toLowerCase() ?? '';
    return !isRelayNamespaceHost(asked.host) && (RESERVED_SEGMENTS.has(first) || first === tenantId);
  };
  const serve = (message: IncomingMessage, response: ServerResponse): void => {
    const request = new HttpRequest(message);
    response.setHeader('Date', new Date(relay.context.nowMs()).toUTCString());
    if (handlers.some((handle) => handle(request, response))) return;
    if (isReserved(request)) return notHere(request, response);
    if (isEntityRead(request)) return readEntity(relay.context, request, response);
    relayed(relay, request, response);
  };
  const server = createServer({ keepAliveTimeout: IDLE_MS }, serve);
  server.timeout = IDLE_MS;
  return server;
}

function notHere({ path }: HttpRequest, response: ServerResponse): void {
  const message = `The emulator has nothing at /${path} yet: Azure Resource Manager and tokens come with a later version.`;
  sendJson(response, 404, { error: { code: 'ResourceNotFound', message } });
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

function sendJson(response: ServerResponse, status: number, body: object, reason?: string): void {
  const text = JSON.stringify(body);
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  };
  if (reason === undefined) response.writeHead(status, headers);
  else response.writeHead(status, reason, headers);
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
