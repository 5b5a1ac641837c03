/**
 * A listener on one hybrid connection: registers, stays registered, and forwards each accepted stream to the target.
 *
 * It is the one owner of reconnection. Streams do not depend on the control channel: they survive its loss, and a
 * stop lets them finish first.
 */
import { randomUUID } from 'node:crypto';
import { HcmError } from '../protocol/errors.ts';
import { formatTargetAddress } from '../protocol/target-address.ts';
import { Acceptor, type Dialect } from './acceptor.ts';
import { azbridgeDialect } from './azbridge/azbridge-dialect.ts';
import { watchClock } from './clock-watch.ts';
import { sleep, systemClock, type Clock } from './clock.ts';
import { ControlChannel } from './control-channel.ts';
import { asHcmError, emitterFor, type Emit } from './emitter.ts';
import { httpTarget, type HttpTarget } from './http/http-target.ts';
import { RequestServer, type RequestHandler } from './http/request-server.ts';
import { httpAddressOf, ListenerTarget } from './listener-target.ts';
import type { Connection, ListenerOptions } from './options.ts';
import { rawDialect } from './raw-dialect.ts';
import { ReconnectPolicy, isFinal } from './reconnect-policy.ts';
import { RelayDialer } from './relay-dialer.ts';
import { RelayTime } from './relay-time.ts';
import type { ListenerState } from './state.ts';
import { StreamSet, type LiveStream } from './stream-set.ts';
import { mayTryNewerToken, type TokenProvider } from './token-provider.ts';

const DRAIN_MS = 10_000;
/** Streams and requests together. */
const MAX_STREAMS = 10_000;

export class HybridConnectionListener {
  /** Resolves when it is over for good: undefined after `stop`, the error when the first attempt was final. */
  readonly ended: Promise<HcmError | undefined>;
  readonly #connection: Connection & { tokens: TokenProvider };
  readonly #options: ListenerOptions;
  readonly #clock: Clock;
  readonly #relayTime: RelayTime;
  readonly #random: () => number;
  readonly #emit: Emit;
  readonly #dialer: RelayDialer;
  readonly #target: ListenerTarget;
  readonly #policy: ReconnectPolicy;
  readonly #streams: StreamSet;
  readonly #acceptor: Acceptor;
  readonly #requests: RequestServer;
  readonly #id = randomUUID();
  readonly #stopping = new AbortController();
  readonly #onlineOnce: Promise<void>;
  #cameOnline: () => void = () => undefined;
  #end: (error: HcmError | undefined) => void = () => undefined;
  readonly #httpTarget: HttpTarget | undefined;
  #onRequest: RequestHandler | undefined;
  #state: ListenerState = { name: 'idle' };
  #channel: ControlChannel | undefined;
  #wakeUp: AbortController | undefined;
  #wasOnline = false;

  /** Nothing happens before `start`. Throws HcmError HCM_TOKEN_MISSING without a token provider. */
  constructor(connection: Connection, options: ListenerOptions = {}) {
    const { tokens } = connection;
    if (!tokens)
      throw new HcmError('HCM_TOKEN_MISSING', 'A listener needs a key or a token with the right Listen');
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#relayTime = new RelayTime(this.#clock);
    this.#connection = { ...connection, tokens: this.#relayTime.stamped(tokens) };
    this.#random = options.random ?? Math.random;
    this.#emit = emitterFor(connection, this.#clock, options);
    this.#dialer = new RelayDialer(options, this.#clock);
    this.#target = this.#createTarget();
    this.#policy = new ReconnectPolicy(this.#random);
    this.#streams = new StreamSet(this.#clock, this.#emit, options);
    this.#httpTarget = this.#createHttpTarget();
    this.#onRequest = options.onRequest ?? this.#httpTarget;
    this.#acceptor = this.#createAcceptor();
    this.#requests = this.#createRequestServer();
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.#onlineOnce = new Promise((resolve) => (this.#cameOnline = resolve));
  }

  get state(): ListenerState {
    return this.#state;
  }

  /** Streams that are open now. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** What the open streams have carried so far. */
  get streams(): readonly LiveStream[] {
    return this.#streams.live;
  }

