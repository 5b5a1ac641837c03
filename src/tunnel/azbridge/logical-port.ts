/**
 * The sender's side of azbridge: opens a stream to one logical port of a listener. Its preamble goes out in two messages as
 * azbridge's does, and the listener's answer is read, so that a stream is open only when its target is.
 */
import type { Duplex } from 'node:stream';
import {
  AnswerDecoder,
  encodePreamble,
  parseRefusalReason,
  type Answer,
  type PortMode,
} from '../../protocol/azbridge.ts';
import { HcmError, type ErrorCode } from '../../protocol/errors.ts';
import { passesByItself } from '../../protocol/relay-status.ts';
import { asHcmError, connectionName } from '../emitter.ts';
import { withDeadline } from '../network-errors.ts';
import type { Connection, SenderOptions } from '../options.ts';
import { RendezvousStream } from '../rendezvous-stream.ts';
import { ATTEMPT_TIMEOUT_MS, Sender, type OpenStream } from '../sender.ts';
import { PreambledEnd } from './preambled-end.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

/** `relay` has been read from: what its WebSocket brings comes through it alone. */
export interface OpenLogicalPort extends OpenStream {
  relay: PreambledEnd;
  port: string;
}

export interface LogicalPortOptions {
  /** The logical port: 1 to 255 bytes of UTF-8. */
  name: string;
  mode: PortMode;
  stream?: string | undefined;
  signal?: CancelSignal | undefined;
}

/**
 * Resolves with a stream whose target the listener has reached. Rejects as Sender.open does, and with
 * HCM_LOGICAL_PORT_UNKNOWN, HCM_LOGICAL_PORT_MODE, HCM_TARGET_* as the listener says, HCM_DIALECT_MISMATCH, or
 * HCM_NAME_INVALID. `details.port` is the name.
 */
export async function openLogicalPort(
  sender: Sender,
  { name, mode, stream, signal }: LogicalPortOptions,
): Promise<OpenLogicalPort> {
  const [header, nameBytes] = encodePreamble(mode, name);
  const opened = await sender.open({ ...(stream === undefined ? {} : { stream }), signal });
  const { webSocket } = opened;
  const relay = new PreambledEnd(webSocket);
  webSocket.cork();
  webSocket.send(header);
  webSocket.send(nameBytes);
  webSocket.uncork();
  const asked = { connection: connectionName(sender.connection), name, mode };
  const limitMs = sender.options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS;
  const limit = { clock: sender.clock, limitMs, late: () => silent(asked, limitMs), signal };
  try {
    const answer = await withDeadline(limit, (inner) => relay.readStart(new AnswerDecoder(), inner));
    if (answer?.kind === 'accepted' && answer.mode === mode) return { ...opened, relay, port: name };
    // A listener that refuses ends the stream, and so do we; what is no listener of the dialect is cut off.
    if (answer?.kind === 'foreign' || answer?.kind === 'accepted') webSocket.destroy();
    else await relay.dismiss('', sender.clock, signal ?? new AbortController().signal);
    throw refusal(answer, relay.closeReason, asked);
  } catch (error) {
    webSocket.destroy();
    throw asHcmError(error);
  }
}

/** As `connect`, to a logical port: a Duplex whose `end()` ends our direction only. Rejects as `openLogicalPort` does. */
export async function connectLogicalPort(
  connection: Connection,
  name: string,
  options: SenderOptions & { signal?: CancelSignal } = {},
): Promise<Duplex> {
  const { signal } = options;
  const { webSocket, relay } = await openLogicalPort(new Sender(connection, options), {
    name,
    mode: 'stream',
    signal,
  });
  return new RendezvousStream(webSocket, relay);
}

interface Asked {
  connection: string;
  name: string;
  mode: PortMode;
}

function refusal(answer: Answer | undefined, reason: string, asked: Asked): HcmError {
  const { connection, name } = asked;
  const told = parseRefusalReason(reason);
  if (told) return failure(told.code, `The listener on ${connection} refused: ${told.text}`, asked);
  switch (answer?.kind) {
    case undefined:
      return failure(
        'HCM_LOGICAL_PORT_UNKNOWN',
        `The listener on ${connection} ended the stream without an answer, as azbridge does when it has no logical port "${name}"`,
        asked,
      );
    case 'target-is-datagram':
      return failure('HCM_LOGICAL_PORT_MODE', `Logical port "${name}" of ${connection} leads to UDP`, asked);
    case 'target-is-stream':
      return failure(
        'HCM_LOGICAL_PORT_MODE',
        `Logical port "${name}" of ${connection} does not lead to UDP`,
        asked,
      );
    case 'not-understood':
      return failure(
        'HCM_DIALECT_MISMATCH',
        `The listener on ${connection} speaks another version of azbridge`,
        asked,
      );
    case 'foreign':
    case 'accepted': {
      const seen = answer.kind === 'foreign' ? answer.seen : `an answer for mode ${answer.mode}`;
      const text = `The listener on ${connection} does not speak azbridge: its answer to the preamble was ${seen}`;
      return failure('HCM_DIALECT_MISMATCH', text, asked);
    }
  }
}

function silent(asked: Asked, limitMs: number): HcmError {
  const text = `The listener on ${asked.connection} did not answer azbridge's preamble within ${limitMs / 1000} s; a listener of another dialect waits likewise`;
  return failure('HCM_CONNECT_TIMEOUT', text, asked);
}

function failure(code: ErrorCode, text: string, { connection, name }: Asked): HcmError {
  return new HcmError(code, text, { retryable: passesByItself(code), details: { connection, port: name } });
}
