/** UDP sockets as the tunnel uses them: connected to an allowed target, sent to within bounds, errors as reasons. */
import { createSocket, type Socket } from 'node:dgram';
import { formatTarget, type Target } from '../../protocol/target.ts';
import { HcmError } from '../../protocol/errors.ts';
import type { DropReason } from '../events.ts';
import type { Emit } from '../emitter.ts';
import { nodeCode, orAborted, withDeadline } from '../network-errors.ts';
import { DIAL_TIMEOUT_MS, dialError, resolveTarget, type TargetDialOptions } from '../target-dialer.ts';
import { DatagramEnd } from './datagram-end.ts';

/** More than this waiting in a socket, and datagrams are dropped as the network itself would. */
const SEND_QUEUE_MAX_BYTES = 1024 * 1024;

/**
 * Resolves with a UDP socket that takes datagrams from the target alone. UDP connects without asking anybody, so a
 * target that is not there shows later, if at all. Rejects with HcmError: HCM_TARGET_UNRESOLVED, _TIMEOUT (of the name),
 * _NOT_ALLOWED, _UNREACHABLE.
 */
export function dialDatagrams(target: Target, options: TargetDialOptions): Promise<Socket> {
  const { clock, allow, signal, timeoutMs: limitMs = DIAL_TIMEOUT_MS } = options;
  const late = () => {
    const text = `${target.host} was not resolved within ${limitMs / 1000} s`;
    const details = { target: formatTarget(target) };
    return new HcmError('HCM_TARGET_TIMEOUT', text, { retryable: true, details });
  };
  return withDeadline({ clock, limitMs, late, signal }, async (inner) => {
    const addresses = await orAborted(resolveTarget(target, allow), inner);
    let failed: unknown;
    for (const { address, family } of addresses) {
      try {
        return await connectTo(target, address, family);
      } catch (error) {
        failed ??= error;
      }
    }
    throw failed;
  });
}

function connectTo(target: Target, address: string, family: number): Promise<Socket> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      if (!error) return resolve(socket);
      socket.close();
      reject(dialError(error, target));
    };
    socket.connect(target.port, address, done);
  });
}

/** A connected socket as one end of a stream, which owns it. */
export function socketDatagrams(
  socket: Socket,
  options: Pick<ConstructorParameters<typeof DatagramEnd>[0], 'clock' | 'idleMs' | 'onDropped'>,
): DatagramEnd {
  const { onDropped } = options;
  const end = new DatagramEnd({
    ...options,
    send: (payload) => sendDatagram(socket, payload, onDropped),
    close: () => socket.close(),
  });
  socket.on('message', (payload) => end.receive(payload));
  socket.on('error', (error) => onDropped(reasonOf(error)));
  return end;
}

/** Copies the payload. `to`: for a socket that is not connected. */
export function sendDatagram(
  socket: Socket,
  payload: Buffer,
  onDropped: (reason: DropReason) => void,
  to?: { address: string; port: number },
): void {
  if (socket.getSendQueueSize() > SEND_QUEUE_MAX_BYTES) return onDropped('network-slow');
  const bytes = Buffer.from(payload);
  const done = (error: Error | null) => void (error && onDropped(reasonOf(error)));
  if (to) socket.send(bytes, to.port, to.address, done);
  else socket.send(bytes, done);
}

/** ECONNRESET is what Windows makes of the same ICMP message. */
function reasonOf(error: Error): DropReason {
  return ['ECONNREFUSED', 'ECONNRESET'].includes(nodeCode(error)) ? 'refused' : 'failed';
}

/** Tells of the first datagram that is dropped for a reason, the tenth, the hundredth: never a flood of events. */
export function dropTeller(
  emit: Emit,
  about: { port: string; stream?: string },
): (reason: DropReason) => void {
  const counts = new Map<DropReason, number>();
  return (reason) => {
    const count = (counts.get(reason) ?? 0) + 1;
    counts.set(reason, count);
    if (/^10*$/.test(String(count))) emit({ event: 'datagrams-dropped', ...about, reason, count });
  };
}
