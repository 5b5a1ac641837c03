/**
 * A rendezvous as one end of a stream. Bytes go out as binary messages of at most 64 KiB and never empty ones: a
 * .NET peer would take an empty message for the end of the stream. Text and binary are bytes alike when they arrive.
 */
import { CLOSE_NORMAL, OPCODE_BINARY } from '../websocket/frame.ts';
import { HcmError } from '../protocol/errors.ts';
import type { Hold } from '../websocket/socket-reader.ts';
import type { WebSocket } from '../websocket/websocket.ts';
import { totalBytes, type ByteEnd, type ByteEndEvents } from './byte-end.ts';

/** What Microsoft's clients send at most and read comfortably; larger messages gain nothing. */
const MESSAGE_MAX_BYTES = 64 * 1024;

function ignore(): void {}

export class WebSocketEnd implements ByteEnd {
  /** The answers to the owner's Pings. */
  onPong: () => void = ignore;
  /** What the peer said with its Close; empty when it said nothing. */
  closeReason = '';
  readonly #webSocket: WebSocket;
  readonly #hold: Hold;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    this.#hold = () => webSocket.lease();
  }

  start(events: ByteEndEvents): void {
    let batch: Buffer[] = [];
    const deliver = () => {
      if (batch.length === 0) return;
      const chunks = batch;
      batch = [];
      events.onBytes(chunks, this.#hold);
    };
    this.#webSocket.start({
      onFragment: (payload) => void (payload.length > 0 && batch.push(payload)),
      onBatch: (phase) => void (phase === 'end' && deliver()),
      onClose: (code, reason) => {
        deliver();
        this.closeReason = reason;
        if (code === undefined || code === CLOSE_NORMAL) events.onEnd();
        else this.#webSocket.destroy(closedByPeer(code, reason));
      },
      onDrain: () => events.onDrain(),
      onPong: () => this.onPong(),
      onEnd: (error) => events.onClosed(error),
    });
  }

  write(chunks: readonly Buffer[], hold?: Hold): boolean {
    const webSocket = this.#webSocket;
    webSocket.cork(totalBytes(chunks));
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += MESSAGE_MAX_BYTES) {
        webSocket.send(chunk.subarray(at, at + MESSAGE_MAX_BYTES), OPCODE_BINARY, hold);
      }
    }
    webSocket.uncork();
    return webSocket.hasRoom;
  }

  end(): void {
    this.#webSocket.close(CLOSE_NORMAL);
  }

  reset(error: Error): void {
    this.#webSocket.destroy(error);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }
}

/** Only 1000 and the empty Close are a true end; an entity deleted under a stream closes it with 1001. */
function closedByPeer(code: number, reason: string): HcmError {
  const said = reason === '' ? '' : `: ${reason}`;
  return new HcmError('HCM_CONNECTION_LOST', `the relay closed the stream with code ${code}${said}`, {
    details: { closeCode: code },
  });
}
