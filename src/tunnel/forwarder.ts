/**
 * Joins two ends into one stream: what arrives at one is written to the other, as fast as the slower one takes it.
 *
 * The end of one direction is passed on by itself (half-close), so a client may send, shut down, and still read the
 * answer. An error at one end aborts the other: a stream is complete or it ends with an error, never silently short.
 */
import type { ByteEnd, ByteEndEvents } from './byte-end.ts';
import { totalBytes } from './byte-end.ts';
import type { Clock } from './clock.ts';
import { HcmError } from '../protocol/errors.ts';

export interface ForwarderOptions {
  clock: Clock;
  /** With no byte in either direction for this long the stream is aborted, in ms. Default: no limit. */
  idleTimeoutMs?: number | undefined;
}

export interface ForwardedStream {
  /** Bytes so far, from `a` to `b` and back. */
  readonly bytesAtoB: number;
  readonly bytesBtoA: number;
  /** Resolves when both ends are gone; the error is undefined when both directions ended properly. Never rejects. */
  readonly done: Promise<Error | undefined>;
  /** Aborts both ends. */
  abort(error: Error): void;
}

/** Takes both ends over and starts them; they are gone when `done` resolves. */
export function forward(a: ByteEnd, b: ByteEnd, options: ForwarderOptions): ForwardedStream {
  return new Forwarder(a, b, options);
}

function ignore(): void {}

class Forwarder implements ForwardedStream {
  bytesAtoB = 0;
  bytesBtoA = 0;
  readonly done: Promise<Error | undefined>;
  readonly #ends: readonly [ByteEnd, ByteEnd];
  readonly #options: ForwarderOptions;
  #error: Error | undefined;
  #open = 2;
  #finish: (error: Error | undefined) => void = ignore;
  #lastActivityMs: number;
  #stopIdleWatch: () => void = ignore;

  constructor(a: ByteEnd, b: ByteEnd, options: ForwarderOptions) {
    this.#ends = [a, b];
    this.#options = options;
    this.#lastActivityMs = options.clock.monotonicMs();
    this.done = new Promise((resolve) => (this.#finish = resolve));
    this.#watchIdle();
    a.start(this.#eventsOf(a, b, (bytes) => (this.bytesAtoB += bytes)));
    b.start(this.#eventsOf(b, a, (bytes) => (this.bytesBtoA += bytes)));
  }

  abort(error: Error): void {
    this.#error ??= error;
    for (const end of this.#ends) end.reset(this.#error);
  }

  #eventsOf(from: ByteEnd, to: ByteEnd, count: (bytes: number) => void): ByteEndEvents {
    return {
      onBytes: (chunks, hold) => {
        count(totalBytes(chunks));
        this.#noteActivity();
        if (!to.write(chunks, hold)) from.pause();
      },
      onEnd: () => to.end(),
      onDrain: () => {
        this.#noteActivity();
        to.resume();
      },
      onClosed: (error) => this.#closed(error),
    };
  }

  #closed(error: Error | undefined): void {
    if (error) this.abort(error);
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#stopIdleWatch();
    this.#finish(this.#error);
  }

  /** A byte has come, or a slow reader has taken what waited for it. */
  #noteActivity(): void {
    if (this.#options.idleTimeoutMs !== undefined) this.#lastActivityMs = this.#options.clock.monotonicMs();
  }

  /** One timer for the whole idle time, set again for the rest: no timer is touched for each read. */
  #watchIdle(): void {
    const { clock, idleTimeoutMs } = this.#options;
    if (idleTimeoutMs === undefined) return;
    const check = () => {
      const leftMs = this.#lastActivityMs + idleTimeoutMs - clock.monotonicMs();
      if (leftMs > 0) this.#stopIdleWatch = clock.setTimer(leftMs, check);
      else
        this.abort(new HcmError('HCM_IDLE_TIMEOUT', `no byte for ${idleTimeoutMs} ms`, { retryable: true }));
    };
    this.#stopIdleWatch = clock.setTimer(idleTimeoutMs, check);
  }
}
