/**
 * A rendezvous whose first bytes belong to the dialect. It reads those, and is then an end like any other: what came
 * behind them is kept for `start`, bytes, end and loss alike.
 */
import type { StartDecoder } from '../../protocol/azbridge.ts';
import { CLOSE_NORMAL } from '../../websocket/frame.ts';
import type { WebSocket } from '../../websocket/websocket.ts';
import type { ByteEndEvents } from '../byte-end.ts';
import type { Clock } from '../clock.ts';
import { WebSocketEnd } from '../websocket-end.ts';
import type { CancelSignal } from '../../websocket/cancel-signal.ts';

/** How long a peer has to end its direction where nothing can be lost by its not doing so: azbridge may never do so. */
const CLOSE_LIMIT_MS = 5_000;

function ignore(): void {}

export class PreambledEnd extends WebSocketEnd {
  readonly #webSocket: WebSocket;
  #events: ByteEndEvents = this.#keeping();
  /** Copies: a few bytes that came behind the preamble, at most one read. */
  readonly #kept: Buffer[] = [];
  #ended = false;
  #over: { error: Error | undefined } | undefined;
  #pausedByOwner = false;
  #closeClock: Clock | undefined;
  #cancelCloseLimit: () => void = ignore;

  constructor(webSocket: WebSocket) {
    super(webSocket);
    this.#webSocket = webSocket;
  }

  /**
   * Begins to read, once; resolves with what the decoder made of the first bytes, or with undefined when the peer ended
   * its direction before (`closeReason` has what it said). Rejects when the connection is lost, or with the signal's
   * reason; the owner ends it then.
   */
  readStart<T>(decoder: StartDecoder<T>, signal: CancelSignal): Promise<T | undefined> {
    return new Promise<T | undefined>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      const finish = (value: T | undefined) => {
        signal.removeEventListener('abort', onAbort);
        this.#events = this.#keeping();
        this.#webSocket.pause();
        resolve(value);
      };
      this.#events = {
        onBytes: (chunks) => {
          for (const [at, chunk] of chunks.entries()) {
            const decoded = decoder.push(chunk);
            if (!decoded) continue;
            finish(decoded.value);
            return this.#events.onBytes([decoded.rest, ...chunks.slice(at + 1)]);
          }
        },
        onEnd: () => {
          finish(undefined);
          this.#events.onEnd();
        },
        onDrain: ignore,
        onClosed: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error ?? new Error('closed'));
        },
      };
      super.start({
        onBytes: (chunks, hold) => this.#events.onBytes(chunks, hold),
        onEnd: () => this.#events.onEnd(),
        onDrain: () => this.#events.onDrain(),
        onClosed: (error) => this.#onClosed(error),
      });
    });
  }

  /** After `readStart`. */
  override start(events: ByteEndEvents): void {
    this.#events = events;
    const kept = this.#kept.splice(0);
    if (kept.length > 0) events.onBytes(kept);
    if (this.#ended) events.onEnd();
    const over = this.#over;
    if (over) return void setImmediate(() => events.onClosed(over.error));
    if (!this.#pausedByOwner) this.resume();
  }

  /** For streams that lose nothing by it: a peer that does not end its direction after ours is not waited for. */
  limitClosing(clock: Clock): void {
    this.#closeClock = clock;
  }

  override end(): void {
    super.end();
    this.#cancelCloseLimit();
    if (this.#closeClock && !this.#over)
      this.#cancelCloseLimit = this.#closeClock.setTimer(CLOSE_LIMIT_MS, () => this.#cutQuietly());
  }

  /** Ends both directions, ours with a reason; what still comes is discarded. Resolves when it is over. */
  dismiss(reason: string, clock: Clock, signal: CancelSignal): Promise<void> {
    this.#webSocket.close(CLOSE_NORMAL, reason);
    return new Promise((resolve) => {
      const cut = () => this.#webSocket.destroy();
      const cancel = clock.setTimer(CLOSE_LIMIT_MS, cut);
      signal.addEventListener('abort', cut, { once: true });
      const onClosed = () => {
        cancel();
        signal.removeEventListener('abort', cut);
        resolve();
      };
      this.start({ onBytes: ignore, onEnd: ignore, onDrain: ignore, onClosed });
      if (signal.aborted) cut();
    });
  }

  override pause(): void {
    this.#pausedByOwner = true;
    super.pause();
  }

  override resume(): void {
    this.#pausedByOwner = false;
    super.resume();
  }

  /** The end of a stream that the peer was not asked about: no error. */
  #cutQuietly(): void {
    const events = this.#events;
    this.#events = { ...events, onClosed: () => events.onClosed(undefined) };
    events.onEnd();
    this.#webSocket.destroy();
  }

  #onClosed(error: Error | undefined): void {
    this.#cancelCloseLimit();
    this.#over = { error };
    this.#events.onClosed(error);
  }

  #keeping(): ByteEndEvents {
    return {
      onBytes: (chunks) => {
        const bytes = Buffer.concat(chunks);
        if (bytes.length > 0) this.#kept.push(bytes);
      },
      onEnd: () => (this.#ended = true),
      onDrain: ignore,
      onClosed: ignore,
    };
  }
}
