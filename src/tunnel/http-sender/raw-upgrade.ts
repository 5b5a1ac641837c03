/**
 * A local client that asks for another protocol (a WebSocket): HTTP through the relay cannot carry that, a raw stream can. It
 * leads to the same target, so the request is written there as the client wrote it and everything behind follows.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { RELAY_HEADERS } from '../../protocol/headers.ts';
import { stripPrefix } from '../../protocol/http-path.ts';
import { formatHead, hasBody, headerList, type RawHeaders } from '../../websocket/http-head.ts';
import { asHcmError } from '../emitter.ts';
import type { Sender } from '../sender.ts';
import { SocketEnd } from '../socket-end.ts';
import type { StreamSet } from '../stream-set.ts';
import { WebSocketEnd } from '../websocket-end.ts';
import { originForm, remoteOf, withoutRelayPairs } from './heads.ts';
import { answerOnSocket, errorBody, statusOf } from './local-answer.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

export interface UpgradeContext {
  readonly sender: Sender;
  readonly streams: StreamSet;
  readonly keepPath: boolean;
  readonly signal: CancelSignal;
}

/** A client's request, and the socket that node:http has given away. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What was read behind the head. */
  readonly rest: Buffer;
}

/**
 * True when the request is answered by HTTP all the same, as any server may (RFC 9110, 7.8): the client only says that it
 * could speak HTTP/2, too, or sends a body, which no newer Node hands on with the socket.
 */
export function staysHttp({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): boolean {
  const offered = headerList(rawHeaders, 'Upgrade').map((protocol) => protocol.toLowerCase());
  return offered.every((protocol) => protocol === 'h2c') || hasBody(rawHeaders);
}

/** The head of the request, without what is not the target's: the name of the connection in the path, a token for the relay. */
export function headForTarget(
  { method = 'GET', url = '/', rawHeaders }: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>,
  entity: string,
  keepPath: boolean,
): Buffer {
  const local = withoutRelayPairs(originForm(url));
  const target = keepPath ? (stripPrefix(local, entity)?.target ?? local) : local;
  const headers = without(rawHeaders, [RELAY_HEADERS.authorization.toLowerCase()]);
  return Buffer.from(formatHead(`${method} ${target} HTTP/1.1`, headers), 'latin1');
}

/** The same head without the offer, for a second reading by node:http. */
export function headWithoutOffer({ method = 'GET', url = '/', rawHeaders }: IncomingMessage): Buffer {
  const kept = without(rawHeaders, ['upgrade', 'http2-settings', 'connection']);
  return Buffer.from(formatHead(`${method} ${url} HTTP/1.1`, kept), 'latin1');
}

/** @param names in lower case. */
function without(rawHeaders: RawHeaders, names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!names.includes(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/** Resolves when the stream is open, or refused and the client told so. Never rejects. */
export async function openUpgrade(context: UpgradeContext, upgrade: Upgrade): Promise<void> {
  const { sender, streams, keepPath, signal } = context;
  const { request, socket, rest } = upgrade;
  const stream = randomUUID();
  const startedMs = sender.clock.monotonicMs();
  sender.emit({ event: 'opening', stream, remote: remoteOf(request) });
  try {
    const head = headForTarget(request, sender.connection.path, keepPath);
    const { webSocket } = await sender.open({ stream, signal });
    const setupMs = Math.round(sender.clock.monotonicMs() - startedMs);
    sender.emit({ event: 'opened', stream, setupMs });
    const relay = new WebSocketEnd(webSocket);
    relay.write(rest.length === 0 ? [head] : [head, rest]);
    void streams.add(stream, new SocketEnd(socket), relay, webSocket);
  } catch (failure) {
    const error = asHcmError(failure);
    answerOnSocket(socket, statusOf(error), errorBody(error));
    sender.emit({ event: 'refused', stream, error });
  }
}
