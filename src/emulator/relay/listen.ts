/** A listener registers: its handshake is checked and becomes a control channel. */
import { RELAY_HEADERS } from '../../protocol/headers.ts';
import { authorize } from './authorize.ts';
import { answerTo, refuseWith, type RelayContext } from './context.ts';
import { ControlChannel } from './control-channel.ts';
import type { Handshake } from './handshake.ts';
import type { RelayCondition } from '../../protocol/relay-answers.ts';

/** Authorization first, then existence: a stranger does not learn what exists. */
export function listen(context: RelayContext, handshake: Handshake): void {
  const { registry, behaviour, refusedListens } = context;
  const { target, asked } = handshake;
  const resolution = registry.resolve(asked.host, target.path);
  const token = handshake.header(RELAY_HEADERS.authorization) ?? target.token;
  const verdict = authorize(context, resolution, asked, target.path, { ...target, token }, ['Listen']);
  const { entity } = resolution;
  if (!verdict.ok) return refuseListen(context, handshake, verdict.condition);
  if (entity === undefined) return refuseListen(context, handshake, 'entity-missing');
  if (entity.listeners.length >= behaviour.maxListeners) {
    return refuseListen(context, handshake, 'listener-quota');
  }
  refusedListens.forgive(offender(handshake));
  handshake.accept(context.nowMs());
  new ControlChannel(context, handshake, entity, verdict.expiresAtMs).start();
}

/** Answers at once, or late when this listener has been refused again and again. */
export function refuseListen(
  context: RelayContext,
  handshake: Handshake,
  cause: RelayCondition | { status: number; reason: string },
): void {
  const { refusedListens, timers } = context;
  const answer = () => {
    const refusal = typeof cause === 'string' ? answerTo(context, handshake, cause) : cause;
    refuseWith(context, handshake, 'listen', refusal);
  };
  const delayMs = refusedListens.delayFor(offender(handshake), context.nowMs());
  if (delayMs === 0) return answer();
  timers.set(delayMs, () => {
    refusedListens.answered();
    answer();
  });
}

function offender({ remote, target }: Handshake): string {
  return `${remote.address} ${target.path.toLowerCase()}`;
}
