/** What a listener is shown of a sender's handshake headers, and what the sender says in them about listeners. */
import { stripGateway } from '../../protocol/tracking.ts';
import { headerList, type RawHeaders } from '../../websocket/http-head.ts';
import type { ListenerFilter } from './registry.ts';

/** Holds the token, which is between the sender and the relay. `Authorization` belongs to the application. */
const HIDDEN = 'servicebusauthorization';

/** All headers but the token's, names as sent, repeated ones joined. */
export function connectHeaders(rawHeaders: RawHeaders): Record<string, string> {
  const byName = new Map<string, [string, string]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    const key = name.toLowerCase();
    const known = byName.get(key);
    if (key === HIDDEN) continue;
    byName.set(key, known === undefined ? [name, value] : [known[0], `${known[1]}, ${value}`]);
  }
  // Defines own properties: a header called `__proto__` is a header.
  return Object.fromEntries(byName.values());
}

/** Undocumented headers of the service: lists of listener ids. */
export function listenerFilter(rawHeaders: RawHeaders): ListenerFilter {
  return {
    allowed: ids(rawHeaders, 'Microsoft-Relay-AllowedListeners'),
    disallowed: ids(rawHeaders, 'Microsoft-Relay-DisallowedListeners'),
  };
}

function ids(rawHeaders: RawHeaders, name: string): ReadonlySet<string> | undefined {
  const items = headerList(rawHeaders, name).map((id) => stripGateway(id).toLowerCase());
  return items.length === 0 ? undefined : new Set(items);
}
