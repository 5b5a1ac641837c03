/** A rendezvous as a Node Duplex, for programs that use hcm as a library. */
import { Duplex } from 'node:stream';
import type { WebSocket } from '../websocket/websocket.ts';
import { WebSocketEnd } from './websocket-end.ts';

export class RendezvousStream extends Duplex {
  readonly #end: WebSocketEnd;
  #afterDrain: (() => void) | undefined;
  #afterClose: ((error?: Error | null) => void) | undefined;
  #closed = false;

  constructor(webSocket: WebSocket, end = new WebSocketEnd(webSocket)) {
    super({ allowHalfOpen: true, autoDestroy: true });
    this.#end = end;
    this.#end.start({
      onBytes: (chunks) => {
        // The memory is lent for this call; a reader of a Duplex keeps what it gets.
        for (const chunk of chunks) if (!this.push(Buffer.from(chunk))) this.#end.pause();
      },
      onEnd: () => this.push(null),
      onDrain: () => this.#drained(),
      onClosed: (error) => this.#onClosed(error),
    });
  }

  override _read(): void {
    this.#end.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (chunk.length === 0 || this.#end.write([chunk])) done();
    else this.#afterDrain = done;
  }

  override _final(done: () => void): void {
    this.#end.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#closed) return done(error);
    this.#afterClose = () => done(error);
    if (error || !this.readableEnded || !this.writableFinished)
      this.#end.reset(error ?? new Error('destroyed'));
  }

  #drained(): void {
    const done = this.#afterDrain;
    this.#afterDrain = undefined;
    done?.();
  }

  #onClosed(error: Error | undefined): void {
    this.#closed = true;
    if (this.#afterClose) return this.#afterClose();
    if (error) this.destroy(error);
    this.#drained();
  }
}
