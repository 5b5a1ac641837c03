/**
 * Shared access signature tokens: signing one, reading one, and the two questions a relay asks of it (is the
 * signature right, does its audience cover the request). Format from Azure's page on Service Bus SAS and the .NET
 * client (SharedAccessSignatureTokenProvider). Whose key it is, and what the key may do, is not decided here.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { HcmError } from './errors.ts';
import { decodePercent, decodeQueryText } from './query-filter.ts';
import { normalizeHost, urlHost } from './relay-hosts.ts';

const SCHEME = /^SharedAccessSignature\s+/i;

export interface SasTokenRequest {
  /** What the token is for, see `sasResource`. */
  readonly resource: string;
  readonly keyName: string;
  /** The key as text: the base64 itself is the secret, it is not decoded. */
  readonly key: string;
  /** Milliseconds since 1970; cut to whole seconds. */
  readonly expiresAtMs: number;
}

/** A token's parts. The signature covers `rawResource` and `rawExpiry`, so both are kept to the letter. */
export interface ParsedSasToken {
  readonly resource: string;
  readonly keyName: string;
  readonly expiresAtMs: number;
  /** Base64, not checked yet. */
  readonly signature: string;
  readonly rawResource: string;
  readonly rawExpiry: string;
}

/** Mints a token: `SharedAccessSignature sr=…&sig=…&se=…&skn=…`. */
export function signSasToken({ resource, keyName, key, expiresAtMs }: SasTokenRequest): string {
  const sr = encodeURIComponent(resource);
  const se = String(Math.floor(expiresAtMs / 1000));
  const sig = encodeURIComponent(signatureOf(sr, se, key));
  return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${se}&skn=${encodeURIComponent(keyName)}`;
}

/**
 * The audience of a token for an entity (or, with an empty path, a namespace) in the form of the .NET client:
 * scheme http, lower-case host without port, a slash at the end.
 */
export function sasResource(host: string, path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return `http://${urlHost(normalizeHost(host))}/${trimmed === '' ? '' : `${trimmed}/`}`;
}

/** True when the text is a SAS token rather than an Entra token; an optional `Bearer ` in front is ignored. */
export function isSasToken(text: string): boolean {
  return SCHEME.test(stripBearer(text));
}

/** The token without an optional `Bearer ` in front. Microsoft's clients send none. */
export function stripBearer(text: string): string {
  return text.trim().replace(/^Bearer\s+/i, '');
}

/**
 * Reads a token: pairs in any order, unknown pairs ignored.
 * @throws HcmError HCM_TOKEN_MALFORMED; `details.reason` is not-sas, repeated-pair, missing-<pair> or expiry.
 */
export function parseSasToken(text: string): ParsedSasToken {
  const token = stripBearer(text);
  const scheme = SCHEME.exec(token);
  if (scheme === null) throw malformed('not-sas', 'it does not start with "SharedAccessSignature "');
  const pairs = new Map<string, string>();
  for (const part of token.slice(scheme[0].length).split('&')) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    if (pairs.has(name)) throw malformed('repeated-pair', 'one of its parts occurs twice');
    pairs.set(name, part.slice(equals + 1).trim());
  }
  const need = (name: string): string => {
    const value = pairs.get(name);
    if (value === undefined || value === '')
      throw malformed(`missing-${name}`, `its part "${name}" is missing`);
    return value;
  };
  const rawResource = need('sr');
  const rawExpiry = need('se');
  if (!/^\d{1,12}$/.test(rawExpiry)) throw malformed('expiry', 'its part "se" is not a number of seconds');
  return {
    resource: decodeQueryText(rawResource),
    keyName: decodeQueryText(need('skn')),
    expiresAtMs: Number(rawExpiry) * 1000,
    // Base64 has no space, so a `+` that somebody forgot to escape can only mean itself.
    signature: decodePercent(need('sig')),
    rawResource,
    rawExpiry,
  };
}

/** True when `key` made the token's signature. Takes the same time whatever differs. */
export function verifySasSignature(parsed: ParsedSasToken, key: string): boolean {
  const expected = Buffer.from(signatureOf(parsed.rawResource, parsed.rawExpiry, key));
  const given = Buffer.from(parsed.signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * True when a token for `parsedResource` is good for `path` at one of `hosts`: same host (scheme, port, user and
 * query do not count, case neither) and a path that is a prefix of whole segments; no path covers the namespace.
 * @param parsedResource the decoded resource of the token.
 * @param hosts every name of the namespace, with or without port.
 * @param path the requested path, decoded.
 */
export function audienceCovers(parsedResource: string, hosts: readonly string[], path: string): boolean {
  const audience = splitResource(parsedResource);
  const isNamed =
    hosts.includes(audience.host) || hosts.some((host) => splitResource(host).host === audience.host);
  if (!isNamed) return false;
  const wanted = `${path.toLowerCase().replace(/^\/+|\/+$/g, '')}/`;
  return audience.path === '' || wanted.startsWith(`${audience.path}/`);
}

function splitResource(resource: string): { host: string; path: string } {
  const bare = resource
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/[?#].*$/s, '');
  const slash = bare.indexOf('/');
  const authority = (slash < 0 ? bare : bare.slice(0, slash)).replace(/^.*@/, '');
  const path = slash < 0 ? '' : bare.slice(slash);
  // A bare IPv6 address has more than one colon and no port.
  const host = /^[^:]*:\d*$|^\[.*\]:\d*$/.test(authority) ? authority.replace(/:\d*$/, '') : authority;
  return {
    host: normalizeHost(host),
    path: decodePercent(path)
      .toLowerCase()
      .replace(/^\/+|\/+$/g, ''),
  };
}

function signatureOf(rawResource: string, rawExpiry: string, key: string): string {
  return createHmac('sha256', Buffer.from(key, 'utf8'))
    .update(`${rawResource}\n${rawExpiry}`)
    .digest('base64');
}

function malformed(reason: string, what: string): HcmError {
  return new HcmError('HCM_TOKEN_MALFORMED', `The token cannot be read: ${what}.`, { details: { reason } });
}
