/**
 * The opening handshake of RFC 6455 section 4, both sides. It never agrees to an extension: the relay and
 * Microsoft's .NET client know none.
 */
import { hash } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  formatHead,
  headerList,
  headerValues,
  parseHead,
  type HttpHead,
  type RawHeaders,
} from './http-head.ts';
import type { CancelSignal } from './cancel-signal.ts';
import { pooledRandom } from './random-pool.ts';
import { WebSocketError } from './websocket-error.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const VERSION = '13';

export interface UpgradeRequest {
  /** Path and query as they go on the wire. */
  target: string;
  /** The Host header: name, and port where it is not the default. */
  host: string;
  headers?: RawHeaders;
  protocols?: readonly string[];
}

/** The server's answer. `upgraded` tells a 101 that was checked from every other status. */
export interface UpgradeAnswer {
  upgraded: boolean;
  status: number;
  /** The reason phrase: the relay's own explanation. */
  reason: string;
  rawHeaders: RawHeaders;
  protocol: string | undefined;
  /** What was read behind the head: for a WebSocket its first frames. */
  rest: Buffer;
}

/**
 * Sends the upgrade request on a connected socket and reads the answer's head. Rejects with WebSocketError when the
 * answer is no HTTP, breaks RFC 6455, or the socket ends first; with the signal's reason when that fires. On
 * rejection the socket is the caller's to destroy. Afterwards the socket is paused and has no listener of ours.
 */
export async function requestUpgrade(
  socket: Socket,
  request: UpgradeRequest,
  signal?: CancelSignal,
): Promise<UpgradeAnswer> {
  const key = pooledRandom(16).toString('base64');
  const protocols = request.protocols ?? [];
  const offer = protocols.length > 0 ? ['Sec-WebSocket-Protocol', protocols.join(', ')] : [];
  const headers = [
    ...['Host', request.host, 'Upgrade', 'websocket', 'Connection', 'Upgrade'],
    ...['Sec-WebSocket-Key', key, 'Sec-WebSocket-Version', VERSION],
    ...offer,
    ...(request.headers ?? []),
  ];
  socket.write(formatHead(`GET ${request.target} HTTP/1.1`, headers), 'latin1');
  const { head, rest } = await readHead(socket, signal);
  return checkAnswer(head, rest, key, protocols);
}

/** Reads one HTTP head from a socket; resolves with it and what followed. The socket is paused afterwards. */
export function readHead(socket: Socket, signal?: CancelSignal): Promise<{ head: HttpHead; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let read: Buffer = Buffer.alloc(0);
    const settle = (act: () => void) => {
      socket.off('data', onData).off('end', onEnd).off('error', onError).off('close', onEnd);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onData = (bytes: Buffer) => {
      read = read.length === 0 ? bytes : Buffer.concat([read, bytes]);
      try {
        const head = parseHead(read);
        if (!head) return;
        socket.pause();
        settle(() => resolve({ head, rest: read.subarray(head.bytes) }));
      } catch (error) {
        settle(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    const onError = (error: Error) => settle(() => reject(lost('the connection failed', error)));
    const onEnd = () => settle(() => reject(lost('the connection was closed')));
    const onAbort = () => settle(() => signal && reject(signal.reason));
    if (signal?.aborted) return reject(signal.reason);
    if (socket.destroyed || socket.readableEnded) return reject(lost('the connection was closed'));
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('data', onData).once('end', onEnd).once('error', onError).once('close', onEnd);
  });
}

function checkAnswer(head: HttpHead, rest: Buffer, key: string, offered: readonly string[]): UpgradeAnswer {
  const line = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(head.startLine);
  if (!line) throw invalid('the answer is not HTTP/1.1');
  const status = Number(line[2]);
  const reason = line[3] ?? '';
  const { rawHeaders } = head;
  // An HTTP/1.0 proxy on the way may well refuse, but it cannot upgrade.
  if (status !== 101) return { upgraded: false, status, reason, rawHeaders, protocol: undefined, rest };
  if (line[1] !== '1') throw invalid('the 101 is not of HTTP/1.1');
  const asked = headerList(rawHeaders, 'Connection').some((item) => item.toLowerCase() === 'upgrade');
  if (single(rawHeaders, 'Upgrade').toLowerCase() !== 'websocket' || !asked)
    throw invalid('the 101 upgrades to something else');
  if (single(rawHeaders, 'Sec-WebSocket-Accept') !== acceptKey(key))
    throw invalid('Sec-WebSocket-Accept does not match the key');
  if (headerList(rawHeaders, 'Sec-WebSocket-Extensions').length > 0) {
    throw invalid('the server chose an extension that was not offered');
  }
  const [protocol, ...more] = headerList(rawHeaders, 'Sec-WebSocket-Protocol');
  if (more.length > 0 || (protocol !== undefined && !offered.includes(protocol))) {
    throw invalid('the server chose a subprotocol that was not offered');
  }
  return { upgraded: true, status, reason, rawHeaders, protocol, rest };
}

function single(headers: RawHeaders, name: string): string {
  const values = headerValues(headers, name);
  if (values.length !== 1) throw invalid(`the 101 must hold ${name} once`);
  return values[0] ?? '';
}

/** Why a request cannot become a WebSocket: an HTTP status and a phrase for it; undefined when it can. */
export function checkUpgradeRequest(
  method: string,
  headers: RawHeaders,
): { status: 400 | 405 | 426; reason: string } | undefined {
  if (method !== 'GET') return { status: 405, reason: 'A WebSocket handshake is a GET' };
  const [key, ...moreKeys] = headerValues(headers, 'Sec-WebSocket-Key');
  if (key === undefined || moreKeys.length > 0 || !/^[+/0-9A-Za-z]{22}==$/.test(key)) {
    return { status: 400, reason: 'Sec-WebSocket-Key is missing or malformed' };
  }
  const versions = headerValues(headers, 'Sec-WebSocket-Version');
  return versions.length === 1 && versions[0] === VERSION
    ? undefined
    : { status: 426, reason: 'Sec-WebSocket-Version must be 13' };
}

/** True when the request asks to become a WebSocket. */
export function asksForWebSocket(headers: RawHeaders): boolean {
  return headerList(headers, 'Upgrade').some((item) => item.toLowerCase() === 'websocket');
}

/** The 101 that accepts a checked request, each header once and in the spelling that .NET insists on. */
export function formatAcceptance(
  requestHeaders: RawHeaders,
  options: { protocol?: string | undefined; headers?: RawHeaders } = {},
): string {
  const key = headerValues(requestHeaders, 'Sec-WebSocket-Key')[0] ?? '';
  return formatHead('HTTP/1.1 101 Switching Protocols', [
    ...['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', acceptKey(key)],
    ...(options.protocol === undefined ? [] : ['Sec-WebSocket-Protocol', options.protocol]),
    ...(options.headers ?? []),
  ]);
}

/** RFC 6455 section 4.2.2: proves that the server read this very request. */
export function acceptKey(key: string): string {
  return hash('sha1', key + GUID, 'base64');
}

function invalid(text: string): WebSocketError {
  return new WebSocketError('WS_HANDSHAKE_INVALID', `WebSocket handshake: ${text}`);
}

function lost(text: string, cause?: Error): WebSocketError {
  const detail = cause ? `: ${cause.message}` : '';
  return new WebSocketError('WS_CONNECTION_LOST', `WebSocket handshake: ${text}${detail}`, undefined, cause);
}
