/**
 * The sender's side: opens streams to a hybrid connection. Each attempt has a deadline, because a relay's handshake
 * may stall, and all attempts together a budget.
 */
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connectAddresses, type RequestAddress } from '../protocol/addresses.ts';
import { HcmError } from '../protocol/errors.ts';
import type { WebSocket } from '../websocket/websocket.ts';
import { sleep, systemClock, type Clock } from './clock.ts';
import { connectionName, emitterFor, type Emit } from './emitter.ts';
import { orAborted, withDeadline } from './network-errors.ts';
import type { Connection, SenderOptions } from './options.ts';
import { RelayDialer } from './relay-dialer.ts';
import { RelayTime } from './relay-time.ts';
import { upgrade } from './relay-socket.ts';
import { cachedTokens, isStaleToken, mayTryNewerToken, type CachedTokens } from './token-provider.ts';
import { RendezvousStream } from './rendezvous-stream.ts';
import type { WebSocketEnd } from './websocket-end.ts';
import type { CancelSignal } from '../websocket/cancel-signal.ts';

/** The relay holds the handshake for up to 30 s while a listener is asked. */
export const ATTEMPT_TIMEOUT_MS = 40_000;
const TOTAL_TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;
const RETRY_DELAY_MS = 250;

/** What a second attempt may mend: the way to the relay, not the relay's or the listener's decision. */
const WORTH_ANOTHER_TRY = new Set([
  'HCM_CONNECT_TIMEOUT',
  'HCM_CONNECTION_LOST',
  'HCM_RELAY_BUSY',
  'HCM_RELAY_FAULT',
]);

/** An open stream, not read from yet. */
export interface OpenStream {
  webSocket: WebSocket;
  /** The rendezvous as one end, where a dialect has read from it; else the end is the taker's to make. */
  relay?: WebSocketEnd | undefined;
  /** Dialect azbridge: the logical port. */
  port?: string | undefined;
  /** The id that the relay and the listener know it by. */
  stream: string;
}

export class Sender {
  readonly connection: Connection;
  readonly options: SenderOptions;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly #dialer: RelayDialer;
  readonly #relayTime: RelayTime;
  readonly #tokens: CachedTokens | undefined;
  #addresses: ((id: string) => RequestAddress) | undefined;
  /** How often the tokens were found stale. */
  #renewals = 0;

  constructor(connection: Connection, options: SenderOptions = {}) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    const { tokens } = connection;
    this.#relayTime = new RelayTime(this.clock);
    const stamped = tokens && this.#relayTime.stamped(tokens);
    this.#tokens = stamped && cachedTokens(stamped, this.clock);
    this.connection = { ...connection, tokens: this.#tokens };
    this.emit = emitterFor(connection, this.clock, options);
    this.#dialer = new RelayDialer(options, this.clock);
  }

  /**
   * Resolves with a stream that a listener has accepted. Rejects with HcmError: HCM_NO_LISTENER, HCM_TARGET_* and
   * HCM_REJECTED from the listener, HCM_TOKEN_*, HCM_ENTITY_NOT_FOUND, network errors, HCM_CONNECT_TIMEOUT.
   */
  async open(options: { stream?: string; signal?: CancelSignal | undefined } = {}): Promise<OpenStream> {
    const stream = options.stream ?? randomUUID();
    const limitMs = this.options.totalTimeoutMs ?? TOTAL_TIMEOUT_MS;
    const limit = { clock: this.clock, limitMs, late: () => this.#late(limitMs), signal: options.signal };
    return withDeadline(limit, async (signal) => {
      for (let attempt = 1; ; attempt += 1) {
        const renewalsBefore = this.#renewals;
        try {
          return { stream, webSocket: await this.#attempt(stream, signal) };
        } catch (error) {
          if (attempt === ATTEMPTS || signal.aborted || !(error instanceof HcmError)) throw error;
          if (this.#hasNewerToken(error, renewalsBefore)) continue;
          if (!WORTH_ANOTHER_TRY.has(error.code)) throw error;
          await sleep(this.clock, RETRY_DELAY_MS * attempt, signal);
        }
      }
    });
  }

  /**
   * True when the relay's refusal says what time it is there, which nobody knew: the next token is good by that clock, so that
   * another try at once makes sense.
   */
  learnTime(refusal: HcmError): boolean {
    const isNews = this.#relayTime.learnFrom(refusal);
    this.tellClock();
    // A ready-made token stays what it is.
    if (!isNews || this.#tokens?.renewable !== true) return false;
    this.#tokens.forget();
    return true;
  }

  /** Tells when our clock is another one, by the relay's, than what was told last. */
  tellClock(): void {
    const skewMs = this.#relayTime.isSure ? this.#relayTime.skewToTell() : undefined;
    if (skewMs !== undefined) this.emit({ event: 'clock-skew', skewMs });
  }

  /** Of many streams that are refused at once with the same token, the first asks for a newer one. */
  #hasNewerToken(error: HcmError, renewalsBefore: number): boolean {
    if (this.#renewals > renewalsBefore && isStaleToken(error.code)) return true;
    if (!this.learnTime(error) && !mayTryNewerToken(this.#tokens, error.code)) return false;
    this.#renewals += 1;
    return true;
  }

  #attempt(stream: string, outer: CancelSignal): Promise<WebSocket> {
    const { endpoint, path, tokens } = this.connection;
    const limitMs = this.options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS;
    const limit = { clock: this.clock, limitMs, late: () => this.#late(limitMs), signal: outer };
    return withDeadline(limit, async (signal) => {
      const token = tokens && (await orAborted(tokens.token({ host: endpoint.host, path }), signal));
      const socket = await this.#dialer.dial(endpoint.host, endpoint.port, signal);
      const { webSocket, skewMs } = await upgrade(socket, this.#addressOf(stream), {
        role: 'connect',
        host: endpoint.host,
        path,
        nowMs: this.clock.nowMs(),
        headers: token ? ['ServiceBusAuthorization', token.text] : [],
        signal,
      });
      this.#tellSkew(skewMs);
      return webSocket;
    });
  }

  #addressOf(stream: string): RequestAddress {
    const { endpoint, path } = this.connection;
    this.#addresses ??= connectAddresses(endpoint, path);
    return this.#addresses(stream);
  }

  #late(limitMs: number): HcmError {
    const text = `${connectionName(this.connection)} did not open a stream within ${limitMs / 1000} s`;
    return new HcmError('HCM_CONNECT_TIMEOUT', text, { retryable: true });
  }

  #tellSkew(skewMs: number | undefined): void {
    this.#relayTime.learn(skewMs);
    const toTell = this.#relayTime.skewToTell();
    if (toTell !== undefined) this.emit({ event: 'clock-skew', skewMs: toTell });
  }
}

/**
 * Opens one stream to a hybrid connection, as a Duplex: `end()` ends our direction only, 'end' is the peer's end,
 * `destroy()` aborts. Rejects as Sender.open does.
 */
export async function connect(
  connection: Connection,
  options: SenderOptions & { signal?: CancelSignal } = {},
): Promise<Duplex> {
  const { webSocket } = await new Sender(connection, options).open({ signal: options.signal });
  return new RendezvousStream(webSocket);
}
