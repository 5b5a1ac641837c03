/**
 * What a listener may reach, in one text: `HOST:PORT`, `tcp:HOST:PORT`, `unix:PATH`, `udp:HOST:PORT`, or an http(s)
 * URL. Resolves no names, opens nothing, and repeats no password that stands in a URL.
 */
import { HcmError } from './errors.ts';
import { formatTarget, isUsablePath, parseTarget, socketPath, UNIX_PATH_MAX_BYTES } from './target.ts';

/** `host` is a name or an address, without `[]`. */
export type TargetAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A Unix socket, or a Windows pipe. */
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'udp'; readonly host: string; readonly port: number }
  | HttpTargetAddress;

export interface HttpTargetAddress {
  readonly kind: 'http';
  /** True: https. */
  readonly secure: boolean;
  /** As a `Host` header may carry it: names in ASCII. */
  readonly host: string;
  readonly port: number;
  /** Empty, or `/` and more without a `/` at its end; percent-encoded, no query. */
  readonly basePath: string;
}

const DEFAULT_PORT = { http: 80, https: 443 };

/**
 * @throws HcmError HCM_TARGET_INVALID; `details.reason` is one of `parseTarget`'s (empty, scheme, ipv6-brackets,
 * port-missing, port, host), or path, userinfo, query.
 */
export function parseTargetAddress(text: string): TargetAddress {
  const trimmed = text.trim();
  const path = socketPath(trimmed);
  if (path !== undefined) {
    if (!isUsablePath(path)) throw fault('path', 'It has no usable path after unix:');
    const bytes = Buffer.byteLength(path);
    if (bytes > UNIX_PATH_MAX_BYTES && !path.startsWith('\\\\'))
      throw fault('path', `Its path has ${bytes} bytes, and ${UNIX_PATH_MAX_BYTES} are possible`);
    return { kind: 'unix', path };
  }
  const url = /^(https?):\/\/(.*)$/is.exec(trimmed);
  if (url !== null) return parseHttp(url[1]?.toLowerCase() === 'https' ? 'https' : 'http', url[2] ?? '');
  // `http:80` has no `//`: it is port 80 of a host that is called http.
  const [prefix, kind] = /^(tcp|udp):(?!\/\/)/i.exec(trimmed) ?? ['', 'tcp'];
  const target = parseTarget(trimmed.slice(prefix.length));
  return { kind: kind?.toLowerCase() === 'udp' ? 'udp' : 'tcp', ...target };
}

/** Writes an address as `parseTargetAddress` reads it, and as it stands in events. */
export function formatTargetAddress(address: TargetAddress): string {
  switch (address.kind) {
    case 'tcp': {
      const text = formatTarget(address);
      return /^(?:tcp|udp|unix):/i.test(text) ? `tcp:${text}` : text;
    }
    case 'udp':
      return `udp:${formatTarget(address)}`;
    case 'unix':
      return `unix:${address.path}`;
    case 'http': {
      const scheme = address.secure ? 'https' : 'http';
      return `${scheme}://${hostHeaderOf(address)}${address.basePath}`;
    }
  }
}

/** What a client of the address says in its `Host` header: no default port, and no zone, which is ours alone. */
export function hostHeaderOf({ secure, host, port }: HttpTargetAddress): string {
  const text = formatTarget({ host: host.replace(/%.*$/, ''), port });
  const standard = `:${DEFAULT_PORT[secure ? 'https' : 'http']}`;
  return text.endsWith(standard) ? text.slice(0, -standard.length) : text;
}

function parseHttp(scheme: 'http' | 'https', rest: string): HttpTargetAddress {
  const [, authority = '', path = ''] = /^([^/\\?#]*)(.*)$/s.exec(rest) ?? [];
  if (authority.includes('@'))
    throw fault('userinfo', 'A URL with a user name or a password is not taken; write http://HOST:PORT');
  if (authority === '') throw fault('host', 'The URL has no host');
  if (/[?#]/.test(path))
    throw fault('query', 'The URL has a query or a fragment; only a path may follow HOST');
  const hasNoPort = /^(?:\[[^\]]*\]|[^:[]*)$/.test(authority);
  const target = parseTarget(hasNoPort ? `${authority}:${DEFAULT_PORT[scheme]}` : authority);
  return {
    kind: 'http',
    secure: scheme === 'https',
    host: asciiHost(target.host),
    port: target.port,
    basePath: basePathOf(path),
  };
}

function basePathOf(path: string): string {
  // A control character would be dropped silently by the URL parser.
  if (/[\u0000-\u001f\u007f]/.test(path))
    throw fault('path', 'The path of the URL holds a control character');
  return new URL(`http://host${path}`).pathname.replace(/\/+$/, '');
}

function asciiHost(host: string): string {
  // A zone stands in no URL that the parser takes.
  if (host.includes('%')) return host;
  const url = `http://${formatTarget({ host, port: 1 })}`;
  if (!URL.canParse(url)) throw fault('host', 'The URL has no usable host');
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}

function fault(reason: string, what: string): HcmError {
  return new HcmError('HCM_TARGET_INVALID', `The target cannot be used: ${what}.`, { details: { reason } });
}
