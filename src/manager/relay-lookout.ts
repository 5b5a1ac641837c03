/**
 * What the listeners of one relay know together. Each waits by itself, longer and longer, when the relay cannot be
 * reached. While none of them is registered, one of those that wait looks on behalf of all, and the first that gets
 * through calls the others. Owns only when they are called; how one tries is its own business.
 */
import type { ErrorCode } from '../protocol/errors.ts';
import type { Clock } from '../tunnel/clock.ts';
import type { ConnectionState } from './connection-record.ts';

/** All who wait look in turn, each as often as its own back-off would let it at most: twice the attempts in all. */
const LOOK_EACH_MS = 30_000;
const LOOK_LEAST_MS = 2_000;
/** A relay that hangs up on whom it has just taken is not back. */
const STEADY_AFTER_MS = 500;
/** Who is called comes within this time, at random; of many, so many a second at most. */
const SPREAD_MS = 1_000;
const SPREAD_EACH_MS = 20;
/** Pause between two calls, for a relay that comes and goes. */
const CALL_PAUSE_MS = 3_000;
/** For so long after the return an attempt that was still under way may fail, and is called again. */
const RETURN_MS = 30_000;

/** What says something about the way to the relay, and nothing about one connection. */
const NO_WAY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HCM_DNS_FAILED',
  'HCM_CONNECT_REFUSED',
  'HCM_CONNECT_FAILED',
  'HCM_CONNECT_TIMEOUT',
  'HCM_TLS_FAILED',
  'HCM_PROXY_FAILED',
  'HCM_RELAY_FAULT',
  'HCM_HANDSHAKE_FAILED',
  'HCM_CONNECTION_LOST',
  'HCM_KEEPALIVE_TIMEOUT',
]);

/** One that may have to wait for its relay. */
export interface Waiter {
  /** NAMESPACE/NAME. */
  readonly spec: { readonly connection: string };
  /** Tries at once, if it waits. */
  hurry(): void;
}

export interface RelayLookoutOptions {
  clock: Clock;
  random: () => number;
}

export class RelayLookout {
  readonly #options: RelayLookoutOptions;
  readonly #relays = new Map<string, Relay>();

  constructor(options: RelayLookoutOptions) {
    this.#options = options;
  }

  /** To be told of each new state of each listener; `stopped` and `failed` are forgotten. */
  onState(waiter: Waiter, state: ConnectionState): void {
    const name = relayOf(waiter.spec.connection);
    const relay = this.#relays.get(name) ?? new Relay(this.#options);
    this.#relays.set(name, relay);
    relay.onState(waiter, state);
    if (relay.isIdle) this.#relays.delete(name);
  }

  /** Nobody is called any more. */
  stop(): void {
    for (const relay of this.#relays.values()) relay.stop();
    this.#relays.clear();
  }
}

class Relay {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #up = new Set<Waiter>();
  readonly #waiting = new Set<Waiter>();
  readonly #calls = new Map<Waiter, () => void>();
  #cancelLook: (() => void) | undefined;
  /** Since when the next look is waited for. */
  #lookedMs: number | undefined;
  #cancelCall: (() => void) | undefined;
  #calledMs = -Infinity;
  #returnedMs = -Infinity;

  constructor({ clock, random }: RelayLookoutOptions) {
    this.#clock = clock;
    this.#random = random;
  }

  get isIdle(): boolean {
    return this.#up.size === 0 && this.#waiting.size === 0 && !this.#cancelCall && this.#calls.size === 0;
  }

  onState(waiter: Waiter, state: ConnectionState): void {
    const wasUp = this.#up.delete(waiter);
    this.#waiting.delete(waiter);
    if (state.name === 'waiting' && NO_WAY.has(state.reason.code)) this.#waiting.add(waiter);
    else this.#forget(waiter);
    if (state.name === 'online' || state.name === 'degraded') {
      this.#up.add(waiter);
      if (!wasUp) this.#returnedMs = this.#clock.monotonicMs();
    }
    const isBack = this.#up.size > 0 && this.#clock.monotonicMs() - this.#returnedMs < RETURN_MS;
    if (isBack && this.#waiting.size > 0) this.#callSoon();
    this.#look();
  }

  stop(): void {
    this.#cancelLook?.();
    this.#cancelCall?.();
    for (const waiter of this.#calls.keys()) this.#forget(waiter);
  }

  /** One alone has its own back-off, and nobody to look for. */
  #look(): void {
    this.#cancelLook?.();
    if (this.#up.size > 0 || this.#waiting.size < 2) return void (this.#lookedMs = undefined);
    const nowMs = this.#clock.monotonicMs();
    this.#lookedMs ??= nowMs;
    const pauseMs = Math.max(LOOK_EACH_MS / this.#waiting.size, LOOK_LEAST_MS);
    this.#cancelLook = this.#clock.setTimer(this.#lookedMs + pauseMs - nowMs, () => {
      this.#lookedMs = undefined;
      [...this.#waiting][Math.floor(this.#random() * this.#waiting.size)]?.hurry();
      this.#look();
    });
  }

  #callSoon(): void {
    if (this.#cancelCall) return;
    const pauseMs = this.#calledMs + CALL_PAUSE_MS - this.#clock.monotonicMs();
    this.#cancelCall = this.#clock.setTimer(Math.max(pauseMs, STEADY_AFTER_MS), () => {
      this.#cancelCall = undefined;
      if (this.#up.size > 0) this.#call();
    });
  }

  #call(): void {
    this.#calledMs = this.#clock.monotonicMs();
    const spreadMs = Math.max(SPREAD_MS, this.#waiting.size * SPREAD_EACH_MS);
    for (const waiter of this.#waiting) {
      if (this.#calls.has(waiter)) continue;
      const cancel = this.#clock.setTimer(this.#random() * spreadMs, () => {
        this.#calls.delete(waiter);
        waiter.hurry();
      });
      this.#calls.set(waiter, cancel);
    }
  }

  #forget(waiter: Waiter): void {
    this.#calls.get(waiter)?.();
    this.#calls.delete(waiter);
  }
}

/** The namespace; its first label, because it may be written as a whole host. */
function relayOf(connection: string): string {
  return (connection.split('/', 1)[0] ?? '').split('.', 1)[0]?.toLowerCase() ?? '';
}
