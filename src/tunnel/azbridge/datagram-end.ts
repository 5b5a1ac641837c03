/**
 * Datagrams as one end of a stream: each goes out framed, and what comes is cut at its frames. It keeps what UDP
 * promises and no more: nothing waits for long, and what finds no room is dropped and counted.
 *
 * UDP has no end. A route ends when nothing has come for a while, when the other side ends, or when the tunnel is
 * stopped, and each of these is a proper end of both directions.
 */
import { DatagramDecoder, encodeDatagram } from '../../protocol/azbridge-datagrams.ts';
import type { ByteEnd, ByteEndEvents } from '../byte-end.ts';
import type { Clock } from '../clock.ts';
import type { DropReason } from '../events.ts';

/** azbridge's, at both ends. */
export const ROUTE_IDLE_MS = 4 * 60_000;
/** The largest payload of UDP over IPv4. */
export const DATAGRAM_MAX_BYTES = 65_507;
/** What waits at most for a stream that is being opened: the newest are dropped. */
const WAITING_MAX = 64;
const WAITING_MAX_BYTES = 256 * 1024;

export interface DatagramEndOptions {
  clock: Clock;
  idleMs?: number | undefined;
  /** Sends one datagram on the near side. The buffer is valid during the call. */
  send(payload: Buffer): void;
  /** The near side is not needed any more; called once. */
  close(): void;
  onDropped(reason: DropReason): void;
}

function ignore(): void {}

export class DatagramEnd implements ByteEnd {
  readonly #options: DatagramEndOptions;
  readonly #idleMs: number;
  readonly #decoder = new DatagramDecoder();
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #events: ByteEndEvents | undefined;
  #blocked = false;
  #retired = false;
  #over: { error: Error | undefined } | undefined;
  #lastActivityMs = 0;
  #stopIdleWatch: () => void = ignore;

  constructor(options: DatagramEndOptions) {
    this.#options = options;
    this.#idleMs = options.idleMs ?? ROUTE_IDLE_MS;
  }

  /** A datagram has come on the near side. Kept for a stream that is not open yet, within bounds. */
  receive(payload: Buffer): void {
    if (this.#retired) return;
    if (payload.length > DATAGRAM_MAX_BYTES) return this.#options.onDropped('too-long');
    if (!this.#events) return this.#keep(payload);
    if (this.#blocked) return this.#options.onDropped('relay-slow');
    this.#noteActivity();
    this.#events.onBytes([encodeDatagram(payload)]);
  }

  start(events: ByteEndEvents): void {
    this.#events = events;
    const over = this.#over;
    if (over) setImmediate(() => events.onClosed(over.error));
    if (this.#retired) return events.onEnd();
    this.#watchIdle();
    for (const payload of this.#waiting.splice(0)) this.receive(payload);
  }

  /** What the network does not take now is dropped: a stream of datagrams is never paused. */
  write(chunks: readonly Buffer[]): boolean {
    if (this.#retired) return true;
    this.#noteActivity();
    for (const chunk of chunks) this.#decoder.push(chunk, (payload) => this.#send(payload));
    return true;
  }

  /** Ends the stream from here: it was idle, or the tunnel is being stopped. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#waiting = [];
    this.#stopIdleWatch();
    this.#options.close();
    this.#events?.onEnd();
  }

  /** The other side has ended, so both have: half of a conversation by datagrams is none. */
  end(): void {
    this.retire();
    this.#finish(undefined);
  }

  reset(error: Error): void {
    const events = this.#events;
    this.#events = undefined;
    this.retire();
    this.#events = events;
    this.#finish(error);
  }

  pause(): void {
    this.#blocked = true;
  }

  resume(): void {
    this.#blocked = false;
  }

  #send(payload: Buffer): void {
    if (payload.length > DATAGRAM_MAX_BYTES) this.#options.onDropped('too-long');
    else this.#options.send(payload);
  }

  #keep(payload: Buffer): void {
    if (this.#waiting.length >= WAITING_MAX || this.#waitingBytes + payload.length > WAITING_MAX_BYTES)
      return this.#options.onDropped('opening');
    this.#waiting.push(payload);
    this.#waitingBytes += payload.length;
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = { error };
    const events = this.#events;
    if (events) setImmediate(() => events.onClosed(error));
  }

  #noteActivity(): void {
    this.#lastActivityMs = this.#options.clock.monotonicMs();
  }

  /** One timer for the whole idle time, set again for the rest: no timer is touched for each datagram. */
  #watchIdle(): void {
    const { clock } = this.#options;
    this.#noteActivity();
    const check = () => {
      const leftMs = this.#lastActivityMs + this.#idleMs - clock.monotonicMs();
      if (leftMs > 0) this.#stopIdleWatch = clock.setTimer(leftMs, check);
      else this.retire();
    };
    this.#stopIdleWatch = clock.setTimer(this.#idleMs, check);
  }
}
