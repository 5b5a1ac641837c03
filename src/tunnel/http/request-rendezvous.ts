/**
 * The WebSocket to the address of one request: the request's text and body come over it where the control channel did not
 * bring them, and the response goes back over it where the channel cannot take it. One request, then it is closed.
 */
import { checkRendezvousAddress } from '../../protocol/addresses.ts';
import { HcmError } from '../../protocol/errors.ts';
import { CONTROL_MESSAGE_MAX_BYTES, RENDEZVOUS_LIFETIME_MS } from '../../protocol/limits.ts';
import { CLOSE_NORMAL, CLOSE_PROTOCOL_ERROR, OPCODE_BINARY, OPCODE_TEXT } from '../../websocket/frame.ts';
import { MessageAssembler } from '../../websocket/message-assembler.ts';
import type { WebSocket } from '../../websocket/websocket.ts';
import { totalBytes } from '../byte-end.ts';
import { KeepAlive } from '../keep-alive.ts';
import { withDeadline } from '../network-errors.ts';
import type { KeepAliveMode } from '../options.ts';
import { upgrade } from '../relay-socket.ts';
import { dialRelay, rendezvousExpired, type RendezvousOptions } from '../rendezvous.ts';

/** The service keeps to 64 KiB; twice that is read, as on the control channel. */
const REQUEST_MAX_BYTES = 2 * CONTROL_MESSAGE_MAX_BYTES;
/** What the service's own clients send at most in one frame. */
const FRAME_MAX_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

export interface RequestRendezvousOptions extends RendezvousOptions {
  keepAlive: KeepAliveMode;
}

/** Buffers are valid during the call. */
export interface RendezvousUser {
  onBody(bytes: Buffer, last: boolean): void;
  onDrain(): void;
  /** Another request came, which is not served: each has an address of its own. */
  onSecond(): void;
  /** The relay ended it before `finish`: the sender is gone. */
  onLost(error: Error): void;
}

export class RequestRendezvous {
  /** Resolves when nothing of it is left; with an error when the response may not have arrived whole. */
  readonly over: Promise<Error | undefined>;
  readonly #webSocket: WebSocket;
  readonly #keepAlive: KeepAlive;
  #assembler: MessageAssembler | undefined;
  #inBody = false;
  #finished = false;
  #ended: (error: Error | undefined) => void = () => undefined;

  /**
   * Dials the address; it is good once and for a while. Rejects with HcmError: HCM_RENDEZVOUS_EXPIRED, what the dialer
   * says, or what the relay's answer means; with the signal's reason when that fires.
   */
  static open(address: string, options: RequestRendezvousOptions): Promise<RequestRendezvous> {
    const { clock, connection, dialer, signal } = options;
    const { endpoint, path } = connection;
    const limit = { clock, limitMs: RENDEZVOUS_LIFETIME_MS, late: rendezvousExpired, signal };
    return withDeadline(limit, async (inner) => {
      const url = checkRendezvousAddress(address, endpoint.host);
      const socket = await dialRelay(url, dialer, inner);
      const context = {
        role: 'accept',
        host: endpoint.host,
        path,
        nowMs: clock.nowMs(),
        signal: inner,
      } as const;
      return new RequestRendezvous((await upgrade(socket, url, context)).webSocket, options);
    });
  }

