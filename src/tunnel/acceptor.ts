/**
 * Takes the accept commands of one listener and turns each into a forwarded stream, or a rejection that names the
 * reason. Knows nothing of the control channel: its streams outlive that. How a stream finds its target is the
 * dialect's business.
 */
import type { AcceptCommand } from '../protocol/control-messages.ts';
import type { HcmError } from '../protocol/errors.ts';
import { stripGateway } from '../protocol/tracking.ts';
import type { ByteEnd } from './byte-end.ts';
import { asHcmError, type Emit } from './emitter.ts';
import { answerReject, type RendezvousOptions } from './rendezvous.ts';
import type { StreamSet } from './stream-set.ts';
import { Cancellation } from '../websocket/cancel-signal.ts';
import type { WebSocket } from '../websocket/websocket.ts';
import { WebSocketEnd } from './websocket-end.ts';

/** An accepted stream: both ends are open, neither is read from yet. */
export interface AcceptedStream {
  webSocket: WebSocket;
  /** The rendezvous as one end, where the dialect has read from it. */
  relay?: WebSocketEnd | undefined;
  local: ByteEnd;
  /** Dialect azbridge: the logical port that was asked for. */
  port?: string | undefined;
  /** Where it leads, as it stands in the event. */
  target: string;
}

/** The sender was turned away, and told why. */
export interface RejectedStream {
  error: HcmError;
  port?: string | undefined;
  target?: string | undefined;
}

/**
 * How the two ends agree on a target. Resolves when the stream is open or the sender knows why it is not; rejects when
 * the sender could not be told. Leaves nothing open when it does not resolve with a stream.
 */
export type Dialect = (
  command: AcceptCommand,
  use: RendezvousOptions,
) => Promise<AcceptedStream | RejectedStream>;

export interface AcceptorOptions {
  dialect: Dialect;
  streams: StreamSet;
  emit: Emit;
  /** The limit that is reached, if one is. Asked for each command. */
  busy(): HcmError | undefined;
  /** What each stream needs to reach the relay. */
  rendezvous: Omit<RendezvousOptions, 'signal'>;
}

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #use: RendezvousOptions;
  /** Fires when streams that are still being set up must go too. */
  readonly #cutting = new Cancellation();
  /** Commands that are being answered, rejections too. */
  readonly #accepting = new Set<Promise<void>>();
  /** Streams that take a place already, though they are not open yet. */
  #settingUp = 0;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#use = { ...options.rendezvous, signal: this.#cutting };
  }

  /** Streams that are open or being set up. */
  get size(): number {
    return this.#options.streams.size + this.#settingUp;
  }

  accept(command: AcceptCommand): void {
    const accepting = this.#accept(command).finally(() => this.#accepting.delete(accepting));
    this.#accepting.add(accepting);
  }

  /** See StreamSet.drain; until `noMore` further commands may come. */
  drain(graceMs: number, noMore: Promise<unknown>): Promise<void> {
    return this.#options.streams.drain(graceMs, this.#accepting, this.#cutting, noMore);
  }

  async #accept(command: AcceptCommand): Promise<void> {
    const { emit, streams, rendezvous } = this.#options;
    const { clock } = rendezvous;
    const startedMs = clock.monotonicMs();
    const stream = stripGateway(command.id);
    try {
      const answer = await this.#answer(command);
      if ('error' in answer) return emit({ event: 'rejected', stream, ...answer });
      const { webSocket, local, target, port, relay = new WebSocketEnd(webSocket) } = answer;
      const { remoteEndpoint: from } = command;
      const remote = from && `${from.address}:${from.port}`;
      const setupMs = Math.round(clock.monotonicMs() - startedMs);
      emit({ event: 'accepted', stream, port, target, remote, setupMs });
      void streams.add(stream, local, relay, webSocket);
    } catch (error) {
      emit({ event: 'rejected', stream, error: asHcmError(error) });
    }
  }

  async #answer(command: AcceptCommand): Promise<AcceptedStream | RejectedStream> {
    const error = this.#options.busy();
    if (error) {
      await answerReject(command, error, this.#use);
      return { error };
    }
    this.#settingUp += 1;
    try {
      return await this.#options.dialect(command, this.#use);
    } finally {
      this.#settingUp -= 1;
    }
  }
}
