/** The open streams of a listener or a local port: joins them, reports their end, and drains them at a stop. */
import { HcmError } from '../protocol/errors.ts';
import type { Cancellation } from '../websocket/cancel-signal.ts';
import type { WebSocket } from '../websocket/websocket.ts';
import type { ByteEnd } from './byte-end.ts';
import type { Clock } from './clock.ts';
import { asHcmError, type Emit } from './emitter.ts';
import { forward, type ForwardedStream } from './forwarder.ts';
import { KeepAlive } from './keep-alive.ts';
import type { TunnelOptions } from './options.ts';
import type { WebSocketEnd } from './websocket-end.ts';

/** A stream that is open; directions as in the `closed` event. */
export interface LiveStream {
  readonly stream: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export class StreamSet {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #options: TunnelOptions;
  /** Each with the id that both ends know it by. */
  readonly #open = new Map<ForwardedStream, string>();
  /** Ends that no peer would end: they are told of a stop. */
  readonly #endless = new Set<ByteEnd>();
  #whenEmpty: (() => void)[] = [];
  #draining = false;
  /** Set once the grace is over: a stream that comes late is aborted at once. */
  #cut: HcmError | undefined;

  constructor(clock: Clock, emit: Emit, options: TunnelOptions) {
    this.#clock = clock;
    this.#emit = emit;
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** What the open streams have carried so far. */
  get live(): LiveStream[] {
    return [...this.#open].map(([{ bytesAtoB, bytesBtoA }, stream]) => ({
      stream,
      bytesIn: bytesAtoB,
      bytesOut: bytesBtoA,
    }));
  }

  /** Joins the two ends; resolves when both are gone, with the bytes and the error of the `closed` event. */
  async add(
    stream: string,
    local: ByteEnd,
    relay: WebSocketEnd,
    webSocket: WebSocket,
  ): Promise<HcmError | undefined> {
    const keepAlive = new KeepAlive(webSocket, {
      clock: this.#clock,
      mode: this.#options.keepAlive ?? 'ping',
      strict: false,
      onDead: (error) => webSocket.destroy(error),
    });
    relay.onPong = () => keepAlive.onPong();
    const forwarded = forward(relay, local, {
      clock: this.#clock,
      idleTimeoutMs: this.#options.idleTimeoutMs,
    });
    this.#open.set(forwarded, stream);
    if (local.retire) this.#endless.add(local);
    if (this.#draining) local.retire?.();
    if (this.#cut) forwarded.abort(this.#cut);
    const failure = await forwarded.done;
    keepAlive.stop();
    this.#open.delete(forwarded);
    this.#endless.delete(local);
    const error = failure && asHcmError(failure);
    this.#emit({
      event: 'closed',
      stream,
      bytesIn: forwarded.bytesAtoB,
      bytesOut: forwarded.bytesBtoA,
      error,
    });
    if (this.#open.size === 0) for (const tell of this.#whenEmpty.splice(0)) tell();
    return error;
  }

  /**
   * Resolves when no stream is left: by themselves within `graceMs`, then aborted. Streams that are still being set up
   * (`opening`) count; `cutting` aborts them when the grace is over. Until `noMore` others may still come.
   */
  async drain(
    graceMs: number,
    opening: ReadonlySet<Promise<void>>,
    cutting: Cancellation,
    noMore?: Promise<unknown>,
  ): Promise<void> {
    const cut = () => {
      const stopped = new HcmError('HCM_ABORTED', 'The tunnel was stopped');
      this.#cut = stopped;
      cutting.abort(stopped);
      for (const stream of this.#open.keys()) stream.abort(stopped);
    };
    this.#draining = true;
    for (const end of this.#endless) end.retire?.();
    const cancel = graceMs > 0 ? this.#clock.setTimer(graceMs, cut) : () => undefined;
    if (graceMs <= 0) cut();
    await noMore;
    while (opening.size > 0 || this.#open.size > 0) {
      await Promise.allSettled(opening);
      if (this.#open.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
    }
    cancel();
  }
}
