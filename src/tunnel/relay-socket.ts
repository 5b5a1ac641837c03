/** A WebSocket to the relay: dial, upgrade, and the relay's answer turned into a WebSocket or a typed error. */
import type { Socket } from 'node:net';
import type { RequestAddress } from '../protocol/addresses.ts';
import { HcmError } from '../protocol/errors.ts';
import { errorFromHandshake, type HandshakeRole } from '../protocol/relay-status.ts';
import { requestUpgrade, type UpgradeAnswer } from '../websocket/handshake.ts';
import { headerValues, type RawHeaders } from '../websocket/http-head.ts';
import { WebSocket } from '../websocket/websocket.ts';
import { WebSocketError } from '../websocket/websocket-error.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

export interface UpgradeContext {
  role: HandshakeRole;
  /** The namespace's host and the entity's path, for the error. */
  host: string;
  path: string;
  nowMs: number;
  headers?: RawHeaders;
  protocols?: readonly string[];
  signal?: CancelSignal | undefined;
}

export interface RelaySocket {
  webSocket: WebSocket;
  /** Our clock minus the relay's, in ms; undefined when it did not say. */
  skewMs: number | undefined;
}

/**
 * Upgrades a connected socket. Rejects with the HcmError that the relay's answer means; the socket is destroyed then.
 * `url` is used as given: a rendezvous address is opaque.
 */
export async function upgrade(
  socket: Socket,
  url: RequestAddress,
  context: UpgradeContext,
): Promise<RelaySocket> {
  const answer = await handshake(socket, url, context);
  const serverDateMs = dateOf(answer);
  if (!answer.upgraded) {
    socket.destroy();
    throw errorFromHandshake({ ...context, status: answer.status, reason: answer.reason, serverDateMs });
  }
  const webSocket = new WebSocket(socket, { role: 'client', head: answer.rest });
  return { webSocket, skewMs: serverDateMs === undefined ? undefined : context.nowMs - serverDateMs };
}

/** Asks for an upgrade that is expected to fail, and resolves with the status: how a listener rejects. */
export async function askStatus(
  socket: Socket,
  url: RequestAddress,
  context: UpgradeContext,
): Promise<number> {
  try {
    return (await handshake(socket, url, context)).status;
  } finally {
    socket.destroy();
  }
}

async function handshake(
  socket: Socket,
  url: RequestAddress,
  context: UpgradeContext,
): Promise<UpgradeAnswer> {
  const target = `${url.pathname}${url.search}`;
  const { headers = [], protocols = [], signal } = context;
  try {
    return await requestUpgrade(socket, { target, host: url.host, headers, protocols }, signal);
  } catch (error) {
    socket.destroy();
    throw error instanceof WebSocketError ? handshakeError(error, context) : error;
  }
}

function handshakeError(error: WebSocketError, { host, path }: UpgradeContext): HcmError {
  const code = error.code === 'WS_CONNECTION_LOST' ? 'HCM_CONNECTION_LOST' : 'HCM_HANDSHAKE_FAILED';
  const text = `The handshake with ${host} failed: ${error.message}`;
  return new HcmError(code, text, { retryable: true, details: { host, path }, cause: error });
}

/** The relay's clock, to the second. */
function dateOf(answer: UpgradeAnswer): number | undefined {
  const ms = Date.parse(headerValues(answer.rawHeaders, 'Date')[0] ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
