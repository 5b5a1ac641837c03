// What may differ between a direct request and the same one through the relay: as data, with the reason of each. Whatever
// is not written here must be equal. `expectedThrough` turns a direct observation into the one that the relay must give.
import type { Answer } from './exchange.ts';
import { readSeen, type Seen } from './mix-handler.ts';

/** What the relay calls itself in Via: the host of the namespace, without port. */
const RELAY_NAME = 'localhost';

/** The largest body that the relay gives whole. */
const INLINE_MAX_BYTES = 65_536;

/** Methods whose requests have no length when they have no body. */
const WITHOUT_LENGTH = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** An answer, and what the handler saw of the request when the handler told. */
export interface Observation {
  readonly status: number;
  readonly phrase: string;
  /** Names in lower case; a list where several lines came. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly bytes: number;
  readonly sha256: string;
  readonly end: Answer['end'];
  readonly seen?: Seen | undefined;
}

export interface Differences {
  /** Request headers that do not reach the handler. */
  readonly requestHeadersLost: Readonly<Record<string, string>>;
  /** What the handler sees besides, computed from what it sees directly. */
  readonly requestHeadersChanged: (
    direct: Readonly<Record<string, string | readonly string[]>>,
    method: string,
  ) => Readonly<Record<string, string | undefined>>;
  /** What the listener says of its own connection with the target. */
  readonly requestHeadersOwn?: readonly string[];
  readonly url: (direct: string) => string;
  /** Answer headers that are made anew for each connection, or not at all. */
  readonly answerHeadersLost: Readonly<Record<string, string>>;
  readonly answerHeadersChanged: (
    direct: Readonly<Record<string, readonly string[]>>,
  ) => Readonly<Record<string, readonly string[] | undefined>>;
  /** What several lines of one header become. */
  readonly severalLines: (values: readonly string[], name: string) => readonly string[];
  /** Where the listener's phrase for a status is another than Node's, and the handler gave none. */
  readonly phrases: (status: number, direct: string) => string;
}

/** What the relay changes, whoever listens. */
export function relayDifferences(): Differences {
  return {
    requestHeadersLost: {
      connection: 'of one connection, not of the request',
      'keep-alive': 'of one connection',
      te: 'of one connection',
      'transfer-encoding': 'of one connection',
      'content-length': 'the service removes it; the body says how long it is',
      servicebusauthorization: 'the token is for the relay',
      expect: 'the relay answers it',
    },
    requestHeadersChanged: ({ via }) => ({
      via: `${via === undefined ? '' : `${String(via)}, `}1.1 ${RELAY_NAME}`,
    }),
    url: (direct) => direct.replace(/\?$/, ''), // an empty query is none
    answerHeadersLost: {
      connection: 'of one connection',
      'keep-alive': 'of one connection',
      'transfer-encoding': 'of one connection',
      'content-length': 'the relay knows it, or sends chunks',
      date: 'made by whoever answers',
    },
    answerHeadersChanged: ({ via }) => ({ via: [[...(via ?? []), `1.1 ${RELAY_NAME}`].join(', ')] }),
    severalLines: (values) => [values.join(', ')], // a JSON object has each name once
    phrases: (_status, direct) => direct,
  };
}

/** What Microsoft's hyco-https 1.4.5 changes besides. */
export function hycoDifferences(): Differences {
  return {
    ...relayDifferences(),
    severalLines: (values) => values.slice(0, 1), // it sends the first value of a list only
    // its table is that of an older Node
    phrases: (status, direct) => ({ 418: "I'm a teapot", 425: 'Unordered Collection' })[status] ?? direct,
  };
}

/** What our own listener changes besides, for a program's handler. */
export function ownDifferences(): Differences {
  const relay = relayDifferences();
  return {
    ...relay,
    requestHeadersChanged: (direct, method) => ({
      ...relay.requestHeadersChanged(direct, method),
      ...framingOf(direct, '0'),
    }),
    // a status without a name has no phrase: HTTP wants none
    phrases: (_status, direct) => (direct === 'unknown' ? '' : direct),
  };
}

/**
 * Our listener tells the handler how the body came to it: with a length where the relay gave it whole, else in chunks.
 * @param without the length that is not told.
 */
function framingOf(
  direct: Readonly<Record<string, string | readonly string[]>>,
  without: string,
): Record<string, string | undefined> {
  const length = direct['content-length'];
  if (length === undefined) return { 'transfer-encoding': direct['transfer-encoding'] as string | undefined };
  if (length === without) return {};
  if (Number(length) <= INLINE_MAX_BYTES) return { 'content-length': String(length) };
  return { 'transfer-encoding': 'chunked' };
}

