/**
 * The values inside a connection string: Endpoint, OperationTimeout, Authentication. Each parser takes the function
 * that makes the error, so that all faults of a connection string sound alike.
 */
import type { HcmError } from './errors.ts';
import { normalizeHost, type Endpoint } from './relay-hosts.ts';

type Invalid = (reason: string, what: string) => HcmError;

/** Schemes that people write for a relay endpoint. All mean TLS; `sb` is Azure's own. */
const SCHEMES = new Set(['sb', 'https', 'wss']);
const DEFAULT_PORT = 443;

/** Reads `sb://host[:port]/`. Only host and port count; anything else in it is a mistake worth naming. */
export function parseEndpoint(text: string, invalid: Invalid): Endpoint {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^]*)$/i.exec(text);
  if (match === null)
    throw invalid('endpoint-uri', 'its Endpoint is not an address like sb://NAMESPACE-HOST/');
  const [, scheme = '', authority = '', rest = ''] = match;
  if (!SCHEMES.has(scheme.toLowerCase())) {
    throw invalid('endpoint-scheme', `its Endpoint starts with ${scheme}: instead of sb:`);
  }
  if (authority.includes('@')) throw invalid('endpoint-user', 'its Endpoint names a user');
  if (rest !== '' && rest !== '/') {
    throw invalid(
      'endpoint-path',
      'its Endpoint has more behind the host; the hybrid connection goes into EntityPath',
    );
  }
  const portText = /:([^:\]]*)$/.exec(authority)?.[1];
  const host = portText === undefined ? authority : authority.slice(0, -portText.length - 1);
  const port = portText === undefined || portText === '' ? DEFAULT_PORT : Number(portText);
  if (!/^\d*$/.test(portText ?? '') || port < 1 || port > 65_535) {
    throw invalid('endpoint-port', 'the port of its Endpoint is not a number from 1 to 65535');
  }
  const url = URL.canParse(`https://${host}/`) ? new URL(`https://${host}/`) : undefined;
  if (url === undefined || host === '') throw invalid('endpoint-host', 'its Endpoint has no usable host');
  return { host: normalizeHost(url.hostname), port };
}

/** Reads .NET's TimeSpan, `[d.]hh:mm:ss[.fffffff]`, as milliseconds; zero is refused. */
export function parseTimeSpan(text: string, invalid: Invalid): number {
  const match = /^(?:(\d{1,4})\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,7}))?$/.exec(text);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = (match ?? [])
    .slice(1, 5)
    .map((part) => Number(part ?? 0));
  if (match === null || hours > 23 || minutes > 59 || seconds > 59) {
    throw invalid('operation-timeout', 'its OperationTimeout is not a time like 00:01:00');
  }
  const ms =
    (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 +
    Math.floor(Number(`0.${match[5] ?? 0}`) * 1000);
  if (ms === 0) throw invalid('operation-timeout', 'its OperationTimeout is zero');
  return ms;
}

/** True for managed identity, spaces and case aside. Any other word means none; a number is refused, as in .NET. */
export function parseAuthentication(text: string, invalid: Invalid): boolean {
  const word = text.replace(/\s+/g, '').toLowerCase();
  if (/^[+-]?\d+$/.test(word)) throw invalid('authentication', 'its Authentication is a number');
  return word === 'managedidentity';
}