  private constructor(webSocket: WebSocket, { clock, keepAlive }: RequestRendezvousOptions) {
    this.#webSocket = webSocket;
    this.#keepAlive = new KeepAlive(webSocket, {
      clock,
      mode: keepAlive,
      strict: false,
      onDead: (error) => webSocket.destroy(error),
    });
    this.over = new Promise((resolve) => (this.#ended = resolve));
  }

  /**
   * Begins to read; called once.
   * @param onRequest takes the request that waits here, and says whether a body follows; what it throws ends the
   * rendezvous with 1002. Without it nothing is expected.
   */
  start(user: RendezvousUser, onRequest?: (text: string) => boolean): void {
    let lost: Error | undefined;
    if (onRequest) this.#assembler = new MessageAssembler(REQUEST_MAX_BYTES);
    this.#webSocket.start({
      onFragment: (payload, opcode, first, last) => {
        if (this.#assembler) this.#onHead(payload, opcode, last, onRequest);
        else if (this.#inBody) this.#onBody(payload, opcode, last, user);
        // A stray binary message is harmless: some clients send an empty one.
        else if (opcode === OPCODE_TEXT && first && !this.#finished) user.onSecond();
      },
      onClose: (code, reason) => {
        const clean = this.#finished && (code === undefined || code === CLOSE_NORMAL);
        if (!clean) lost = senderGone(code, reason);
        if (!this.#finished) this.#webSocket.destroy(lost);
      },
      onDrain: () => user.onDrain(),
      onPong: () => this.#keepAlive.onPong(),
      onEnd: (error) => {
        this.#keepAlive.stop();
        const failure = lost ?? error;
        if (!this.#finished) user.onLost(failure ?? senderGone(undefined, ''));
        this.#ended(failure);
      },
    });
  }

  /** The response's JSON, and its whole body in one message. */
  respond(json: string, body: Buffer | undefined): void {
    this.#webSocket.cork(json.length + (body?.length ?? 0));
    this.begin(json);
    if (body) this.#sendBody([body], true);
    this.#webSocket.uncork();
  }

  /** The response's JSON; its body comes by `write`, and ends with `finish`. */
  begin(json: string): void {
    this.#webSocket.send(Buffer.from(json), OPCODE_TEXT);
  }

  /** False: `onDrain` tells when to go on. */
  write(chunks: readonly Buffer[]): boolean {
    this.#webSocket.cork(totalBytes(chunks));
    this.#sendBody(chunks, false);
    this.#webSocket.uncork();
    return this.#webSocket.hasRoom;
  }

  /** Ends the body, where one was begun. */
  endBody(): void {
    this.#webSocket.sendFragment(EMPTY, OPCODE_BINARY, true);
  }

  /** Everything was sent. What the relay still sends is discarded, up to its own Close. */
  finish(): void {
    this.#finished = true;
    this.#inBody = false;
    this.#webSocket.resume();
    this.#webSocket.close(CLOSE_NORMAL, 'NormalClosure');
  }

  /** Breaks off: the relay sees no Close, and cuts the sender. */
  destroy(error: Error): void {
    this.#webSocket.destroy(error);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  #sendBody(chunks: readonly Buffer[], last: boolean): void {
    const end = chunks.length - 1;
    for (const [index, chunk] of chunks.entries()) {
      for (let at = 0; at < chunk.length; at += FRAME_MAX_BYTES) {
        const isLast = last && index === end && at + FRAME_MAX_BYTES >= chunk.length;
        this.#webSocket.sendFragment(chunk.subarray(at, at + FRAME_MAX_BYTES), OPCODE_BINARY, isLast);
      }
    }
  }

  #onHead(payload: Buffer, opcode: 1 | 2, last: boolean, onRequest?: (text: string) => boolean): void {
    if (opcode !== OPCODE_TEXT) this.#refuse(unreadable('a body came where the request was expected'));
    const message = this.#assembler?.add(payload, opcode, last);
    if (message?.kind !== 'text') return;
    this.#assembler = undefined;
    try {
      this.#inBody = onRequest?.(message.text) ?? false;
    } catch (error) {
      this.#refuse(error as Error);
    }
  }

  #onBody(payload: Buffer, opcode: 1 | 2, last: boolean, user: RendezvousUser): void {
    if (opcode !== OPCODE_BINARY) this.#refuse(unreadable('a text came where its body was expected'));
    this.#inBody = !last;
    user.onBody(payload, last);
  }

  /** Closes with the reason; the throw ends the connection. */
  #refuse(error: Error): never {
    this.#webSocket.close(CLOSE_PROTOCOL_ERROR, error.message);
    throw error;
  }
}

function unreadable(what: string): HcmError {
  return new HcmError('HCM_REQUEST_INVALID', `The relay sent a request that cannot be read: ${what}`);
}

function senderGone(code: number | undefined, reason: string): HcmError {
  const said = reason === '' ? '' : `: ${reason}`;
  const text = `The sender is gone: the relay closed the request with ${code ?? 'no code'}${said}`;
  return new HcmError('HCM_CONNECTION_LOST', text, { details: { closeCode: code ?? 1005 } });
}
