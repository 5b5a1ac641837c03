/** A TCP or Unix socket as one end of a stream. It owns the socket, which must allow half-open connections. */
import type { Socket } from 'node:net';
import { resetSocket } from '../websocket/reset-socket.ts';
import { HcmError } from '../protocol/errors.ts';
import { SocketReader, type Hold } from '../websocket/socket-reader.ts';
import { HIGH_WATER_BYTES, type ByteEnd, type ByteEndEvents } from './byte-end.ts';
import { confirmEnd, keepOpenAtEnd } from './true-end.ts';

export class SocketEnd implements ByteEnd {
  readonly #socket: Socket;
  #reader: SocketReader | undefined;
  #failure: Error | undefined;
  /** The peer's end, confirmed. */
  #ended = false;
  /** Both directions have ended, and what was written has left. */
  #over = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => (this.#failure ??= error));
  }

  start(events: ByteEndEvents): void {
    if (this.#socket.closed) return void setImmediate(() => events.onClosed(this.#failure ?? closedEarly()));
    keepOpenAtEnd(this.#socket);
    this.#socket.on('drain', () => events.onDrain());
    this.#socket.on('finish', () => this.#closeIfOver());
    this.#socket.on('close', () =>
      events.onClosed(this.#failure ?? (this.#over ? undefined : closedEarly())),
    );
    const onTrueEnd = () => {
      this.#ended = true;
      events.onEnd();
      this.#closeIfOver();
    };
    const reader = new SocketReader(this.#socket, {
      onBytes: (bytes) => events.onBytes([bytes], hold),
      onEnd: () => confirmEnd(this.#socket, onTrueEnd),
    });
    const hold = () => reader.lease();
    this.#reader = reader;
    reader.start();
  }

  write(chunks: readonly Buffer[], hold?: Hold): boolean {
    const release = hold?.();
    if (release) this.#writeHeld(chunks, release);
    else this.#socket.write(Buffer.concat(chunks));
    return this.#socket.writableLength <= HIGH_WATER_BYTES;
  }

  /** Writes in the order given; when the last is done, all are. */
  #writeHeld(chunks: readonly Buffer[], release: () => void): void {
    this.#socket.cork();
    chunks.forEach((chunk, at) => {
      if (at === chunks.length - 1) this.#socket.write(chunk, () => release());
      else this.#socket.write(chunk);
    });
    this.#socket.uncork();
  }

  end(): void {
    // The peer's direction is over, and nothing waits: closing the socket ends ours, too.
    if (this.#ended && this.#socket.writableLength === 0) this.#close();
    else this.#socket.end();
  }

  reset(error: Error): void {
    this.#failure ??= error;
    resetSocket(this.#socket);
  }

  #closeIfOver(): void {
    if (this.#ended && this.#socket.writableFinished) this.#close();
  }

  #close(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  pause(): void {
    if (!this.#socket.readableEnded) this.#reader?.pause();
  }

  resume(): void {
    this.#reader?.resume();
  }
}

function closedEarly(): HcmError {
  const text = 'The socket was closed before both directions had ended';
  return new HcmError('HCM_CONNECTION_LOST', text, { retryable: true });
}
