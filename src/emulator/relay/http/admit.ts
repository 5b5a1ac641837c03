/**
 * May this HTTP request be relayed, to which hybrid connection, and what of it was meant for the relay? Looks at
 * nothing but its head.
 */
import { listenerChoice, RELAY_HEADERS, type ListenerChoice } from '../../../protocol/headers.ts';
import { HEADERS_MAX_BYTES } from '../../../protocol/limits.ts';
import type { RelayCondition } from '../../../protocol/relay-answers.ts';
import { headerBytes } from '../../../protocol/relayed-http.ts';
import { headerValues } from '../../../websocket/http-head.ts';
import type { HttpRequest } from '../../server/http-request.ts';
import { authorize, type Credentials } from '../authorize.ts';
import type { RelayContext, RelayEntity } from '../context.ts';

/** A request that may go on. */
export interface Admission {
  readonly entity: RelayEntity;
  readonly choice: ListenerChoice;
  /** `Authorization` was the relay's token, and is not for the listener. */
  readonly consumesAuthorization: boolean;
}

/**
 * Authorization first, then existence, as for WebSockets. An entity open to anonymous senders looks at no token at all,
 * and then `Authorization` is the application's.
 */
export function admit(context: RelayContext, request: HttpRequest): Admission | RelayCondition {
  // `/$hc/` is for handshakes.
  if (request.target.kind === 'websocket') return 'bad-request';
  const { asked, path } = request;
  const { rawHeaders } = request.message;
  const resolution = context.registry.resolve(asked.host, path);
  const { entity } = resolution;
  let consumesAuthorization = false;
  if (entity?.connection.requiresClientAuthorization !== false) {
    const found = credentialsOf(request);
    ({ consumesAuthorization } = found);
    const verdict = authorize(context, resolution, asked, path, found.credentials, ['Send']);
    if (!verdict.ok) return verdict.condition;
  }
  if (entity === undefined) return 'entity-missing';
  if (headerBytes(rawHeaders) > HEADERS_MAX_BYTES) return 'headers-too-large';
  const choice = listenerChoice(
    headerValues(rawHeaders, RELAY_HEADERS.allowedListeners).join(),
    headerValues(rawHeaders, RELAY_HEADERS.disallowedListeners).join(),
  );
  return { entity, choice, consumesAuthorization };
}

/** Of several, in this order: query, header, raw key, and `Authorization` when there is nothing else. */
function credentialsOf({ target, message }: HttpRequest): {
  credentials: Credentials;
  consumesAuthorization: boolean;
} {
  const [header] = headerValues(message.rawHeaders, RELAY_HEADERS.authorization);
  const token = target.token ?? header;
  const nothing = token === undefined && target.sasKeyName === undefined && target.sasKey === undefined;
  const [authorization] = nothing ? headerValues(message.rawHeaders, 'Authorization') : [];
  return {
    credentials: { ...target, token: token ?? authorization },
    consumesAuthorization: authorization !== undefined,
  };
}
