/**
 * Answers one accept command. The upgrade request itself says accept or reject and the address works once, so TCP
 * and TLS to the relay are opened while the target is dialed, and the request goes out when the result is known.
 */
import type { Socket } from 'node:net';
import { checkRendezvousAddress } from '../protocol/addresses.ts';
import type { AcceptCommand } from '../protocol/control-messages.ts';
import { HcmError } from '../protocol/errors.ts';
import { rejectUrl } from '../protocol/addresses.ts';
import { RENDEZVOUS_LIFETIME_MS } from '../protocol/limits.ts';
import { rejectionFor } from '../protocol/relay-status.ts';
import type { WebSocket } from '../websocket/websocket.ts';
import type { Clock } from './clock.ts';
import { withDeadline } from './network-errors.ts';
import type { Connection } from './options.ts';
import type { RelayDialer } from './relay-dialer.ts';
import { askStatus, upgrade, type UpgradeContext } from './relay-socket.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

/** What the relay answers a listener whose rejection it has taken. */
const STATUS_GONE = 410;

export interface RendezvousOptions {
  connection: Connection;
  dialer: RelayDialer;
  clock: Clock;
  signal: CancelSignal;
}

/** The target's error was passed on to the sender. */
export interface Rejected {
  error: HcmError;
}

/** Both ends of an accepted stream, neither read from yet. */
export interface Accepted<T> {
  webSocket: WebSocket;
  target: T;
}

/**
 * Dials the target and accepts, or rejects with the reason why the target cannot be had. Rejects with HcmError when
 * the relay could not be told either way; nothing is left open then.
 */
export async function answerAccept<T extends { destroy(): unknown }>(
  command: AcceptCommand,
  dialTarget: (signal: CancelSignal) => Promise<T>,
  options: RendezvousOptions,
): Promise<Accepted<T> | Rejected> {
  const { clock, signal } = options;
  const limit = { clock, limitMs: RENDEZVOUS_LIFETIME_MS, late: rendezvousExpired, signal };
  return withDeadline(limit, async (inner) => {
    const url = checkRendezvousAddress(command.address, options.connection.endpoint.host);
    const dial = () => dialRelay(url, options.dialer, inner);
    // Reading, so that its end is noticed; the relay says nothing before it is asked.
    const waiting = dial().then((socket) => socket.resume());
    // It is awaited below; until then its failure must not count as unhandled.
    waiting.catch(() => undefined);
    let target: T | HcmError | undefined;
    try {
      target = await settle(dialTarget(inner), inner);
      const context = contextOf(command, options, inner);
      const relay = await stillOpen(waiting, dial);
      if (target instanceof HcmError) {
        await reject(command, target, relay, context);
        return { error: target };
      }
      const { webSocket } = await upgrade(relay, url, context);
      return { webSocket, target };
    } catch (error) {
      if (target && !(target instanceof HcmError)) target.destroy();
      waiting.then((socket) => socket.destroy()).catch(() => undefined);
      throw error;
    }
  });
}

/** Accepts at once: for a dialect whose target stands in the stream's first bytes. Rejects as `answerAccept` does. */
export async function acceptFirst(command: AcceptCommand, options: RendezvousOptions): Promise<WebSocket> {
  const none = { destroy: () => undefined };
  const answer = await answerAccept(command, () => Promise.resolve(none), options);
  if ('error' in answer) throw answer.error;
  return answer.webSocket;
}

/** Turns a sender away without a target: too many streams, or none configured. */
export async function answerReject(
  command: AcceptCommand,
  error: HcmError,
  options: RendezvousOptions,
): Promise<void> {
  await answerAccept(command, () => Promise.reject(error), options);
}

async function settle<T>(dialing: Promise<T>, signal: CancelSignal): Promise<T | HcmError> {
  try {
    return await dialing;
  } catch (error) {
    if (error instanceof HcmError && !signal.aborted) return error;
    throw error;
  }
}

/** A front end may cut a connection that asks for nothing while a slow target is dialed: then another is made. */
async function stillOpen(waiting: Promise<Socket>, dial: () => Promise<Socket>): Promise<Socket> {
  const socket = await waiting;
  if (!socket.destroyed && !socket.readableEnded) return socket;
  socket.destroy();
  return dial();
}

export function rendezvousExpired(): HcmError {
  const text = 'The rendezvous was not made while its address was valid';
  return new HcmError('HCM_RENDEZVOUS_EXPIRED', text, { retryable: true });
}

/** A failed dial is tried once more: the address is used up by the upgrade, not by TCP or TLS. */
export async function dialRelay(url: URL, dialer: RelayDialer, signal: CancelSignal): Promise<Socket> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? 443 : Number(url.port);
  try {
    return await dialer.dial(host, port, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof HcmError && error.retryable)) throw error;
    return dialer.dial(host, port, signal);
  }
}

async function reject(
  command: AcceptCommand,
  error: HcmError,
  socket: Socket,
  context: UpgradeContext,
): Promise<void> {
  const { status, description } = rejectionFor(error.code, error.message);
  const answered = await askStatus(socket, new URL(rejectUrl(command.address, status, description)), context);
  if (answered === STATUS_GONE) return;
  const text = `The relay answered the rejection of a sender with ${answered} instead of ${STATUS_GONE}`;
  throw new HcmError('HCM_HANDSHAKE_FAILED', text, { details: { status: answered }, cause: error });
}

function contextOf(command: AcceptCommand, options: RendezvousOptions, signal: CancelSignal): UpgradeContext {
  const { endpoint, path } = options.connection;
  const protocol = offeredProtocol(command.connectHeaders);
  const protocols = protocol === undefined ? [] : [protocol];
  return { role: 'accept', host: endpoint.host, path, nowMs: options.clock.nowMs(), protocols, signal };
}

/** The first subprotocol that the sender offers, as Microsoft's clients choose. */
function offeredProtocol(headers: Record<string, string>): string | undefined {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'sec-websocket-protocol');
  const first = name === undefined ? '' : (headers[name] ?? '').split(',')[0]?.trim();
  return first === '' ? undefined : first;
}
