/**
 * A request command, read and checked: what a handler may rely on. The relay is trusted to be the relay, but not to have
 * refused every request that two HTTP parsers would read in two ways.
 */
import type { RemoteEndpoint, RequestCommand } from '../../protocol/control-messages.ts';
import { HcmError } from '../../protocol/errors.ts';
import { sanitizeReason } from '../../protocol/tracking.ts';

export interface RequestFacts {
  readonly method: string;
  /** Path and query as the relay gave them, the connection's name in front. */
  readonly url: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly remote: RemoteEndpoint | undefined;
}

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A line break ends a header, a NUL ends it for programs in C, and no other control character is allowed (RFC 9110, 5.5). */
const NOT_IN_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const NOT_IN_TARGET = /[\u0000-\u001f\u007f]/;
/** Of these there is one, and node:http keeps the first; of others, the values are one list. */
const SINGLE = new Set(
  (
    'age authorization content-type etag expires from host if-modified-since if-unmodified-since last-modified ' +
    'location max-forwards proxy-authorization referer retry-after server user-agent'
  ).split(' '),
);
/** How long the body is, is told by what carried it, and by nothing else. */
const FRAMING = new Set(['content-length', 'transfer-encoding']);
/** An event names what was wrong with a request; it need not repeat all of it. */
const SHOWN_CHARS = 200;

/**
 * @param body the whole body, `stream` while its length is not known, undefined for none.
 * @throws HcmError HCM_REQUEST_INVALID
 */
export function readRequest(command: RequestCommand, body: Buffer | 'stream' | undefined): RequestFacts {
  const { method = '', requestTarget = '', requestHeaders = {}, remoteEndpoint } = command;
  if (!TOKEN.test(method)) throw invalid('its method is not a token');
  if (method === 'CONNECT') throw invalid('CONNECT cannot be relayed');
  if (!requestTarget.startsWith('/')) throw invalid('its path does not begin with a slash');
  if (NOT_IN_TARGET.test(requestTarget)) throw invalid('its path holds a control character');
  const rawHeaders = Object.entries(requestHeaders).filter(([name]) => !FRAMING.has(name.toLowerCase()));
  for (const [name, value] of rawHeaders) {
    if (!TOKEN.test(name)) throw invalid('the name of a header is not a token');
    if (NOT_IN_VALUE.test(value)) throw invalid(`the header ${name} holds a control character`);
  }
  if (body === 'stream') rawHeaders.push(['Transfer-Encoding', 'chunked']);
  else if (body !== undefined) rawHeaders.push(['Content-Length', String(body.length)]);
  return {
    method,
    url: requestTarget,
    rawHeaders: rawHeaders.flat(),
    headers: folded(rawHeaders),
    remote: remoteEndpoint,
  };
}

/** Of a request that cannot be read: enough to answer it, and to say in an event which it was. */
export function unreadableRequest(command: RequestCommand): RequestFacts {
  const { method = '', requestTarget = '', remoteEndpoint } = command;
  const shown = (text: string) => sanitizeReason(text).slice(0, SHOWN_CHARS);
  return {
    method: shown(method),
    url: shown(requestTarget),
    rawHeaders: [],
    headers: {},
    remote: remoteEndpoint,
  };
}

function folded(fields: readonly (readonly [string, string])[]): Record<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    const earlier = found.get(key);
    if (earlier === undefined) found.set(key, value);
    else if (!SINGLE.has(key)) found.set(key, `${earlier}${key === 'cookie' ? '; ' : ', '}${value}`);
  }
  return Object.fromEntries(found);
}

function invalid(what: string): HcmError {
  return new HcmError('HCM_REQUEST_INVALID', `The relay handed over a request that is not served: ${what}`);
}
