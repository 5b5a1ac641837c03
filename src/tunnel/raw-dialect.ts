/**
 * The raw dialect, as App Service and Microsoft's manager speak it: a hybrid connection has one target, and every byte
 * of a stream is the target's. The target is dialed before the rendezvous is accepted, so that its failure is the
 * sender's answer.
 */
import { HcmError } from '../protocol/errors.ts';
import { formatTarget } from '../protocol/target.ts';
import type { Dialect } from './acceptor.ts';
import type { Clock } from './clock.ts';
import { answerAccept, answerReject } from './rendezvous.ts';
import { SocketEnd } from './socket-end.ts';
import { dialTarget } from './target-dialer.ts';
import type { TargetSource } from './target-source.ts';

export interface RawDialectOptions {
  targets: TargetSource;
  clock: Clock;
  dialTimeoutMs?: number | undefined;
}

export function rawDialect({ targets, clock, dialTimeoutMs }: RawDialectOptions): Dialect {
  return async (command, use) => {
    const { target, allow } = targets;
    if (target === undefined) {
      const error = new HcmError('HCM_TARGET_MISSING', 'no target is known');
      await answerReject(command, error, use);
      return { error };
    }
    const name = formatTarget(target);
    const dial = (signal: AbortSignal) =>
      dialTarget(target, { clock, allow, timeoutMs: dialTimeoutMs, signal });
    const answer = await answerAccept(command, dial, use);
    if ('error' in answer) return { error: answer.error, target: name };
    return { webSocket: answer.webSocket, local: new SocketEnd(answer.target), target: name };
  };
}
