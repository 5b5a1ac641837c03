/**
 * The read of an entity's description that Microsoft's manager makes with its Listen key: an Atom entry around the
 * properties, with the number of listeners (.NET client, ManagementOperations).
 */
import type { ServerResponse } from 'node:http';
import { relayAnswer, type RelayCondition } from '../../protocol/relay-answers.ts';
import type { HttpRequest } from '../server/http-request.ts';
import { authorize } from './authorize.ts';
import type { RelayContext, RelayEntity } from './context.ts';

const DESCRIPTION_NAMESPACE = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const ATOM_NAMESPACE = 'http://www.w3.org/2005/Atom';

/** The header tells such a request from one that is to be relayed. */
export function isEntityRead(request: HttpRequest): boolean {
  return request.message.method === 'GET' && request.header('X-PROCESS-AT') !== undefined;
}

export function readEntity(context: RelayContext, request: HttpRequest, response: ServerResponse): void {
  const { asked, path, target } = request;
  const resolution = context.registry.resolve(asked.host, path);
  const token = request.header('ServiceBusAuthorization') ?? request.header('Authorization') ?? target.token;
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

/** Children in the order that the .NET deserializer insists on. */
function entry({ asked, target }: HttpRequest, { connection, listeners }: RelayEntity): string {
  const { name, createdAt, updatedAt, requiresClientAuthorization, userMetadata } = connection;
  const id = escapeXml(`https://${asked.host}:${asked.port}${target.rawPath}?api-version=2016-07`);
  const metadata = userMetadata === '' ? '' : `<UserMetadata>${escapeXml(userMetadata)}</UserMetadata>`;
  return (
    `<entry xmlns="${ATOM_NAMESPACE}"><id>${id}</id><title type="text">${escapeXml(name)}</title>` +
    `<published>${createdAt}</published><updated>${updatedAt}</updated><link rel="self" href="${id}"/>` +
    `<content type="application/xml"><HybridConnectionDescription xmlns="${DESCRIPTION_NAMESPACE}"` +
    ` xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><CreatedAt>${createdAt}</CreatedAt>` +
    `<UpdatedAt>${updatedAt}</UpdatedAt>` +
    `<RequiresClientAuthorization>${requiresClientAuthorization}</RequiresClientAuthorization>${metadata}` +
    `<ListenerCount>${listeners.length}</ListenerCount></HybridConnectionDescription></content></entry>`
  );
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

function escapeXml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text
    .replace(/[&<>"]/g, (character) => entities[character] ?? '')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');
}
