/**
 * The URLs that hcm dials: listen, connect, reject, and the read of an entity. Forms as in Microsoft's Hybrid
 * Connections protocol guide and the .NET client (HybridConnectionUtility). The relay's side of an address is in
 * request-target.ts, host names in relay-hosts.ts.
 */
import { HcmError } from './errors.ts';
import { filterQuery } from './query-filter.ts';
import { type Endpoint, urlHost } from './relay-hosts.ts';
import { sanitizeReason } from './tracking.ts';

export { checkRendezvousAddress, type Endpoint, isLoopbackName } from './relay-hosts.ts';

/** Version of the management read that Microsoft's clients use (.NET client ManagementOperations). */
const ENTITY_API_VERSION = '2016-07';

/** Where a listener opens its control channel. `id` is its tracking id. */
export function listenUrl(endpoint: Endpoint, path: string, options: { id?: string } = {}): URL {
  const query = withPairs('', { 'sb-hc-action': 'listen', 'sb-hc-id': options.id });
  return new URL(`wss://${authority(endpoint)}/$hc/${encodePath(path)}?${query}`);
}

/**
 * Where a sender connects.
 * @param options.suffix further path for the listener to see, plain text, with or without a slash in front.
 * @param options.query the user's query, raw, with or without `?`; comes first; the relay's own names are removed.
 * @throws HcmError HCM_CONNECTION_INVALID for `.` and `..` segments: URLs would resolve them to another entity.
 */
export function connectUrl(
  endpoint: Endpoint,
  path: string,
  options: { id?: string; suffix?: string; query?: string } = {},
): URL {
  const suffix = (options.suffix ?? '').replace(/^\//, '');
  const full = suffix === '' ? encodePath(path) : `${encodePath(path)}/${encodePath(suffix)}`;
  const query = withPairs(filterQuery(options.query ?? ''), {
    'sb-hc-action': 'connect',
    'sb-hc-id': options.id,
  });
  return new URL(`wss://${authority(endpoint)}/$hc/${full}?${query}`);
}

/** What a handshake asks for: any URL, or the parts of one. */
export type RequestAddress = Pick<URL, 'host' | 'pathname' | 'search'>;

/** `connectUrl` for the many streams of one sender: all but the id is worked out once. Throws as `connectUrl` does. */
export function connectAddresses(endpoint: Endpoint, path: string): (id: string) => RequestAddress {
  const { host, pathname, search } = connectUrl(endpoint, path);
  return (id) => ({ host, pathname, search: `${search}&sb-hc-id=${encodeURIComponent(id)}` });
}

/**
 * The address with which a listener turns a sender away: the one it was handed, kept to the letter, and two
 * parameters more. The relay answers it with 410 and gives `status` and `description` to the sender.
 */
export function rejectUrl(address: string, status: number, description: string): string {
  const separator = address.includes('?') ? '&' : '?';
  const query = withPairs('', {
    'sb-hc-statusCode': String(status),
    'sb-hc-statusDescription': sanitizeReason(description),
  });
  return `${address}${separator}${query}`;
}

/** Where the description of an entity is read (GET with the header `X-PROCESS-AT: ServiceBus`). */
export function entityReadUrl(endpoint: Endpoint, path: string): URL {
  return new URL(`https://${authority(endpoint)}/${encodePath(path)}?api-version=${ENTITY_API_VERSION}`);
}

function authority(endpoint: Endpoint): string {
  return `${urlHost(endpoint.host)}:${endpoint.port}`;
}

/** Escapes each segment and keeps the slashes between them. */
function encodePath(path: string): string {
  const segments = path.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new HcmError('HCM_CONNECTION_INVALID', `The path "${path}" holds a segment "." or "..".`, {
      details: { reason: 'dot-segment' },
    });
  }
  return segments.map((segment) => encodeURIComponent(segment)).join('/');
}

/** Adds the relay's pairs behind a query; URLSearchParams would rewrite the user's own text. */
function withPairs(query: string, pairs: Readonly<Record<string, string | undefined>>): string {
  let text = query;
  for (const [name, value] of Object.entries(pairs)) {
    if (value !== undefined) text += `${text === '' ? '' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return text;
}
