/**
 * The raw dialect, as App Service and Microsoft's manager speak it: a hybrid connection has one target, and every byte
 * of a stream is the target's. The target is dialed before the rendezvous is accepted, so that its failure is the
 * sender's answer.
 */
import { HcmError } from '../protocol/errors.ts';
import { formatTargetAddress, type TargetAddress } from '../protocol/target-address.ts';
import { stripGateway } from '../protocol/tracking.ts';
import type { Dialect } from './acceptor.ts';
import type { Clock } from './clock.ts';
import { writeProxyHeader } from './proxy-header.ts';
import { answerAccept, answerReject } from './rendezvous.ts';
import { SocketEnd } from './socket-end.ts';
import { dialAddress, type StreamAddress } from './target-dialer.ts';
import type { TargetSource } from './target-source.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

export interface RawDialectOptions {
  targets: TargetSource;
  clock: Clock;
  dialTimeoutMs?: number | undefined;
  proxyProtocol?: 'v2' | undefined;
}

export function rawDialect({ targets, clock, dialTimeoutMs, proxyProtocol }: RawDialectOptions): Dialect {
  return async (command, use) => {
    const { address, allow } = targets;
    const target = address && streamAddressOf(address);
    if (target === undefined) {
      const error = new HcmError('HCM_TARGET_MISSING', 'no target is known');
      await answerReject(command, error, use);
      return { error };
    }
    const name = formatTargetAddress(target);
    const dial = (signal: CancelSignal) =>
      dialAddress(target, { clock, allow, timeoutMs: dialTimeoutMs, signal });
    const answer = await answerAccept(command, dial, use);
    if ('error' in answer) return { error: answer.error, target: name };
    const local = new SocketEnd(answer.target);
    if (proxyProtocol) {
      writeProxyHeader(answer.target, { remote: command.remoteEndpoint, stream: stripGateway(command.id) });
    }
    return { webSocket: answer.webSocket, local, target: name };
  };
}

/** Where bytes go that are no HTTP message: of an HTTP target to its host and port, as they are. */
function streamAddressOf(address: TargetAddress): StreamAddress | undefined {
  if (address.kind === 'udp') return undefined; // the target source has refused it
  return address.kind === 'http' ? { kind: 'tcp', host: address.host, port: address.port } : address;
}
