/** What every part of the relay works with. One per emulator; nothing here is a module-level variable. */
import type { TimerSet } from '../clock.ts';
import type { EmulatorEventBody, RelayAction } from '../events.ts';
import type { Faults } from '../faults.ts';
import type { Behaviour } from '../options.ts';
import type { EmulatorState } from '../state.ts';
import { relayAnswer, type RelayCondition } from '../../protocol/relay-answers.ts';
import { reasonPhrase } from '../../protocol/tracking.ts';
import type { ControlChannel } from './control-channel.ts';
import type { Handshake } from './handshake.ts';
import type { HeldSender } from './held-sender.ts';
import type { Exchange } from './http/exchange.ts';
import type { RequestRendezvous } from './http/request-rendezvous.ts';
import type { RefusedListens } from './refused-listens.ts';
import type { Entity, Registry } from './registry.ts';
import type { Stream } from './stream.ts';

export type RelayEntity = Entity<ControlChannel>;

export interface RelayContext {
  readonly state: EmulatorState;
  readonly behaviour: Behaviour;
  readonly faults: Faults;
  readonly timers: TimerSet;
  readonly registry: Registry<ControlChannel>;
  readonly channels: Set<ControlChannel>;
  /** Senders that wait for a listener, by the secret id in their address. */
  readonly held: Map<string, HeldSender>;
  /** HTTP requests without a complete answer, by the secret id in their address. */
  readonly exchanges: Map<string, Exchange>;
  /** What listeners opened for HTTP requests, until it is gone. */
  readonly requestSockets: Set<RequestRendezvous>;
  readonly streams: Set<Stream>;
  readonly refusedListens: RefusedListens;
  /** The relay's own clock, faults included. */
  nowMs(): number;
  emit(event: EmulatorEventBody): void;
}

/** The error that a condition means to this client: status and reason phrase. */
export function answerTo(
  context: RelayContext,
  handshake: Handshake,
  condition: RelayCondition,
): { status: number; reason: string } {
  const { status, sentence } = relayAnswer(condition, context.behaviour.statuses);
  const { trackingId, asked, target } = handshake;
  const now = context.nowMs();
  return { status, reason: reasonPhrase({ sentence, trackingId, host: asked.host, path: target.path, now }) };
}

/** Answers a client's handshake with the error of a condition. */
export function refuse(
  context: RelayContext,
  handshake: Handshake,
  action: RelayAction,
  condition: RelayCondition,
): void {
  refuseWith(context, handshake, action, answerTo(context, handshake, condition));
}

export function refuseWith(
  context: RelayContext,
  handshake: Handshake,
  action: RelayAction,
  { status, reason }: { status: number; reason: string },
): void {
  handshake.refuse(context.nowMs(), status, reason);
  const connection = handshake.target.path;
  context.emit({ event: 'refused', action, connection, status, reason, remote: handshake.from });
}
