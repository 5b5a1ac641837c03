/**
 * Writes frames to a socket in as few writes, and with as little copying, as the transport allows. What is written
 * between `cork` and `uncork` leaves in one write; a large payload whose memory is kept goes out from where it is.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { acquireBuffer, releaseBuffer } from './buffer-pool.ts';
import { headerBytes, writeHeader } from './frame.ts';
import { applyMask, nextMask } from './masking.ts';
import type { Hold } from './socket-reader.ts';

const SMALL_FRAME_BYTES = 4 * 1024;
/** Below this a copy is cheaper than a part of its own in the write. */
const HELD_FROM_BYTES = 8 * 1024;
/** What one corked write may gather before it goes out. */
const GATHER_BYTES = 560 * 1024;
/** Room for the headers that a batch grows by when it is cut into frames of 64 KiB. */
const HEADERS_SLACK_BYTES = 1024;

export class FrameWriter {
  readonly #socket: Socket;
  readonly #masks: boolean;
  readonly #isTls: boolean;
  #corked = 0;
  /** What the corked batch was announced to bring, in bytes. */
  #expected = 0;
  #gather: Buffer | undefined;
  #gathered = 0;

  constructor(socket: Socket, { masks }: { masks: boolean }) {
    this.#socket = socket;
    this.#masks = masks;
    this.#isTls = socket instanceof TLSSocket;
  }

  /** True when nothing is gathered here; the socket may still hold bytes. */
  get isEmpty(): boolean {
    return this.#gather === undefined;
  }

  /** `bytes`: how much is expected until `uncork`, in the same turn of the event loop. */
  cork(bytes: number): void {
    this.#corked += 1;
    this.#expected = bytes;
    this.#socket.cork();
  }

  uncork(): void {
    this.#corked -= 1;
    if (this.#corked === 0) this.flush();
    this.#socket.uncork();
  }

  /** The payload is copied, unless `hold` keeps its memory: then it is masked in place and sent from there. */
  write(opcode: number, fin: boolean, payload: Buffer, hold?: Hold): void {
    // TLS would copy the parts of one write together itself, into memory that it allocates for the purpose.
    const release = payload.length >= HELD_FROM_BYTES && !this.#isTls ? hold?.() : undefined;
    if (release) return this.#writeHeld(opcode, fin, payload, release);
    const total = headerBytes(payload.length, this.#masks) + payload.length;
    if (this.#corked === 0 && total <= SMALL_FRAME_BYTES) {
      const frame = Buffer.allocUnsafe(total);
      this.#fillFrame(frame, 0, opcode, fin, payload);
      this.#socket.write(frame);
      return;
    }
    if (this.#gather && this.#gather.length - this.#gathered < total) this.flush();
    this.#gather ??= this.#startGather(total);
    this.#gathered = this.#fillFrame(this.#gather, this.#gathered, opcode, fin, payload);
    if (this.#corked === 0) this.flush();
  }

  /** Hands what was gathered to the socket. */
  flush(): void {
    const gather = this.#gather;
    if (!gather) return;
    this.#gather = undefined;
    if (this.#gathered === 0 || this.#socket.destroyed) return releaseBuffer(gather);
    this.#socket.write(gather.subarray(0, this.#gathered), () => releaseBuffer(gather));
  }

  /** The socket is gone: lets go of what was gathered for it. */
  discard(): void {
    if (this.#gather) releaseBuffer(this.#gather);
    this.#gather = undefined;
  }

  /** The header goes out in memory of its own, the payload from where it is. */
  #writeHeld(opcode: number, fin: boolean, payload: Buffer, release: () => void): void {
    this.flush();
    const mask = this.#masks ? nextMask() : undefined;
    const header = Buffer.allocUnsafe(headerBytes(payload.length, this.#masks));
    writeHeader(header, 0, { opcode, fin, payloadBytes: payload.length, mask });
    if (mask) applyMask(payload, mask, payload, 0, payload.length);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(payload, () => release());
    this.#socket.uncork();
  }

  #startGather(bytes: number): Buffer {
    const expected = this.#corked > 0 ? Math.min(this.#expected + HEADERS_SLACK_BYTES, GATHER_BYTES) : 0;
    this.#gathered = 0;
    return acquireBuffer(Math.max(expected, bytes));
  }

  #fillFrame(out: Buffer, at: number, opcode: number, fin: boolean, payload: Buffer): number {
    const mask = this.#masks ? nextMask() : undefined;
    const payloadAt = writeHeader(out, at, { opcode, fin, payloadBytes: payload.length, mask });
    if (mask) applyMask(payload, mask, out, payloadAt, payload.length);
    else payload.copy(out, payloadAt);
    return payloadAt + payload.length;
  }
}
