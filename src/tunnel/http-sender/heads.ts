/**
 * What becomes of a message's head between a local client and the relay, both ways. Pure: the rules that both sides of the
 * relay share are in protocol/relayed-http.ts, those about paths in protocol/http-path.ts.
 */
import type { Socket } from 'node:net';
import { RELAY_HEADERS } from '../../protocol/headers.ts';
import { entityPrefix, joinPath, unprefixLocation } from '../../protocol/http-path.ts';
import { filterQuery } from '../../protocol/query-filter.ts';
import { HOP_BY_HOP, splitSetCookie } from '../../protocol/relayed-http.ts';
import { headerList, headerValues, type RawHeaders } from '../../websocket/http-head.ts';

/** Node sends these without a body and a length; any other is sent with a length of 0, or it would be chunked. */
const WITHOUT_LENGTH = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** The relay says 100 by itself; a token of the caller's would take the place of ours; HTTP/2 is not spoken here. */
const NOT_PASSED_ON = new Set(['host', 'expect', 'http2-settings']);

const LOCATIONS = new Set(['location', 'content-location']);

/**
 * The path and query to ask the relay for. Pairs that are the relay's own are left out: no listener sees them, and a token
 * among them would win over ours.
 * @param url as on the local request line: origin form, absolute form, or `*`.
 */
export function relayTarget(url: string, entity: string, keepPath: boolean): string {
  const local = withoutRelayPairs(originForm(url));
  return keepPath ? joinPath('', local) : joinPath(entityPrefix(entity), local);
}

/**
 * The target with an id of our own, which the relay takes for the request and takes out of it: the listener's events have
 * the same. An empty query stays alone: with the id, the relay would take its `?` out, too.
 */
export function withRequestId(target: string, id: string): string {
  const mark = target.indexOf('?');
  if (mark >= 0 && mark === target.length - 1) return target;
  return `${target}${mark < 0 ? '?' : '&'}sb-hc-id=${id}`;
}

/** A target in origin form without the relay's pairs, and without a `?` that nothing would follow any more. */
export function withoutRelayPairs(target: string): string {
  const mark = target.indexOf('?');
  if (mark < 0) return target;
  const path = target.slice(0, mark);
  const query = filterQuery(target.slice(mark));
  return query === '' && target.length > mark + 1 ? path : `${path}?${query}`;
}

/** A request target as a path with its query. */
export function originForm(url: string): string {
  const local = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  if (local === '*') return '/';
  return local.startsWith('/') ? local : `/${local}`;
}

/** The client's address; undefined on a Unix socket. */
export function remoteOf({
  socket,
}: {
  socket: Pick<Socket, 'remoteAddress' | 'remotePort'>;
}): string | undefined {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}

/** The headers for the relay. `token` undefined: the sender is anonymous. */
export function relayHeadersOf(
  rawHeaders: RawHeaders,
  request: { method: string; host: string; token: string | undefined },
): string[] {
  const { method, host, token } = request;
  const dropped = droppedNames(rawHeaders);
  if (token !== undefined) dropped.add(RELAY_HEADERS.authorization.toLowerCase());
  const headers = ['Host', host];
  if (token !== undefined) headers.push(RELAY_HEADERS.authorization, token);
  for (const [name, value] of pairs(rawHeaders)) {
    const folded = name.toLowerCase();
    if (!dropped.has(folded) && !NOT_PASSED_ON.has(folded) && folded !== 'content-length')
      headers.push(name, value);
  }
  // Framed anew, as the parser has understood it: two ideas of where a message ends are never passed on.
  const [length] = headerValues(rawHeaders, 'Content-Length');
  if (headerValues(rawHeaders, 'Transfer-Encoding').length > 0) headers.push('Transfer-Encoding', 'chunked');
  else if (length !== undefined) headers.push('Content-Length', length);
  else if (!WITHOUT_LENGTH.has(method)) headers.push('Content-Length', '0');
  return headers;
}

/** The headers for the local client: cookies one by one again, addresses without the name of the connection. */
export function localHeadersOf(
  rawHeaders: RawHeaders,
  answer: { status: number; relayHost: string; entity: string; keepPath: boolean },
): string[] {
  const { status, relayHost, entity, keepPath } = answer;
  const dropped = droppedNames(rawHeaders);
  const headers: string[] = [];
  for (const [name, value] of pairs(rawHeaders)) {
    const folded = name.toLowerCase();
    if (folded === 'content-length') {
      // RFC 9110, 8.6: none with 204.
      if (status !== 204) headers.push(name, value);
    } else if (folded === 'set-cookie') {
      for (const cookie of splitSetCookie(value)) headers.push(name, cookie);
    } else if (LOCATIONS.has(folded) && !keepPath) {
      headers.push(name, unprefixLocation(value, { host: relayHost, entity }));
    } else if (!dropped.has(folded)) headers.push(name, value);
  }
  return headers;
}

/** Those of one hop alone, and those that `Connection` names. The framing is decided elsewhere. */
function droppedNames(rawHeaders: RawHeaders): Set<string> {
  const named = headerList(rawHeaders, 'Connection').map((name) => name.toLowerCase());
  return new Set([...HOP_BY_HOP, ...named]);
}

function* pairs(rawHeaders: RawHeaders): Generator<[name: string, value: string]> {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    yield [rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''];
}
