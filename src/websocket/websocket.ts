/**
 * An open WebSocket on a socket, client or server. It differs from the usual ones in what the relay needs:
 * a Close frame is a one-way end of stream (the other direction goes on until its own Close), data comes out in
 * fragments as it arrives, and nothing is buffered but what the socket has not yet taken.
 *
 * It owns the socket from the constructor on and ends it in one of three ways: both Closes exchanged (clean),
 * `destroy` (abort, no Close), or the loss of the connection. `onEnd` tells which, exactly once.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { formatClose, parseClose } from './close-payload.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import { resetSocket } from './reset-socket.ts';
import { SocketReader, type Hold } from './socket-reader.ts';
import { WebSocketError } from './websocket-error.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  type DataOpcode,
} from './frame.ts';

export interface WebSocketOptions {
  role: 'client' | 'server';
  /** What was read from the socket behind the handshake. */
  head?: Buffer;
  maxFrameBytes?: number;
  wholeFrameBytes?: number;
  /** How long to wait for the peer to end TCP once both Closes are exchanged, in ms. */
  closeTimeoutMs?: number;
}

/** Buffers given to these are valid during the call; a payload also under a lease. */
export interface WebSocketHandler {
  onFragment(payload: Buffer, opcode: DataOpcode, first: boolean, last: boolean): void;
  /** The peer has ended its direction. Ours stays open until `close`. `code` is undefined when it gave none. */
  onClose(code: number | undefined, reason: string): void;
  /** Everything written has left: a sender that was told `false` may go on. */
  onDrain(): void;
  /** The connection is over. Undefined: both sides closed. */
  onEnd(error: Error | undefined): void;
  onPong?(payload: Buffer): void;
  /** Around the fragments of one read: a place to cork and uncork where they are written to. */
  onBatch?(phase: 'begin' | 'end', bytes: number): void;
}

/** More than this waiting in the socket, and writes answer `false`. */
const HIGH_WATER_BYTES = 256 * 1024;
const DEFAULT_CLOSE_TIMEOUT_MS = 5_000;

export class WebSocket {
  readonly #socket: Socket;
  readonly #masks: boolean;
  readonly #options: Omit<WebSocketOptions, 'head'>;
  /** Let go at the start: a few bytes may stand in a large piece of memory. */
  #head: Buffer | undefined;
  #handler: WebSocketHandler | undefined;
  #reader: SocketReader | undefined;
  readonly #writer: FrameWriter;
  /** True while a message sent with `sendFragment` is open. */
  #insideMessage = false;
  #closeSent = false;
  #closeReceived = false;
  #failure: Error | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #owedPong: Buffer | undefined;