  /** Relayed HTTP requests that are open now. */
  get openRequests(): number {
    return this.#requests.size;
  }

  /** Whoever answers relayed HTTP requests, as a handler of node:http does. The last one given serves. */
  on(_event: 'request', handler: RequestHandler): this {
    this.#onRequest = handler;
    return this;
  }

  start(): void {
    if (this.#state.name !== 'idle') return;
    void this.#run();
  }

  /** Tries at once, if it waits for its next attempt: somebody knows that the relay is back. */
  hurry(): void {
    this.#wakeUp?.abort();
  }

  /** Resolves when registered for the first time; rejects with HcmError when that cannot come any more. */
  async online(): Promise<void> {
    const over = this.ended.then((error) => {
      throw error ?? new HcmError('HCM_ABORTED', 'The listener was stopped before it was online');
    });
    await Promise.race([this.#onlineOnce, over]);
  }

  /**
   * Deregisters, lets open streams and requests finish for up to `graceMs`, then aborts them. Afterwards no socket and no timer is
   * left. May be called again with a shorter grace.
   */
  async stop(options: { graceMs?: number } = {}): Promise<void> {
    const { graceMs = DRAIN_MS } = options;
    this.#stopping.abort(new HcmError('HCM_ABORTED', 'The listener was stopped'));
    if (graceMs > 0 && this.#requests.needsChannel) void this.#leaveChannel(graceMs);
    else this.#channel?.close(graceMs);
    if (this.#state.name === 'idle') this.#finish(undefined);
    await Promise.all([this.#acceptor.drain(graceMs, this.ended), this.#requests.drain(graceMs, this.ended)]);
    this.#httpTarget?.close();
  }

  async #leaveChannel(graceMs: number): Promise<void> {
    const channel = this.#channel;
    await this.#requests.leaveChannel();
    channel?.close(graceMs);
  }

  async #run(): Promise<void> {
    const stopWatching = watchClock(this.#clock, () => this.#onClockJump());
    /** One token more, by the relay's clock, and then patience: relays whose clocks differ would keep us busy. */
    let hasLearned = false;
    while (!this.#stopping.signal.aborted) {
      const { error, onlineMs } = await this.#connectOnce();
      const isNews = this.#relayTime.learnFrom(error) && this.#connection.tokens.renewable;
      if (this.#stopping.signal.aborted) break;
      if (isNews && !hasLearned) {
        hasLearned = true;
        continue;
      }
      hasLearned = false;
      if (mayTryNewerToken(this.#connection.tokens, error.code)) continue;
      if (this.#givesUp(error)) {
        stopWatching();
        return this.#finish(error);
      }
      await this.#wait(error, onlineMs);
    }
    stopWatching();
    this.#finish(undefined);
  }

  /** One life of a control channel; resolves with why it ended. */
  async #connectOnce(): Promise<{ error: HcmError; onlineMs: number }> {
    let onlineAtMs: number | undefined;
    this.#state = { name: 'connecting' };
    this.#emit({ event: 'connecting' });
    let stopReading: () => void = () => undefined;
    try {
      const { isKnown } = this.#target;
      if (!isKnown) await this.#target.learn(this.#stopping.signal);
      const channel = await this.#openChannel();
      onlineAtMs = this.#clock.monotonicMs();
      this.#onOnline(channel);
      stopReading = this.#target.keepReading(isKnown);
      return { error: await channel.ended, onlineMs: this.#clock.monotonicMs() - onlineAtMs };
    } catch (error) {
      return { error: asHcmError(error), onlineMs: 0 };
    } finally {
      stopReading();
      this.#channel = undefined;
    }
  }

  #openChannel(): Promise<ControlChannel> {
    return ControlChannel.open({
      connection: this.#connection,
      id: this.#id,
      dialer: this.#dialer,
      clock: this.#clock,
      random: this.#random,
      keepAlive: this.#options.keepAlive ?? 'ping',
      emit: this.#emit,
      onAccept: (command) => this.#acceptor.accept(command),
      onRequest: (command, body, channel) => this.#requests.take(command, body, channel),
      signal: this.#stopping.signal,
    });
  }

  #onOnline(channel: ControlChannel): void {
    this.#channel = channel;
    if (this.#stopping.signal.aborted) channel.close();
    this.#wasOnline = true;
    this.#state = { name: 'online', sinceMs: this.#clock.nowMs() };
    this.#emit({ event: 'online', target: this.#target.name, error: this.#target.source.refusal });
    this.#relayTime.learn(channel.skewMs);
    this.#tellSkew();
    this.#cameOnline();
  }

  #tellSkew(): void {
    const skewMs = this.#relayTime.skewToTell();
    if (skewMs !== undefined) this.#emit({ event: 'clock-skew', skewMs });
  }

  #givesUp(error: HcmError): boolean {
    return !this.#wasOnline && !this.#options.keepTrying && isFinal(error.code);
  }

  async #wait(error: HcmError, onlineMs: number): Promise<void> {
    const retryInMs = this.#policy.next(error.code, onlineMs);
    this.#state = { name: 'waiting', retryAtMs: this.#clock.nowMs() + retryInMs, error };
    this.#emit({ event: 'reconnecting', retryInMs, attempt: this.#policy.failures, error });
    this.#wakeUp = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, this.#wakeUp.signal]);
    // Woken early or stopped: the loop looks for itself.
    await sleep(this.#clock, retryInMs, signal).catch(() => undefined);
    this.#wakeUp = undefined;
  }

  /** The key was changed, or the clock: shows the relay a new token, or tries at once where it waits. */
  refresh(): void {
    this.#channel?.refresh();
    this.hurry();
  }

  #onClockJump(): void {
    if (this.#relayTime.isSure) this.#tellSkew();
    this.refresh();
  }

  #finish(error: HcmError | undefined): void {
    this.#state = error ? { name: 'failed', error } : { name: 'stopped' };
    this.#emit({ event: 'offline', error });
    this.#end(error);
  }

  #createTarget(): ListenerTarget {
    const use = { connection: this.#connection, dialer: this.#dialer, clock: this.#clock };
    const isOptional = () => this.#onRequest !== undefined;
    return new ListenerTarget(this.#options, { ...use, random: this.#random, emit: this.#emit, isOptional });
  }

  #createAcceptor(): Acceptor {
    return new Acceptor({
      dialect: this.#createDialect(),
      streams: this.#streams,
      emit: this.#emit,
      busy: () => this.#busy(),
      rendezvous: { connection: this.#connection, dialer: this.#dialer, clock: this.#clock },
    });
  }

  #createDialect(): Dialect {
    const { dialect, ports, allow, dialTimeoutMs, proxyProtocol, datagramIdleTimeoutMs } = this.#options;
    const use = { clock: this.#clock, dialTimeoutMs, proxyProtocol };
    return dialect === 'azbridge'
      ? azbridgeDialect({ ...use, ports, allow, emit: this.#emit, datagramIdleTimeoutMs })
      : rawDialect({ ...use, targets: this.#target.source });
  }

  #createHttpTarget(): HttpTarget | undefined {
    const address = httpAddressOf(this.#options);
    return address && httpTarget(address, { ...this.#options, clock: this.#clock });
  }

  #createRequestServer(): RequestServer {
    const { keepAlive = 'ping' } = this.#options;
    const address = httpAddressOf(this.#options);
    return new RequestServer({
      target: address && formatTargetAddress(address),
      handler: () => this.#onRequest,
      busy: () => this.#busy(),
      emit: this.#emit,
      rendezvous: { connection: this.#connection, dialer: this.#dialer, clock: this.#clock, keepAlive },
    });
  }

  #busy(): HcmError | undefined {
    const limit = this.#options.maxStreams ?? MAX_STREAMS;
    if (this.#acceptor.size + this.#requests.size < limit) return undefined;
    const text = `the limit is reached: ${limit} ${limit === 1 ? 'stream or request is' : 'streams and requests are'} open`;
    return new HcmError('HCM_LISTENER_BUSY', text, { retryable: true });
  }
}
