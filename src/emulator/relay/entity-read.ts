/**
 * The read of an entity's description that Microsoft's manager makes with its Listen key: an Atom entry around the
 * properties, with the number of listeners (.NET client, ManagementOperations).
 */
import type { ServerResponse } from 'node:http';
import { formatEntityEntry } from '../../protocol/entity-description.ts';
import { RELAY_HEADERS } from '../../protocol/headers.ts';
import { urlHost } from '../../protocol/relay-hosts.ts';
import { escapeXml } from '../../protocol/xml-text.ts';
import { relayAnswer, type RelayCondition } from '../../protocol/relay-answers.ts';
import type { HttpRequest } from '../server/http-request.ts';
import { authorize } from './authorize.ts';
import type { RelayContext, RelayEntity } from './context.ts';

const ATOM_NAMESPACE = 'http://www.w3.org/2005/Atom';

/** The header tells such a request from one that is to be relayed. */
export function isEntityRead(request: HttpRequest): boolean {
  return request.message.method === 'GET' && request.header(RELAY_HEADERS.processAt) !== undefined;
}

export function readEntity(context: RelayContext, request: HttpRequest, response: ServerResponse): void {
  const { asked, path, target } = request;
  const resolution = context.registry.resolve(asked.host, path);
  const token =
    request.header(RELAY_HEADERS.authorization) ?? request.header('Authorization') ?? target.token;
  const verdict = authorize(context, resolution, asked, path, { ...target, token }, ['Listen', 'Manage']);
  if (!verdict.ok) return refuse(context, request, response, verdict.condition);
  const { entity } = resolution;
  if (entity !== undefined && resolution.suffix.replaceAll('/', '') === '') {
    return send(response, 200, 'application/atom+xml;type=entry;charset=utf-8', entry(request, entity));
  }
  if (context.behaviour.missingEntityRead === 'not-found') {
    return refuse(context, request, response, 'entity-missing');
  }
  const feed = `<feed xmlns="${ATOM_NAMESPACE}"><title type="text">Publicly Listed Services</title></feed>`;
  send(response, 200, 'application/atom+xml;type=feed;charset=utf-8', feed);
}

function entry({ asked }: HttpRequest, { connection, listeners }: RelayEntity): string {
  const { name, userMetadata, ...properties } = connection;
  return formatEntityEntry({
    ...properties,
    ...(userMetadata === '' ? {} : { userMetadata }),
    host: `${urlHost(asked.host)}:${asked.port}`,
    path: name,
    listenerCount: listeners.length,
  });
}

function refuse(
  context: RelayContext,
  request: HttpRequest,
  response: ServerResponse,
  condition: RelayCondition,
): void {
  const { status } = relayAnswer(condition, context.behaviour.statuses);
  const reason = request.reason(context, condition);
  const body = `<Error><Code>${status}</Code><Detail>${escapeXml(reason)}</Detail></Error>`;
  send(response, status, 'application/xml; charset=utf-8', body, reason);
  const connection = request.path;
  context.emit({ event: 'refused', action: 'read', connection, status, reason, remote: request.from });
}

function send(response: ServerResponse, status: number, type: string, body: string, reason?: string): void {
  const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
  if (reason === undefined) response.writeHead(status, headers);
  else response.writeHead(status, reason, headers);
  response.end(body);
}
