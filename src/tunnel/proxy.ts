/**
 * Outbound proxies: HTTP CONNECT and SOCKS5. Node's own http speaks the first, the package `socks` the second; both
 * are loaded when a proxy is used, not before.
 */
import { connect, type Socket } from 'node:net';
import { getProxyForUrl } from 'proxy-from-env';
import { HcmError } from '../protocol/errors.ts';
import { nodeCode } from './network-errors.ts';
import type { Proxy } from './options.ts';
import { abortSignalOf, type CancelSignal } from '../websocket/cancel-signal.ts';

const DEFAULT_PORTS = { http: 80, socks5: 1080 };
/** The length field has one byte (RFC 1929). */
const SOCKS_CREDENTIAL_MAX_BYTES = 255;

/**
 * Reads `http://[USER[:PASSWORD]@]HOST[:PORT]` or `socks5://…` (also `socks5h://`, `socks://`). The target's name is
 * always resolved by the proxy. Throws HcmError HCM_PROXY_INVALID, without the text: it may hold a password.
 */
export function parseProxy(text: string): Proxy {
  const invalid = (why: string) =>
    new HcmError('HCM_PROXY_INVALID', `The proxy ${why}`, { details: { reason: why } });
  if (!URL.canParse(text))
    throw invalid('is not a URL such as http://proxy.corp:3128 or socks5://127.0.0.1:1080');
  const url = new URL(text);
  const kind = url.protocol === 'http:' ? 'http' : /^socks(5h?)?:$/.test(url.protocol) ? 'socks5' : undefined;
  if (!kind) throw invalid(`scheme ${url.protocol} is not supported: use http: or socks5:`);
  if (url.hostname === '') throw invalid('names no host');
  const decode = (part: string) => {
    const text = decoded(part);
    if (text === undefined) throw invalid('has a % in its user or password that must be written as %25');
    if (Buffer.byteLength(text) > SOCKS_CREDENTIAL_MAX_BYTES)
      throw invalid('has too long a user or password');
    return text;
  };
  return {
    kind,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORTS[kind] : Number(url.port),
    ...(url.username === '' ? {} : { username: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) }),
  };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * The proxy that HTTPS_PROXY, ALL_PROXY and NO_PROXY (either case) name for a host, as other programs read them.
 * `password` is used where the variable gives a user without one.
 */
export function proxyFromEnvironment(host: string, port: number, password?: string): Proxy | undefined {
  const name = host.includes(':') ? `[${host}]` : host;
  // Where a variable names no scheme, the package adds the one asked for. In capitals it can be told from `https://`.
  const asked = { protocol: 'HTTPS:', host: `${name}:${port}`, port: String(port) };
  const url = getProxyForUrl(asked as Parameters<typeof getProxyForUrl>[0]);
  return url === '' ? undefined : withPassword(parseProxy(url.replace(/^HTTPS:/, 'http:')), password);
}

/** Adds a password that came by a file or the environment, where the proxy names a user without one. */
export function withPassword(proxy: Proxy, password: string | undefined): Proxy {
  return password === undefined || proxy.username === undefined || proxy.password !== undefined
    ? proxy
    : { ...proxy, password };
}

/** Resolves with a TCP connection to the target through the proxy. Rejects with HCM_PROXY_FAILED or …_AUTH_REQUIRED. */
export function connectThroughProxy(
  proxy: Proxy,
  target: { host: string; port: number },
  signal: CancelSignal,
): Promise<Socket> {
  return proxy.kind === 'http' ? connectByHttp(proxy, target, signal) : connectBySocks(proxy, target, signal);
}

async function connectByHttp(
  proxy: Proxy,
  target: { host: string; port: number },
  signal: CancelSignal,
): Promise<Socket> {
  const { request } = await import('node:http');
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  const credentials = Buffer.from(`${proxy.username ?? ''}:${proxy.password ?? ''}`).toString('base64');
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'CONNECT',
      host: proxy.host,
      port: proxy.port,
      path: authority,
      headers: {
        host: authority,
        ...(proxy.username === undefined ? {} : { 'proxy-authorization': `Basic ${credentials}` }),
      },
      agent: false,
      signal: abortSignalOf(signal),
    });
    const refuse = (status: number, reason: string, socket: Socket) => {
      socket.destroy();
      reject(refused(proxy, target, status, reason));
    };
    asked.once('connect', (answer, socket: Socket, head: Buffer) => {
      const status = answer.statusCode ?? 0;
      if (status < 200 || status > 299) return refuse(status, answer.statusMessage ?? '', socket);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.once('response', (answer) =>
      refuse(answer.statusCode ?? 0, answer.statusMessage ?? '', answer.socket),
    );
    asked.once('error', (error) => reject(signal.aborted ? signal.reason : unreachable(proxy, error)));
    asked.end();
  });
}

async function connectBySocks(
  proxy: Proxy,
  target: { host: string; port: number },
  signal: CancelSignal,
): Promise<Socket> {
  const { socksClient } = await import('./socks-client.ts');
  const { host, port, username, password = '' } = proxy;
  const credentials = username === undefined ? {} : { userId: username, password };
  // A socket of our own: the package would keep its one, and a timer, for half a minute after an abort.
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
  const client = socksClient({
    proxy: { host, port, type: 5, ...credentials },
    command: 'connect',
    destination: target,
    existing_socket: socket,
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => fail(unreachable(proxy, error)));
    socket.once('connect', () => client.connect(socket));
    client.once('error', (error) => fail(socksError(proxy, error)));
    client.once('established', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(socket);
    });
  });
}

function refused(
  proxy: Proxy,
  target: { host: string; port: number },
  status: number,
  reason: string,
): HcmError {
  const details = { proxy: `${proxy.host}:${proxy.port}`, status };
  if (status === 407) {
    const said =
      proxy.username === undefined ? 'asks for a user and a password' : 'refused the user or the password';
    return new HcmError('HCM_PROXY_AUTH_REQUIRED', `The proxy ${details.proxy} ${said} (407 ${reason})`, {
      details,
    });
  }
  const text = `The proxy ${details.proxy} refused to connect to ${target.host}:${target.port}: ${status} ${reason}`;
  return new HcmError('HCM_PROXY_FAILED', text, { retryable: status >= 500, details });
}

function unreachable(proxy: Proxy, error: Error): HcmError {
  const name = `${proxy.host}:${proxy.port}`;
  return new HcmError('HCM_PROXY_FAILED', `The proxy ${name} could not be used: ${error.message}`, {
    retryable: true,
    details: { proxy: name, seen: nodeCode(error) },
    cause: error,
  });
}

/** The package tells its failures apart by text alone. */
function socksError(proxy: Proxy, error: Error): HcmError {
  const name = `${proxy.host}:${proxy.port}`;
  return /authentication/i.test(error.message)
    ? new HcmError('HCM_PROXY_AUTH_REQUIRED', `The proxy ${name} refused the user or the password`, {
        details: { proxy: name },
      })
    : unreachable(proxy, error);
}
