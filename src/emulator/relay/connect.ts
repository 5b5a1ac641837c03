/** A sender connects: its handshake is checked and held until a listener decides. */
import { listenerChoice, RELAY_HEADERS } from '../../protocol/headers.ts';
import { HEADERS_MAX_BYTES } from '../../protocol/limits.ts';
import { headerBytes } from '../../protocol/relayed-http.ts';
import { authorize } from './authorize.ts';
import { headerValues } from '../../websocket/http-head.ts';
import { refuse, type RelayContext } from './context.ts';
import type { Handshake } from './handshake.ts';
import { HeldSender } from './held-sender.ts';

const SEND = ['Send'] as const;

/** Authorization first, then existence; an entity open to anonymous senders looks at no token at all. */
export function connect(context: RelayContext, handshake: Handshake): void {
  const { registry } = context;
  const { target, asked, rawHeaders } = handshake;
  const resolution = registry.resolve(asked.host, target.path);
  const { entity } = resolution;
  if (entity?.connection.requiresClientAuthorization !== false) {
    const { sasKeyName, sasKey } = target;
    const token = handshake.header(RELAY_HEADERS.authorization) ?? target.token;
    const credentials = { token, sasKeyName, sasKey };
    const verdict = authorize(context, resolution, asked, target.path, credentials, SEND);
    if (!verdict.ok) return refuse(context, handshake, 'connect', verdict.condition);
  }
  if (entity === undefined) return refuse(context, handshake, 'connect', 'entity-missing');
  if (headerBytes(rawHeaders) > HEADERS_MAX_BYTES) {
    return refuse(context, handshake, 'connect', 'headers-too-large');
  }
  const choice = listenerChoice(
    headerValues(rawHeaders, RELAY_HEADERS.allowedListeners).join(),
    headerValues(rawHeaders, RELAY_HEADERS.disallowedListeners).join(),
  );
  const { name } = entity;
  context.emit({ event: 'connect', connection: name, id: handshake.trackingId, remote: handshake.from });
  new HeldSender(context, handshake, entity, choice).offer();
}
