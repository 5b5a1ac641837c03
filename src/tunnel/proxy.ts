/**
 * Outbound proxies: HTTP CONNECT and SOCKS5. Node's own http speaks the first, the package `socks` the second; both
 * are loaded when a proxy is used, not before.
 */
import type { Socket } from 'node:net';
import { getProxyForUrl } from 'proxy-from-env';
import { HcmError } from '../protocol/errors.ts';
import { nodeCode } from './network-errors.ts';
import type { Proxy } from './options.ts';

const DEFAULT_PORTS = { http: 80, socks5: 1080 };

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
  return {
    kind,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORTS[kind] : Number(url.port),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  };
}

/**
 * The proxy that HTTPS_PROXY, ALL_PROXY and NO_PROXY (either case) name for a host, as other programs read them.
 * `password` is used where the variable gives a user without one.
 */
export function proxyFromEnvironment(host: string, port: number, password?: string): Proxy | undefined {
  const name = host.includes(':') ? `[${host}]` : host;
  const url = getProxyForUrl(`https://${name}:${port}`);
  return url === '' ? undefined : withPassword(parseProxy(url), password);
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
  signal: AbortSignal,
): Promise<Socket> {
  return proxy.kind === 'http' ? connectByHttp(proxy, target, signal) : connectBySocks(proxy, target, signal);
}

async function connectByHttp(
  proxy: Proxy,
  target: { host: string; port: number },
  signal: AbortSignal,
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
      signal,
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
    asked.once('error', (error) =>
      reject(signal.aborted ? (signal.reason as Error) : unreachable(proxy, error)),
    );
    asked.end();
  });
}

async function connectBySocks(
  proxy: Proxy,
  target: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const { SocksClient } = await import('socks');
  const client = new SocksClient({
    proxy: {
      host: proxy.host,
      port: proxy.port,
      type: 5,
      ...(proxy.username === undefined ? {} : { userId: proxy.username, password: proxy.password ?? '' }),
    },
    command: 'connect',
    destination: target,
  });
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    client.once('established', ({ socket }) => {
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) socket.destroy();
      else resolve(socket);
    });
    client.once('error', (error) => {
      signal.removeEventListener('abort', onAbort);
      reject(socksError(proxy, error));
    });
    client.connect();
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
