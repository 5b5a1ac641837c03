/**
 * The WebSocket on which a listener came for one HTTP request: carries the request there when it was too large for the
 * control channel, and the listener's one answer back, piece by piece. Nothing is kept but what a socket has not taken.
 * It ends with a Close from us: 1000 after the answer, 1001 when the sender is gone, 1002 when the listener breaks the
 * rules.
 */
import type { IncomingMessage } from 'node:http';
import { CLOSE_CODES } from '../../../protocol/close-reasons.ts';
import { parseListenerMessage, type ResponseCommand } from '../../../protocol/control-messages.ts';
import { OPCODE_BINARY, OPCODE_TEXT, type DataOpcode } from '../../../websocket/frame.ts';
import { MessageAssembler } from '../../../websocket/message-assembler.ts';
import { WebSocket } from '../../../websocket/websocket.ts';
import type { RelayContext } from '../context.ts';
import type { Handshake } from '../handshake.ts';

/** A response message is at most 32 kB of headers; in JSON a byte may take six. */
const RESPONSE_MAX_BYTES = 256 * 1024;
/** What a listener gets to answer our Close, in ms. */
const CLOSE_TIMEOUT_MS = 5_000;
const EMPTY = Buffer.alloc(0);

/** Whoever the listener's answer is for. */
export interface RendezvousOwner {
  /** Returns what is wrong with it; undefined when the answer is taken. */
  onResponse(command: ResponseCommand): string | undefined;
  /** A piece of the answer's body, valid during the call. */
  onBody(chunk: Buffer): void;
  /** The answer is complete. */
  onComplete(): void;
  /** Bytes of the request were taken, or all of them were. */
  onProgress(): void;
  /** The listener sent what is no answer. The rendezvous is closed already. */
  onViolation(text: string): void;
  /** The listener left before its answer was complete. */
  onLost(): void;
}

export class RequestRendezvous {
  readonly #context: RelayContext;
  readonly #webSocket: WebSocket;
  readonly #owner: RendezvousOwner;
  readonly #assembler = new MessageAssembler(RESPONSE_MAX_BYTES);
  #expected: 'response' | 'body' | 'nothing' = 'response';
  #upload: IncomingMessage | undefined;
  /** True until the request has left for the listener. */
  #isSending = false;
  #passedBytes = 0;
  readonly #cutAfterBytes: number;
  #frozen = false;
  #ended = false;
  #cancelClose: () => void = () => undefined;

  /** The handshake must have been accepted. Is in `context.requestSockets` until it ends. */
  constructor(context: RelayContext, handshake: Handshake, owner: RendezvousOwner) {
    this.#context = context;
    this.#owner = owner;
    this.#cutAfterBytes = context.faults.cutStreamAfterBytes ?? Infinity;
    this.#webSocket = new WebSocket(handshake.socket, { role: 'server', head: handshake.rest });
    context.requestSockets.add(this);
  }

  start(): void {
    this.#webSocket.start({
      onFragment: (payload, opcode, _first, last) => this.#onFragment(payload, opcode, last),
      onClose: (code) => {
        this.#lose();
        this.#webSocket.close(code);
      },
      onDrain: () => {
        if (this.#frozen || !this.#isSending) return;
        this.#isSending = this.#upload !== undefined;
        this.#owner.onProgress();
        this.#upload?.resume();
      },
      onEnd: () => {
        this.#ended = true;
        this.#cancelClose();
        this.#context.requestSockets.delete(this);
        this.#lose();
      },
    });
  }

  /** Sends the request, which nobody has told the listener yet. A body that was not read yet is read as it is taken. */
  sendRequest(text: string, body: Buffer | IncomingMessage | undefined): void {
    this.#isSending = true;
    this.#webSocket.send(Buffer.from(text), OPCODE_TEXT);
    if (body === undefined) return;
    if (Buffer.isBuffer(body)) return void this.#webSocket.send(body);
    this.#upload = body;
    body.on('data', this.#onUpload).on('end', this.#onUploaded);
  }

  /** True while the rest of the request's body is awaited from the sender. */
  get awaitsSender(): boolean {
    return this.#upload !== undefined && this.#webSocket.hasRoom;
  }

  /** Back-pressure on the listener. */
  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    if (!this.#frozen) this.#webSocket.resume();
  }

  /** Ends the rendezvous; nothing is reported to the owner from here on. */
  close(code: number, reason: string): void {
    this.#expected = 'nothing';
    this.#endUpload();
    if (this.#ended) return;
    this.#webSocket.close(code, reason);
    this.#webSocket.resume();
    this.#cancelClose();
    this.#cancelClose = this.#context.timers.set(CLOSE_TIMEOUT_MS, () => this.#webSocket.destroy());
  }

  /** See Faults.blackHole. */
  freeze(): void {
    this.#frozen = true;
    this.#expected = 'nothing';
    this.#webSocket.pause();
    this.#upload?.pause();
  }

  #onFragment(payload: Buffer, opcode: DataOpcode, last: boolean): void {
    this.#count(payload.length);
    // What follows a complete answer is dropped: hyco-https sends an empty message even after `body: false`.
    if (this.#expected === 'response') this.#onResponse(payload, opcode, last);
    else if (this.#expected === 'body') this.#onBody(payload, opcode, last);
  }

  #onResponse(payload: Buffer, opcode: DataOpcode, last: boolean): void {
    if (opcode !== OPCODE_TEXT) return this.#refuse('a binary message came before the response');
    const message = this.#assembler.add(payload, opcode, last);
    if (message?.kind !== 'text') return;
    const parsed = parseListenerMessage(message.text);
    if (parsed.kind === 'malformed') return this.#refuse(parsed.reason);
    if (parsed.kind !== 'response') return this.#refuse('the message is no response');
    this.#expected = parsed.body ? 'body' : 'nothing';
    const fault = this.#owner.onResponse(parsed);
    if (fault !== undefined) this.#refuse(fault);
    else if (!parsed.body) this.#complete();
  }

  #onBody(payload: Buffer, opcode: DataOpcode, last: boolean): void {
    if (opcode !== OPCODE_BINARY) return this.#refuse('a text message came instead of the body');
    this.#owner.onBody(payload);
    if (last) this.#complete();
  }

  #complete(): void {
    this.close(CLOSE_CODES.normal, 'Normal Closure');
    this.#owner.onComplete();
  }

  #refuse(text: string): void {
    this.close(CLOSE_CODES.protocolError, text);
    this.#owner.onViolation(text);
  }

  #lose(): void {
    this.#endUpload();
    if (this.#expected === 'nothing') return;
    this.#expected = 'nothing';
    this.#owner.onLost();
  }

  readonly #onUpload = (chunk: Buffer): void => {
    this.#count(chunk.length);
    this.#owner.onProgress();
    if (!this.#webSocket.sendFragment(chunk, OPCODE_BINARY, false)) this.#upload?.pause();
  };

  readonly #onUploaded = (): void => {
    this.#upload = undefined;
    this.#webSocket.sendFragment(EMPTY, OPCODE_BINARY, true);
    this.#owner.onProgress();
  };

  /** The rest of the body is read and dropped, so that the sender's next request can be read. */
  #endUpload(): void {
    const upload = this.#upload;
    this.#upload = undefined;
    upload?.off('data', this.#onUpload).off('end', this.#onUploaded).resume();
  }

  #count(bytes: number): void {
    this.#passedBytes += bytes;
    if (this.#passedBytes >= this.#cutAfterBytes) this.#webSocket.destroy();
  }
}
