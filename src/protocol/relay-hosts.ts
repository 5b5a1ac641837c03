/**
 * Host names of the relay: the suffix of each cloud, loopback names, and whether a rendezvous address that a relay
 * handed out may be dialed at all. Knows nothing about DNS.
 */
import { HcmError } from './errors.ts';

/** Where one namespace is reached. `host` is lower-case, without port and without `[]`. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What follows the namespace's name in its host, by cloud (Azure's documentation of each cloud). */
export const CLOUD_SUFFIXES = {
  public: 'servicebus.windows.net',
  usgov: 'servicebus.usgovcloudapi.net',
  china: 'servicebus.chinacloudapi.cn',
  germany: 'servicebus.cloudapi.de',
  local: 'servicebus.localhost',
} as const;

export type CloudSuffix = (typeof CLOUD_SUFFIXES)[keyof typeof CLOUD_SUFFIXES];

const DOTTED_SUFFIXES = Object.values(CLOUD_SUFFIXES).map((suffix) => [`.${suffix}`, suffix] as const);

/** Sibling hosts under a suffix of our own making are trusted only when the suffix is at least this deep. */
const SIBLING_SUFFIX_MIN_LABELS = 3;

/** The suffix of the Azure cloud (or local Azure) that a host belongs to; undefined for every other host. */
export function cloudSuffixOf(host: string): CloudSuffix | undefined {
  const name = normalizeHost(host);
  return DOTTED_SUFFIXES.find(([dotted]) => name.endsWith(dotted))?.[1];
}

/** True for `<namespace>.<suffix of a cloud>`, its private-link form too. */
export function isRelayNamespaceHost(host: string): boolean {
  const suffix = cloudSuffixOf(host);
  if (suffix === undefined) return false;
  const name = normalizeHost(host).slice(0, -suffix.length - 1);
  return /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.privatelink)?$/.test(name);
}

/** True for `localhost`, `*.localhost`, 127.0.0.0/8 and `::1`: names that RFC 6761 keeps on this machine. */
export function isLoopbackName(host: string): boolean {
  const name = normalizeHost(host);
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(name)
  );
}

/** The host as a URL needs it: IPv6 in `[]`. */
export function urlHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** Lower-case, without `[]` and without the final dot. */
export function normalizeHost(host: string): string {
  const lower = host.toLowerCase();
  const bare = lower.startsWith('[') && lower.endsWith(']') ? lower.slice(1, -1) : lower;
  return bare.endsWith('.') ? bare.slice(0, -1) : bare;
}

/**
 * Checks an address from an `accept` or `request` message before it is dialed. The address is otherwise opaque;
 * it is a secret, so no message repeats its path or query.
 * @throws HcmError HCM_HANDSHAKE_FAILED, `details.reason`: not-a-url, not-wss, user-info or foreign-host.
 */
export function checkRendezvousAddress(address: string, namespaceHost: string): URL {
  const url = parseUrl(address);
  if (url === undefined) throw unusable('not-a-url', 'it is not a URL');
  if (url.protocol !== 'wss:') throw unusable('not-wss', `it starts with ${url.protocol} instead of wss:`);
  if (url.username !== '' || url.password !== '') throw unusable('user-info', 'it names a user');
  if (!mayServe(normalizeHost(url.hostname), normalizeHost(namespaceHost))) {
    throw unusable('foreign-host', `its host ${url.hostname} does not belong to ${namespaceHost}`);
  }
  return url;
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** Gateways have names of their own under the suffix of the namespace's cloud; elsewhere the host itself answers. */
function mayServe(host: string, namespaceHost: string): boolean {
  if (isLoopbackName(namespaceHost)) return isLoopbackName(host);
  const suffix = cloudSuffixOf(namespaceHost) ?? ownSuffixOf(namespaceHost);
  return host === namespaceHost || (suffix !== undefined && host.endsWith(`.${suffix}`));
}

function ownSuffixOf(namespaceHost: string): string | undefined {
  if (namespaceHost.includes(':') || /^[\d.]+$/.test(namespaceHost)) return undefined;
  const labels = namespaceHost.split('.').slice(1);
  return labels.length >= SIBLING_SUFFIX_MIN_LABELS ? labels.join('.') : undefined;
}

function unusable(reason: string, what: string): HcmError {
  return new HcmError(
    'HCM_HANDSHAKE_FAILED',
    `The relay gave a rendezvous address that is not used: ${what}.`,
    {
      details: { reason },
    },
  );
}
