/**
 * The relay's side of an address: reads what a client put on its request line, and finds the entity it means.
 * Lenient where clients in the field are sloppy; it decides nothing about rights.
 */
import { decodePercent, filterQuery, queryPairs } from './query-filter.ts';

/** What one request line asks of the relay. */
export interface RelayRequestTarget {
  /** `websocket` for paths below `/$hc`, `http` for everything else. */
  readonly kind: 'websocket' | 'http';
  /** Entity and suffix, decoded, without `/$hc` and without a slash in front: what `matchEntity` takes. */
  readonly path: string;
  /** The same as sent: a slash in front, escapes kept, without `/$hc`. */
  readonly rawPath: string;
  /** Lower-cased; `listen`, `connect`, `accept`, `request`, or a word the caller refuses. Absent means connect. */
  readonly action: string | undefined;
  readonly id: string | undefined;
  readonly token: string | undefined;
  /** Present when a listener rejects. NaN when what was sent is not a number. */
  readonly statusCode: number | undefined;
  readonly statusDescription: string | undefined;
  readonly sasKeyName: string | undefined;
  readonly sasKey: string | undefined;
  /** What the other side may see of the query: no `?`, escapes kept, without the relay's own pairs. */
  readonly userQuery: string;
}

/** An escaped `?` with the relay's own parameters behind it, as senders on Go's reverse proxy seem to send. */
const ESCAPED_QUERY = /%3f(?=(?:[^/]*&)?sb-hc-)/i;

/** Reads a request target (`/$hc/path/suffix?query`, also in absolute form). Never throws. */
export function parseRelayRequest(target: string): RelayRequestTarget {
  const local = originForm(target);
  const mark = local.indexOf('?');
  let fullPath = mark < 0 ? local : local.slice(0, mark);
  let query = mark < 0 ? '' : local.slice(mark + 1);

  const prefix = /^\/(?:\$|%24)(?:h|%[46]8)(?:c|%[46]3)(?=\/|$|%2f|%3f)/i.exec(fullPath)?.[0];
  if (prefix !== undefined) {
    fullPath = fullPath.slice(prefix.length);
    const escaped = ESCAPED_QUERY.exec(fullPath);
    if (escaped !== null) {
      const found = fullPath.slice(escaped.index + escaped[0].length);
      query = query === '' ? found : `${found}&${query}`;
      fullPath = fullPath.slice(0, escaped.index);
    }
  }
  const rawPath = fullPath.startsWith('/') ? fullPath : `/${fullPath}`;
  return {
    kind: prefix === undefined ? 'http' : 'websocket',
    path: decodePercent(rawPath).replace(/^\/+/, ''),
    rawPath,
    ...parametersOf(query),
    userQuery: filterQuery(query),
  };
}

/** Path and query alone. */
function originForm(target: string): string {
  const local = target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const fragment = local.indexOf('#');
  return fragment < 0 ? local : local.slice(0, fragment);
}

function parametersOf(query: string): Omit<RelayRequestTarget, 'kind' | 'path' | 'rawPath' | 'userQuery'> {
  const pairs = queryPairs(query);
  const action = pairs.get('sb-hc-action')?.trim().toLowerCase();
  // hyco-websocket rejects with the unprefixed names; in any other action these belong to the user.
  const bare = action === 'accept';
  const status = pairs.get('sb-hc-statuscode') ?? (bare ? pairs.get('statuscode') : undefined);
  const description =
    pairs.get('sb-hc-statusdescription') ?? (bare ? pairs.get('statusdescription') : undefined);
  return {
    action: action === '' ? undefined : action,
    id: pairs.get('sb-hc-id'),
    token: pairs.get('sb-hc-token'),
    statusCode: status === undefined ? undefined : /^\d{1,9}$/.test(status) ? Number(status) : NaN,
    statusDescription: description,
    sasKeyName: pairs.get('sb-hc-sas-key-name'),
    sasKey: pairs.get('sb-hc-sas-key'),
  };
}

/**
 * Finds the entity a path means: the longest name that is a prefix of whole segments, compared without case.
 * @param path decoded, with or without a slash in front.
 * @returns the name as registered, and the rest of the path (`''` or with a slash in front).
 */
export function matchEntity(
  path: string,
  names: Iterable<string>,
): { name: string; suffix: string } | undefined {
  const wanted = path.replace(/^\/+/, '');
  const folded = `${wanted.toLowerCase()}/`;
  let best: string | undefined;
  for (const name of names) {
    if (best !== undefined && name.length <= best.length) continue;
    if (name !== '' && folded.startsWith(`${name.toLowerCase()}/`)) best = name;
  }
  return best === undefined ? undefined : { name: best, suffix: wanted.slice(best.length) };
}