  /** Nothing is read, and no callback comes, before `start`; writing works at once. */
  constructor(socket: Socket, options: WebSocketOptions) {
    this.#socket = socket;
    ({ head: this.#head, ...this.#options } = options);
    this.#masks = options.role === 'client';
    this.#writer = new FrameWriter(socket, { masks: this.#masks });
    socket.on('error', (error) => (this.#failure ??= error));
    socket.on('drain', () => this.#onDrain());
    socket.on('close', () => this.#onSocketClosed());
  }

  /** Starts reading. A connection that is lost already is reported in the next turn of the event loop. */
  start(handler: WebSocketHandler): void {
    this.#handler = handler;
    if (this.#socket.destroyed) return void setImmediate(() => this.#onSocketClosed());
    const { role, maxFrameBytes, wholeFrameBytes } = this.#options;
    const parser = new FrameParser(
      { expectMasked: role === 'server', maxFrameBytes, wholeFrameBytes },
      {
        onFragment: (payload, opcode, first, last) => handler.onFragment(payload, opcode, first, last),
        onControl: (opcode, payload) => this.#onControl(opcode, payload),
      },
    );
    const onBytes = (bytes: Buffer) => this.#onBytes(bytes, parser, handler);
    const onEnd = () => this.#onSocketEnd();
    this.#reader = new SocketReader(this.#socket, { onBytes, onEnd });
    const head = this.#head;
    this.#head = undefined;
    this.#reader.start(head);
  }

  /** True until our own Close is sent or the connection is over. */
  get writable(): boolean {
    return !this.#closeSent && !this.#socket.destroyed;
  }

  /** Bytes read so far: a sign of life for a keep-alive. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** Bytes handed to the socket so far, with those that it has not sent yet. */
  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  /** True while the owner does not read. */
  get paused(): boolean {
    return this.#socket.isPaused();
  }

  /** False: enough waits in the socket; `onDrain` tells when that has left. */
  get hasRoom(): boolean {
    return this.#socket.writableLength <= HIGH_WATER_BYTES;
  }

  /**
   * Sends one message in one frame. False: wait for `onDrain` before more. Nothing is sent after `close`. The payload
   * is copied, unless `hold` keeps its memory: then it is masked in place and sent from there.
   */
  send(payload: Buffer, opcode: DataOpcode = OPCODE_BINARY, hold?: Hold): boolean {
    return this.#writeFrame(opcode, true, payload, hold);
  }

  /** Sends a part of a message in a frame of its own; the parts until `last` are one message. */
  sendFragment(payload: Buffer, opcode: DataOpcode, last: boolean, hold?: Hold): boolean {
    const frameOpcode = this.#insideMessage ? OPCODE_CONTINUATION : opcode;
    this.#insideMessage = !last;
    return this.#writeFrame(frameOpcode, last, payload, hold);
  }

  /** `payload`: at most 125 bytes. */
  ping(payload: Buffer): void {
    this.#writeFrame(OPCODE_PING, true, payload);
  }

  pong(payload: Buffer): void {
    this.#writeFrame(OPCODE_PONG, true, payload);
  }

  /**
   * Ends our direction with a Close frame; what the peer still sends goes on arriving until its own Close. Without a
   * code the frame is empty. A reason over 123 bytes is cut at a character.
   */
  close(code?: number, reason = ''): void {
    if (!this.writable) return;
    this.#writeFrame(OPCODE_CLOSE, true, formatClose(code, reason));
    this.#closeSent = true;
    this.#finishIfClosed();
  }

  /** Aborts: the peer sees the connection break, never an end. */
  destroy(error?: Error): void {
    this.#failure ??= error ?? new WebSocketError('WS_CONNECTION_LOST', 'the connection was aborted here');
    resetSocket(this.#socket);
  }

  /** Stops reading: back-pressure on the peer. */
  pause(): void {
    this.#reader?.pause();
  }

  resume(): void {
    this.#reader?.resume();
  }

  /** Inside `onFragment`: see SocketReader.lease. */
  lease(): (() => void) | undefined {
    return this.#reader?.lease();
  }

  /**
   * Frames written until `uncork`, in the same turn of the event loop, leave in one write. `bytes`: how much is
   * expected.
   */
  cork(bytes = 0): void {
    this.#writer.cork(bytes);
  }

  uncork(): void {
    this.#writer.uncork();
  }

  #writeFrame(opcode: number, fin: boolean, payload: Buffer, hold?: Hold): boolean {
    if (!this.writable) return true;
    this.#writer.write(opcode, fin, payload, hold);
    return this.hasRoom;
  }

  #onBytes(bytes: Buffer, parser: FrameParser, handler: WebSocketHandler): void {
    if (this.#failure) return;
    handler.onBatch?.('begin', bytes.length);
    try {
      parser.push(bytes);
    } catch (error) {
      this.#refuse(error as Error);
    }
    handler.onBatch?.('end', bytes.length);
  }

  /**
   * The peer broke the protocol: tell it why and end the connection. What it still sends is read and discarded:
   * bytes left unread would turn our end into a reset, and the reset could overtake the Close.
   */
  #refuse(error: Error): void {
    this.#failure ??= error;
    if (error instanceof WebSocketError && error.closeCode !== undefined)
      this.close(error.closeCode, error.message);
    this.#limitClosing();
    this.#reader?.resume();
    this.#flushAndEnd();
  }

  #onControl(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE_PING) this.#answerPing(payload);
    else if (opcode === OPCODE_PONG) this.#handler?.onPong?.(payload);
    else this.#onClose(payload);
  }

  /** A peer that sends Pings and reads nothing is owed one Pong, for the last (RFC 6455 section 5.5.3). */
  #answerPing(payload: Buffer): void {
    if (this.#socket.writableNeedDrain) this.#owedPong = Buffer.from(payload);
    else this.pong(payload);
  }

  #onDrain(): void {
    const owed = this.#owedPong;
    this.#owedPong = undefined;
    if (owed) this.pong(owed);
    this.#handler?.onDrain();
  }

  #onClose(payload: Buffer): void {
    const { code, reason } = parseClose(payload);
    this.#closeReceived = true;
    this.#handler?.onClose(code, reason);
    this.#finishIfClosed();
  }

  /** Both directions are closed: the server ends TCP first (RFC 6455 section 7.1.1), the client waits for it. */
  #finishIfClosed(): void {
    if (!this.#closeSent || !this.#closeReceived || this.#closeTimer || this.#socket.destroyed) return;
    this.#limitClosing();
    this.#reader?.resume();
    if (!this.#masks) this.#flushAndEnd();
  }

  /**
   * The peer may take its time to end TCP, but not forever. A slow reader of what was sent before the Close is no
   * such case: cutting it off would lose bytes of a stream that both sides hold to be complete.
   */
  #limitClosing(): void {
    const { closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } = this.#options;
    const cut = () => {
      if (this.#failure || this.#socket.writableLength === 0) this.#socket.destroy();
      else this.#closeTimer?.refresh();
    };
    this.#closeTimer ??= setTimeout(cut, closeTimeoutMs);
  }

  #flushAndEnd(): void {
    this.#writer.flush();
    if (!this.#socket.writableEnded) this.#socket.end();
  }

  /** The peer has ended TCP behind both Closes. With nothing left to send, closing ends ours; TLS says so first. */
  #endBehindPeer(): void {
    const isDone = this.#writer.isEmpty && this.#socket.writableLength === 0;
    if (isDone && !this.#socket.writableEnded && !(this.#socket instanceof TLSSocket)) this.#socket.destroy();
    else this.#flushAndEnd();
  }

  #onSocketEnd(): void {
    if (this.#failure) return;
    if (this.#closeSent && this.#closeReceived) return this.#endBehindPeer();
    // A peer that has closed its direction still reads ours, and keeps TCP for that: its end before our Close is a loss.
    const text = this.#closeReceived ? 'before our Close' : 'without a Close frame';
    this.#failure ??= new WebSocketError('WS_CONNECTION_LOST', `the connection ended ${text}`);
    resetSocket(this.#socket);
  }

  #onSocketClosed(): void {
    clearTimeout(this.#closeTimer);
    this.#writer.discard();
    const clean = this.#closeSent && this.#closeReceived && !this.#failure;
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onEnd(clean ? undefined : (this.#failure ?? lost()));
  }
}

function lost(): WebSocketError {
  return new WebSocketError('WS_CONNECTION_LOST', 'the connection was lost without a Close frame');
}
