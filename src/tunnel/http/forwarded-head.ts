/**
 * The heads of a relayed request and of its answer, as they pass between relay and HTTP target: path, headers, and what of
 * them a sender must not be able to decide. Pure; framing is written by node:http.
 */
import { HcmError } from '../../protocol/errors.ts';
import { joinPath, prefixLocation, stripPrefix, type Mount } from '../../protocol/http-path.ts';
import { HOP_BY_HOP, isResponseStatus } from '../../protocol/relayed-http.ts';
import { hostHeaderOf, type HttpTargetAddress } from '../../protocol/target-address.ts';
import { sanitizeReason } from '../../protocol/tracking.ts';
import type { RelayedRequest } from './relayed-request.ts';

/** Methods whose requests usually have no body, as node:http sees it. */
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

export interface ForwardingRules {
  /** The connection's name stays in front of the path. */
  keepPath?: boolean | undefined;
  /** `original`: the sender's `Host`; other text: itself; undefined: the target's. */
  hostHeader?: string | undefined;
}

export interface ForwardedHead {
  /** Path and query for the target. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  /** For the addresses in the answer. */
  readonly mount: Mount;
}

/** What a head of ours says itself, in one direction or the other. */
const OURS = new Set([
  ...['host', 'content-length', 'expect'],
  ...['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-prefix'],
  // Other words for the same: frameworks that heed them would believe the sender over this head.
  ...['forwarded', 'x-forwarded-port', 'x-forwarded-scheme', 'x-forwarded-ssl'],
]);
/** Of one connection, beside those that the relay takes out itself. */
const OF_CONNECTION = new Set(['proxy-authenticate', 'proxy-authorization', 'http2-settings']);
const LOCATIONS = new Set(['location', 'content-location']);

type Request = Pick<RelayedRequest, 'entity' | 'url' | 'method' | 'headers' | 'rawHeaders' | 'remote'>;

/** @throws HcmError HCM_REQUEST_INVALID when the path would leave what the listener serves. */
export function forwardedHead(
  request: Request,
  address: HttpTargetAddress,
  { keepPath = false, hostHeader }: ForwardingRules,
): ForwardedHead {
  const { url, headers, remote } = request;
  const stripped = keepPath ? undefined : stripPrefix(url, request.entity);
  const { prefix, target } = stripped ?? { prefix: '', target: url };
  const path = joinPath('', target);
  // Resolved, `/a%2fb/../..%2f` has fewer levels to climb from than it seems to have: both must stay inside.
  if (climbsOut(target) || climbsOut(path)) {
    const text = 'The relay handed over a request that is not served: its path climbs above its root';
    throw new HcmError('HCM_REQUEST_INVALID', text);
  }
  const asked = headers.host;
  const host = hostHeader === 'original' ? asked : hostHeader;
  const own = hostHeaderOf(address);
  const forwarded = [
    ...['Host', host ?? own],
    ...(remote ? ['X-Forwarded-For', appended(headers['x-forwarded-for'], remote.address)] : []),
    ...['X-Forwarded-Proto', 'https'],
    ...(asked === undefined ? [] : ['X-Forwarded-Host', asked]),
    ...(prefix === '' ? [] : ['X-Forwarded-Prefix', prefix]),
  ];
  return {
    path: escaped(joinPath(address.basePath, path)),
    headers: [...forwarded, ...passedOn(request.rawHeaders).flat(), ...framingOf(request)].map(asLatin1),
    mount: {
      prefix,
      basePath: address.basePath,
      // The name by which the target knows itself.
      targetHost: hostHeader === 'original' ? own : (host ?? own),
      publicHost: asked,
    },
  };
}

export interface AnswerHead {
  readonly statusCode: number;
  readonly statusMessage: string | undefined;
  /** Names and values, repeated names as often as they came. */
  readonly headers: [string, string][];
}

/** @throws HcmError HCM_RESPONSE_INVALID for a status that cannot be relayed. */
export function answerHead(
  answer: {
    statusCode?: number | undefined;
    statusMessage?: string | undefined;
    rawHeaders: readonly string[];
  },
  mount: Mount,
): AnswerHead {
  const { statusCode = 0, statusMessage = '', rawHeaders } = answer;
  if (!isResponseStatus(statusCode))
    throw new HcmError('HCM_RESPONSE_INVALID', `${mount.targetHost} answered with status ${statusCode}`);
  const dropped = ofConnection(rawHeaders);
  const headers = pairs(rawHeaders)
    .filter(([name]) => !dropped.has(name.toLowerCase()))
    .map(([name, value]): [string, string] =>
      LOCATIONS.has(name.toLowerCase()) ? [name, prefixLocation(value, mount)] : [name, value],
    );
  const said = sanitizeReason(statusMessage);
  return { statusCode, statusMessage: said === '' ? undefined : said, headers };
}

/**
 * What of a sender's headers the target gets. A name with `_` is `-` to CGI programs: one that would there replace what
 * this head says itself is left out.
 */
function passedOn(rawHeaders: readonly string[]): [string, string][] {
  const dropped = ofConnection(rawHeaders);
  return pairs(rawHeaders).filter(([name]) => {
    const folded = name.toLowerCase();
    const asCgi = folded.replaceAll('_', '-');
    return !OURS.has(asCgi) && !dropped.has(folded) && !HOP_BY_HOP.has(asCgi) && !OF_CONNECTION.has(asCgi);
  });
}

/** The headers of one connection: the fixed ones, and those that `Connection` names. */
function ofConnection(rawHeaders: readonly string[]): Set<string> {
  const named = pairs(rawHeaders)
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((name) => name.trim().toLowerCase()));
  return new Set([...HOP_BY_HOP, ...OF_CONNECTION, ...named]);
}

/** How the body is framed: by what carried it here, and by no header of the sender. */
function framingOf({ method, headers }: Request): string[] {
  const length = headers['content-length'];
  if (length !== undefined) return ['Content-Length', length];
  if (headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked'];
  // Where a body is usual, servers may ask for a length (RFC 9110, 8.6), and node:http would send an empty chunk.
  return WITHOUT_BODY.has(method) ? [] : ['Content-Length', '0'];
}

/** True when `..` leads above the root, also where a server takes `%2e`, `%2f`, `\` or `;parameters` for what they mean. */
function climbsOut(target: string): boolean {
  let depth = 0;
  for (const segment of target.replace(/[?#].*$/s, '').split(/[/\\]|%2f|%5c/i)) {
    const name = segment.replace(/(?:;|%3b).*$/is, '').replace(/%2e/gi, '.');
    if (name === '..') depth -= 1;
    else if (name !== '' && name !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** The relay may have decoded escapes; on a request line they must stand again. */
function escaped(path: string): string {
  return path.replace(/[^\u0021-\u007e]|#/gu, (char) => {
    const bytes = [...Buffer.from(char)];
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}

/** A header line holds bytes: text that is more than Latin-1 was UTF-8. */
function asLatin1(text: string): string {
  return /[^\u0000-\u00ff]/.test(text) ? Buffer.from(text).toString('latin1') : text;
}

function appended(list: string | undefined, item: string): string {
  return list === undefined || list.trim() === '' ? item : `${list}, ${item}`;
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    found.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '']);
  return found;
}