/** What `hcm listen --target http://...` changes besides: the target is asked under its own name. */
export function targetDifferences(relayHost: string, targetHost: string, prefix: string): Differences {
  const relay = relayDifferences();
  return {
    ...relay,
    requestHeadersLost: {
      ...relay.requestHeadersLost,
      forwarded: 'frameworks that prefer it to X-Forwarded-* would believe the sender',
    },
    requestHeadersOwn: ['connection'], // kept where a request may be sent twice, else closed
    requestHeadersChanged: (direct, method) => {
      const before = direct['x-forwarded-for'];
      const isBare = direct['content-length'] === undefined && direct['transfer-encoding'] === undefined;
      return {
        ...relay.requestHeadersChanged(direct, method),
        // a length of 0 where a body is usual: servers may insist on one
        ...(isBare && !WITHOUT_LENGTH.has(method) ? { 'content-length': '0' } : framingOf(direct, '')),
        host: targetHost,
        'x-forwarded-for': `${before === undefined ? '' : `${String(before)}, `}127.0.0.1`,
        'x-forwarded-host': relayHost,
        'x-forwarded-proto': 'https',
        'x-forwarded-prefix': prefix,
      };
    },
    url: (direct) => {
      const rest = direct.slice(prefix.length);
      const [path = '', ...query] = relay.url(rest.startsWith('/') ? rest : `/${rest}`).split(/(?=\?)/);
      return resolveDots(path) + query.join('');
    },
  };
}

/** The listener resolves `.` and `..`, so that nothing leaves the path that the target was given. */
function resolveDots(path: string): string {
  return path.replaceAll(/\/\.(?=\/|$)/g, '').replaceAll(/\/[^/]+\/\.\.(?=\/|$)/g, '');
}

/** The answers of a site through `hcm listen`: to senders at the relay, or to clients of `hcm forward --http`. */
export function siteDifferences(site: {
  targetHost: string;
  /** The path that stands for the connection; '' where the client does not see it. */
  prefix: string;
  /** Only our own local port takes joined cookies apart again. */
  splitsCookies: boolean;
}): Differences {
  const relay = relayDifferences();
  const below = (address: string): string => {
    const path = address.startsWith(`http://${site.targetHost}/`)
      ? address.slice(`http://${site.targetHost}`.length)
      : address;
    return path.startsWith('/') ? site.prefix + path : path;
  };
  return {
    ...relay,
    answerHeadersChanged: (direct) => ({
      ...relay.answerHeadersChanged(direct),
      location: direct['location']?.map(below),
    }),
    severalLines: (values, name) => {
      return name === 'set-cookie' && site.splitsCookies ? values : relay.severalLines(values, name);
    },
  };
}

export function observe(answer: Answer): Observation {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of answer.headers) (headers[name] ??= []).push(value);
  const saw = headers['x-saw']?.[0];
  delete headers['x-saw'];
  const { status, phrase, bytes, sha256, end } = answer;
  return { status, phrase, headers, bytes, sha256, end, seen: saw === undefined ? undefined : readSeen(saw) };
}

/** The observation that the relay must give where `direct` was given without it. */
export function expectedThrough(direct: Observation, rules: Differences): Observation {
  const headers: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(direct.headers)) {
    if (name in rules.answerHeadersLost) continue;
    headers[name] = values.length > 1 ? rules.severalLines(values, name) : values;
  }
  assignDefined(headers, rules.answerHeadersChanged(direct.headers));
  return {
    ...direct,
    phrase: rules.phrases(direct.status, direct.phrase),
    headers,
    seen: direct.seen && expectedSeen(direct.seen, rules),
  };
}

function expectedSeen(seen: Seen, rules: Differences): Seen {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(seen.headers)) {
    if (!(name in rules.requestHeadersLost)) headers[name] = value;
  }
  assignDefined(headers, rules.requestHeadersChanged(seen.headers, seen.method));
  return { ...seen, url: rules.url(seen.url), headers };
}

/** The observation through the relay without what is made anew on each connection. */
export function withoutOwn(relayed: Observation, rules: Differences): Observation {
  const { seen } = relayed;
  const own = rules.requestHeadersOwn ?? [];
  return {
    ...relayed,
    headers: filterNames(relayed.headers, (name) => !(name in rules.answerHeadersLost)),
    seen: seen && { ...seen, headers: filterNames(seen.headers, (name) => !own.includes(name)) },
  };
}

function filterNames<T>(
  headers: Readonly<Record<string, T>>,
  keeps: (name: string) => boolean,
): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => keeps(name)));
}

/** Is the length that the answer announces, if it does, the one of its body? */
export function announcesItsLength(answer: Answer, method: string): boolean {
  const announced = answer.headers.filter(([name]) => name === 'content-length');
  if (announced.length === 0) return true;
  if (announced.length > 1) return false;
  if (method === 'HEAD' || answer.status === 304 || answer.end !== 'whole') return true;
  return Number(announced[0]?.[1]) === answer.bytes;
}

function assignDefined<T>(into: Record<string, T>, more: Readonly<Record<string, T | undefined>>): void {
  for (const [name, value] of Object.entries(more)) {
    if (value === undefined) delete into[name];
    else into[name] = value;
  }
}
