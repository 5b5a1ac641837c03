/**
 * The relay: takes each WebSocket handshake, lets the faults have their way with it, and hands it to the part that
 * serves its action. Owns all that is alive between clients: control channels, held senders, streams, HTTP requests.
 */
import { CLOSE_CODES } from '../../protocol/close-reasons.ts';
import { checkUpgradeRequest } from '../../websocket/handshake.ts';
import type { TimerSet } from '../clock.ts';
import type { EmulatorEventBody, RelayAction } from '../events.ts';
import type { Faults, FaultTargets, HandshakeAction } from '../faults.ts';
import type { Behaviour } from '../options.ts';
import type { ConnectionState, EmulatorState } from '../state.ts';
import { connect } from './connect.ts';
import { refuse, refuseWith, type RelayContext } from './context.ts';
import type { ControlChannel } from './control-channel.ts';
import type { Handshake } from './handshake.ts';
import type { HeldSender } from './held-sender.ts';
import type { Exchange } from './http/exchange.ts';
import type { RequestRendezvous } from './http/request-rendezvous.ts';
import { listen, refuseListen } from './listen.ts';
import { RefusedListens } from './refused-listens.ts';
import { Registry } from './registry.ts';
import { rendezvous, requestRendezvous } from './rendezvous.ts';
import type { Stream } from './stream.ts';

export interface RelayOptions {
  readonly state: EmulatorState;
  readonly behaviour: Behaviour;
  readonly timers: TimerSet;
  readonly random: () => number;
  readonly nowMs: () => number;
  readonly emit: (event: EmulatorEventBody) => void;
  /** The faults act on this relay and are read by it: made in between. */
  readonly makeFaults: (targets: Omit<FaultTargets, 'resetConnections'>) => Faults;
}

export class Relay {
  readonly context: RelayContext;

  constructor(options: RelayOptions) {
    const { state, behaviour, timers, random, emit } = options;
    const faults = options.makeFaults(this.#faultTargets());
    this.context = {
      ...{ state, behaviour, faults, timers, emit },
      registry: new Registry<ControlChannel>(state, random),
      channels: new Set<ControlChannel>(),
      held: new Map<string, HeldSender>(),
      exchanges: new Map<string, Exchange>(),
      requestSockets: new Set<RequestRendezvous>(),
      streams: new Set<Stream>(),
      refusedListens: new RefusedListens(behaviour.refusedListenDelayMs),
      nowMs: () => options.nowMs() + faults.clockOffsetMs,
    };
  }

  /** Serves a handshake; the socket is the relay's from here on. */
  upgrade(handshake: Handshake): void {
    const action = actionOf(handshake);
    if (action === undefined) return refuse(this.context, handshake, 'connect', 'unknown-action');
    const fault = this.context.faults.takeRefusal(action);
    if (fault !== undefined) return this.#refuseByFault(handshake, action, fault);
    const stallMs = this.#stallMs(action);
    if (stallMs === 0) return this.#serve(handshake, action);
    this.context.timers.set(stallMs, () => this.#serve(handshake, action));
  }

  /** An entity is gone: its listeners and streams end with 1001, as Microsoft's protocol guide says. */
  removeEntity(connection: ConnectionState): void {
    const { registry, streams, exchanges } = this.context;
    const entity = registry.forget(connection);
    if (entity === undefined) return;
    const reason = `The endpoint was deleted. SystemTracker:${entity.name}`;
    for (const exchange of [...exchanges.values()])
      if (exchange.entity === entity) exchange.endWithEntity(reason);
    for (const channel of [...entity.listeners]) channel.close(CLOSE_CODES.goingAway, reason);
    for (const stream of [...streams])
      if (stream.entity === entity) stream.close(CLOSE_CODES.goingAway, reason);
  }

  /** Tells every listener that the relay goes away. Not with 1001, by which the service means that the entity is gone. */
  closeChannels(reason: string): void {
    for (const channel of [...this.context.channels]) channel.close(CLOSE_CODES.normal, reason);
  }

  /** True while a control channel waits for the end of its connection, and may still reach it. */
  get hasOpenChannels(): boolean {
    return [...this.context.channels].some((channel) => !channel.frozen);
  }

  /** True when no channel, no stream and no request is left, not even one that is ending. */
  get isEmpty(): boolean {
    const { channels, streams, exchanges, requestSockets } = this.context;
    return [channels, streams, exchanges, requestSockets].every(({ size }) => size === 0);
  }

  #serve(handshake: Handshake, action: HandshakeAction): void {
    if (handshake.socket.destroyed) return;
    const fault = checkUpgradeRequest(handshake.method, handshake.rawHeaders);
    if (fault !== undefined) return refuseWith(this.context, handshake, action, fault);
    const serve = { listen, connect, accept: rendezvous, request: requestRendezvous }[action];
    serve(this.context, handshake);
  }

  #stallMs(action: HandshakeAction): number {
    const { faults } = this.context;
    const isRendezvous = action === 'accept' || action === 'request';
    const gatewayMs = isRendezvous ? faults.rendezvousDelayMs : 0;
    return (faults.stallMs[action] ?? 0) + gatewayMs;
  }

  #refuseByFault(
    handshake: Handshake,
    action: RelayAction,
    answer: { status: number; reason: string },
  ): void {
    if (action === 'listen') refuseListen(this.context, handshake, answer);
    else refuseWith(this.context, handshake, action, answer);
  }

  #faultTargets(): Omit<FaultTargets, 'resetConnections'> {
    const count = <T>(items: Iterable<T>, act: (item: T) => void): number => {
      const all = [...items];
      all.forEach(act);
      return all.length;
    };
    return {
      dropControlChannels: (close) =>
        count(this.context.channels, (channel) => {
          if (close === undefined) channel.cut();
          else channel.close(close.code, close.reason);
        }),
      closeStreams: (code, reason) => count(this.context.streams, (stream) => stream.close(code, reason)),
      abortStreams: () => count(this.context.streams, (stream) => stream.abort()),
      freeze: () => {
        count(this.context.channels, (channel) => channel.freeze());
        count(this.context.streams, (stream) => stream.freeze());
        count(this.context.held.values(), (sender) => sender.forget());
        count(this.context.exchanges.values(), (exchange) => exchange.forget());
      },
    };
  }
}

const ACTIONS: readonly HandshakeAction[] = ['listen', 'connect', 'accept', 'request'];

/** No action means connect, as at the service. */
function actionOf({ target }: Handshake): HandshakeAction | undefined {
  const action = target.action ?? 'connect';
  return ACTIONS.find((known) => known === action);
}
