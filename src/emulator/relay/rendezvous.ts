/**
 * A listener comes to the address it was handed: to accept the sender that waits there, to turn it away, or for an HTTP
 * request.
 */
import { STATUS_CODES } from 'node:http';
import { sanitizeReason } from '../../protocol/tracking.ts';
import { headerList } from '../../websocket/http-head.ts';
import { answerTo, refuse, type RelayContext } from './context.ts';
import type { Handshake } from './handshake.ts';

/** What an HTTP status line can carry (the service answers 400 to anything else). */
const STATUS_MIN = 100;
const STATUS_MAX = 999;

export function requestRendezvous(context: RelayContext, handshake: Handshake): void {
  const { id } = handshake.target;
  const exchange = id === undefined ? undefined : context.exchanges.get(id);
  if (exchange?.open(handshake) !== true) refuse(context, handshake, 'request', 'rendezvous-unknown');
}

export function rendezvous(context: RelayContext, handshake: Handshake): void {
  const { target } = handshake;
  const sender = target.id === undefined ? undefined : context.held.get(target.id);
  if (sender === undefined) return refuse(context, handshake, 'accept', 'rendezvous-unknown');
  const { statusCode, statusDescription } = target;
  if (statusCode === undefined) {
    // The service echoes the name that the listener picked to both sides, and none when it picked none.
    return sender.accept(handshake, headerList(handshake.rawHeaders, 'Sec-WebSocket-Protocol')[0]);
  }
  if (!(statusCode >= STATUS_MIN && statusCode <= STATUS_MAX)) {
    return refuse(context, handshake, 'accept', 'bad-reject-status');
  }
  sender.reject(statusCode, sanitizeReason(statusDescription ?? STATUS_CODES[statusCode] ?? ''));
  const { status, reason } = answerTo(context, handshake, 'rejected');
  handshake.refuse(context.nowMs(), status, reason);
}
