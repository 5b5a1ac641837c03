/**
 * The listener's side of azbridge: the sender's first bytes name a logical port, so the rendezvous is accepted before
 * the target is known. The answer goes out when the target is there; what azbridge refuses without a word has its reason
 * in the Close frame.
 */
import {
  AZBRIDGE_ANSWERS,
  PreambleDecoder,
  checkPortName,
  findPort,
  refusalReason,
  type PortMode,
  type Preamble,
} from '../../protocol/azbridge.ts';
import type { AllowRule } from '../../protocol/allow-list.ts';
import type { AcceptCommand } from '../../protocol/control-messages.ts';
import { HcmError } from '../../protocol/errors.ts';
import { formatTargetAddress, type TargetAddress } from '../../protocol/target-address.ts';
import { stripGateway } from '../../protocol/tracking.ts';
import type { AcceptedStream, Dialect, RejectedStream } from '../acceptor.ts';
import type { ByteEnd } from '../byte-end.ts';
import type { Clock } from '../clock.ts';
import { asHcmError, type Emit } from '../emitter.ts';
import { withDeadline } from '../network-errors.ts';
import { writeProxyHeader } from '../proxy-header.ts';
import { acceptFirst, type RendezvousOptions } from '../rendezvous.ts';
import { SocketEnd } from '../socket-end.ts';
import { dialAddress, type TargetDialOptions } from '../target-dialer.ts';
import { dialDatagrams, dropTeller, socketDatagrams } from './datagram-socket.ts';
import { PreambledEnd } from './preambled-end.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

/** For a preamble of 259 bytes at most. Who speaks another dialect may be waiting for the target to speak first. */
const PREAMBLE_TIMEOUT_MS = 10_000;

export interface AzbridgeDialectOptions {
  /** Each logical port, and where it leads. A stream to an HTTP address goes to its host and port, as in azbridge. */
  ports: ReadonlyMap<string, TargetAddress> | undefined;
  allow?: readonly AllowRule[] | undefined;
  clock: Clock;
  emit: Emit;
  dialTimeoutMs?: number | undefined;
  proxyProtocol?: 'v2' | undefined;
  datagramIdleTimeoutMs?: number | undefined;
}

/** @throws HcmError HCM_TARGET_MISSING without a port, HCM_NAME_INVALID for one whose name no preamble can carry */
export function azbridgeDialect(options: AzbridgeDialectOptions): Dialect {
  const { ports } = options;
  if (!ports?.size) throw new HcmError('HCM_TARGET_MISSING', 'A listener of azbridge needs a logical port');
  for (const name of ports.keys()) checkPortName(name);
  return async (command, use) => {
    const webSocket = await acceptFirst(command, use);
    const relay = new PreambledEnd(webSocket);
    let refusal: RejectedStream & { answer?: Buffer | undefined };
    let asked: Pick<AcceptedStream, 'port' | 'target'> | undefined;
    try {
      const preamble = await readPreamble(relay, use);
      const found = find(ports, preamble);
      if (!('error' in found)) {
        const { port, mode, address } = found;
        asked = { port, target: formatTargetAddress(address) };
        const local = await connect(found, command, use.signal, options);
        if (mode === 'datagram') relay.limitClosing(options.clock);
        webSocket.send(AZBRIDGE_ANSWERS[mode]);
        return { webSocket, relay, local, ...asked };
      }
      refusal = found;
    } catch (error) {
      refusal = { error: asHcmError(error), ...asked };
    }
    if (use.signal.aborted) {
      webSocket.destroy();
      throw use.signal.reason;
    }
    const { answer, ...rejected } = refusal;
    if (answer) webSocket.send(answer);
    const { code, message } = rejected.error;
    await relay.dismiss(refusalReason(code, message), options.clock, use.signal);
    return rejected;
  };
}

/** Each port by its name, as it stands in the event `online`. */
export function describePorts(ports: AzbridgeDialectOptions['ports'] = new Map()): string {
  return [...ports].map(([name, address]) => `${name}=${formatTargetAddress(address)}`).join(', ');
}

async function readPreamble(
  relay: PreambledEnd,
  { clock, signal }: RendezvousOptions,
): Promise<Preamble | undefined> {
  const late = () => mismatch(`The sender sent no azbridge preamble within ${PREAMBLE_TIMEOUT_MS / 1000} s`);
  return withDeadline({ clock, limitMs: PREAMBLE_TIMEOUT_MS, late, signal }, (inner) =>
    relay.readStart(new PreambleDecoder(), inner),
  );
}

interface FoundPort {
  port: string;
  mode: PortMode;
  address: TargetAddress;
}

function find(
  ports: ReadonlyMap<string, TargetAddress>,
  preamble: Preamble | undefined,
): FoundPort | { error: HcmError; port?: string; target?: string; answer?: Buffer } {
  if (!preamble)
    return { error: mismatch('The sender ended the stream before its azbridge preamble was complete') };
  if (preamble.kind === 'foreign') {
    const text = `The sender does not speak azbridge: it began with ${preamble.seen}`;
    return { error: mismatch(text), answer: AZBRIDGE_ANSWERS.notUnderstood };
  }
  const { port, mode } = preamble;
  const address = findPort(ports, port);
  if (!address) {
    const error = new HcmError('HCM_LOGICAL_PORT_UNKNOWN', `Unknown logical port "${port}"`, {
      details: { port },
    });
    return { error, port };
  }
  const isDatagram = address.kind === 'udp';
  if (isDatagram === (mode === 'datagram')) return { port, mode, address };
  const text = isDatagram
    ? `Logical port "${port}" leads to UDP, and a stream was asked of it`
    : `Logical port "${port}" does not lead to UDP, and datagrams were asked of it`;
  const error = new HcmError('HCM_LOGICAL_PORT_MODE', text, { details: { port } });
  const answer = isDatagram ? AZBRIDGE_ANSWERS.targetIsDatagram : AZBRIDGE_ANSWERS.targetIsStream;
  return { error, port, target: formatTargetAddress(address), answer };
}

async function connect(
  { port, address }: FoundPort,
  command: AcceptCommand,
  signal: CancelSignal,
  options: AzbridgeDialectOptions,
): Promise<ByteEnd> {
  const {
    clock,
    allow,
    dialTimeoutMs: timeoutMs,
    datagramIdleTimeoutMs: idleMs,
    proxyProtocol,
    emit,
  } = options;
  const dial: TargetDialOptions = { clock, allow, timeoutMs, signal };
  const stream = stripGateway(command.id);
  if (address.kind === 'udp') {
    const socket = await dialDatagrams(address, dial);
    return socketDatagrams(socket, { clock, idleMs, onDropped: dropTeller(emit, { port, stream }) });
  }
  const { kind } = address;
  const socket = await dialAddress(kind === 'http' ? { ...address, kind: 'tcp' } : address, dial);
  const local = new SocketEnd(socket);
  if (proxyProtocol) writeProxyHeader(socket, { remote: command.remoteEndpoint, stream });
  return local;
}

function mismatch(text: string): HcmError {
  return new HcmError('HCM_DIALECT_MISMATCH', text);
}
