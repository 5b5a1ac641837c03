/**
 * `HOST:PORT` texts: the target on the private side, and the local address that a sender binds. IPv6 stands in `[]`
 * in text and without them in values. Resolves no names.
 */
import { isIPv6 } from 'node:net';
import { HcmError, type ErrorCode } from './errors.ts';

/** The service on the private side. `host` is a name or an address, without `[]`. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Where a sender takes streams on this machine. TCP port 0 is any free port. */
export type StreamBind =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Where a sender listens on this machine, for streams or for datagrams. */
export type Bind = StreamBind | { readonly kind: 'udp'; readonly host: string; readonly port: number };

const DEFAULT_BIND_HOST = '127.0.0.1';

/** What Linux takes for a socket (unix(7), less the final zero); a longer path would be cut, silently. */
export const UNIX_PATH_MAX_BYTES = 107;

/**
 * Reads `HOST:PORT` or `[IPV6]:PORT`, port 1 to 65535.
 * @throws HcmError HCM_TARGET_INVALID; `details.reason` is empty, scheme, ipv6-brackets, port-missing, port or host.
 */
export function parseTarget(text: string): Target {
  const { host, port } = parseHostPort(text.trim(), 'HCM_TARGET_INVALID', 1);
  if (host === undefined) throw fault('HCM_TARGET_INVALID', 'host', text, 'it has no host; write HOST:PORT');
  return { host, port };
}

/** Writes a target as `parseTarget` reads it. */
export function formatTarget({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Reads `[ADDR:]PORT` (the address is 127.0.0.1 when left out, the port may be 0), `unix:PATH`, an absolute path, or
 * a Windows pipe (`\\.\pipe\NAME`); with `udp` also `udp:[ADDR:]PORT`.
 * @throws HcmError HCM_BIND_INVALID with the reasons of `parseTarget`, or path.
 */
export function parseBind(text: string): StreamBind;
export function parseBind(text: string, options: { udp: true }): Bind;
export function parseBind(text: string, { udp = false } = {}): Bind {
  const trimmed = text.trim();
  const path = socketPath(trimmed);
  if (path !== undefined) {
    if (!isUsablePath(path)) throw fault('HCM_BIND_INVALID', 'path', text, 'it has no usable path');
    return { kind: 'unix', path };
  }
  const kind = udp && /^udp:/i.test(trimmed) ? 'udp' : 'tcp';
  const { host, port } = parseHostPort(kind === 'udp' ? trimmed.slice(4) : trimmed, 'HCM_BIND_INVALID', 0);
  return { kind, host: host ?? DEFAULT_BIND_HOST, port };
}

/** Writes a bind address as `parseBind` reads it. */
export function formatBind(bind: Bind): string {
  if (bind.kind === 'unix') return `unix:${bind.path}`;
  return bind.kind === 'udp' ? `udp:${formatTarget(bind)}` : formatTarget(bind);
}

/** The path that `unix:PATH`, an absolute path or a Windows pipe names; undefined for anything else. */
export function socketPath(text: string): string | undefined {
  if (!/^(?:unix:|\/|\\\\)/i.test(text)) return undefined;
  return text.replace(/^unix:(?:\/\/(?=\/))?/i, '');
}

export function isUsablePath(path: string): boolean {
  return path !== '' && !path.includes('\0');
}

/** A port alone has no host: the caller knows whether that will do. */
function parseHostPort(text: string, code: ErrorCode, minPort: number): { host?: string; port: number } {
  const portOf = (digits: string): number => {
    const port = Number(digits);
    if (!/^\d{1,5}$/.test(digits) || port < minPort || port > 65_535) {
      throw fault(code, 'port', text, `the port is not a number from ${minPort} to 65535`);
    }
    return port;
  };
  if (text === '') throw fault(code, 'empty', text, 'it is empty; write HOST:PORT');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw fault(code, 'scheme', text, 'it is a URL; write HOST:PORT only');
  }
  if (/^\d+$/.test(text)) return { port: portOf(text) };

  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) {
    const [, host = '', port] = bracketed;
    if (!isIPv6(host)) throw fault(code, 'host', text, 'what stands in [] is not an IPv6 address');
    if (port === undefined) throw fault(code, 'port-missing', text, 'it has no port; write [IPV6]:PORT');
    return { host, port: portOf(port) };
  }
  const colon = text.indexOf(':');
  if (colon < 0) throw fault(code, 'port-missing', text, 'it has no port; write HOST:PORT');
  if (colon !== text.lastIndexOf(':')) {
    throw fault(code, 'ipv6-brackets', text, 'an IPv6 address stands in brackets; write [IPV6]:PORT');
  }
  const host = text.slice(0, colon);
  if (!/^[^\s\u0000-\u001f\u007f/\\@?#[\]%"'<>|*,;]{1,253}$/.test(host))
    throw fault(code, 'host', text, 'it has no usable host');
  return { host, port: portOf(text.slice(colon + 1)) };
}

function fault(code: ErrorCode, reason: string, text: string, what: string): HcmError {
  const thing = code === 'HCM_BIND_INVALID' ? 'address to bind' : 'target';
  const shown = text.replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 80);
  // A URL may carry a password; its place in the message is taken by the explanation.
  const quoted = reason === 'scheme' || shown.includes('@') ? '' : ` "${shown}"`;
  return new HcmError(code, `The ${thing}${quoted} cannot be used: ${what}.`, { details: { reason } });
}
