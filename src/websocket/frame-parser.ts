/**
 * Reads frames out of a byte stream cut anywhere, without putting messages together: data comes out as it
 * arrives, in fragments that keep the boundaries of messages. Payloads are unmasked in place, so the bytes given
 * to `push` are written to. Memory is bounded by `wholeFrameBytes` and one header.
 */
import { applyMask } from './masking.ts';
import { WebSocketError } from './websocket-error.ts';
import {
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
  CONTROL_PAYLOAD_MAX_BYTES,
  HEADER_MAX_BYTES,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PONG,
  OPCODE_TEXT,
  headerBytes,
  type DataOpcode,
} from './frame.ts';

export interface FrameParserOptions {
  /** True on a server (RFC 6455 section 5.1: a client masks, a server does not). */
  expectMasked: boolean;
  /** The largest payload of one frame. */
  maxFrameBytes?: number | undefined;
  /**
   * A frame of at most this many payload bytes comes out in one piece. Datagrams that other programs put one to a
   * message (Microsoft's azbridge) survive a read that ends inside them. A larger one is delivered as it arrives.
   */
  wholeFrameBytes?: number | undefined;
}

/** The bytes given to these are valid only during the call. */
export interface FrameHandler {
  /** `first`: begins a message. `last`: ends it. An empty fragment is passed on: it exists on the wire. */
  onFragment(payload: Buffer, opcode: DataOpcode, first: boolean, last: boolean): void;
  onControl(opcode: number, payload: Buffer): void;
}

const DEFAULT_MAX_FRAME_BYTES = 2 ** 40;
const DEFAULT_WHOLE_FRAME_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);

export class FrameParser {
  readonly #handler: FrameHandler;
  readonly #expectMasked: boolean;
  readonly #maxFrameBytes: number;
  readonly #wholeFrameBytes: number;

  /** Bytes of a header, or of a frame that must come out whole, that the last push ended in. */
  #carry: Buffer = EMPTY;
  #carried = 0;
  /** What is still to come of the frame that is being delivered in pieces. */
  #remaining = 0;
  #frameFin = false;
  #mask = Buffer.alloc(4);
  /** The opcode of the open message; undefined between messages. */
  #message: DataOpcode | undefined;
  #messageStarted = false;
  /** RFC 6455 section 1.4: what follows a Close frame is discarded. */
  #closed = false;

  constructor(options: FrameParserOptions, handler: FrameHandler) {
    this.#handler = handler;
    this.#expectMasked = options.expectMasked;
    this.#maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
    this.#wholeFrameBytes = Math.max(
      options.wholeFrameBytes ?? DEFAULT_WHOLE_FRAME_BYTES,
      CONTROL_PAYLOAD_MAX_BYTES,
    );
  }

  /** Takes the next bytes of the stream. Throws WebSocketError at the first violation; no call may follow it. */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#closed) {
      if (this.#remaining > 0) at += this.#deliverPiece(bytes, at);
      else if (this.#carried > 0) at += this.#fillCarry(bytes, at);
      else at += this.#readFrame(bytes, at);
    }
  }

  /** True when the stream ended inside a frame or a fragmented message. */
  get insideMessage(): boolean {
    return this.#remaining > 0 || this.#carried > 0 || this.#message !== undefined;
  }

  /** Reads one header at `at`; delivers the frame if it is here, else keeps what must be kept. */
  #readFrame(bytes: Buffer, at: number): number {
    const available = bytes.length - at;
    const header = readHeader(bytes, at, available);
    if (!header) {
      this.#keep(bytes.subarray(at), undefined);
      return available;
    }
    this.#check(header);
    const payloadAt = at + header.bytes;
    const here = bytes.length - payloadAt;
    if (here >= header.payloadBytes) {
      this.#beginFrame(header, bytes, at);
      const end = payloadAt + header.payloadBytes;
      this.#deliverWhole(header, bytes.subarray(payloadAt, end));
      return end - at;
    }
    if (header.payloadBytes <= this.#wholeFrameBytes) {
      this.#keep(bytes.subarray(at), header);
      return available;
    }
    this.#beginFrame(header, bytes, at);
    this.#remaining = header.payloadBytes;
    this.#frameFin = header.fin;
    return header.bytes;
  }

  /** Keeps the beginning of a header or of a frame that must come out whole, in memory of its own. */
  #keep(bytes: Buffer, header: FrameHeader | undefined): void {
    this.#carry = Buffer.allocUnsafeSlow(header ? header.bytes + header.payloadBytes : HEADER_MAX_BYTES);
    this.#carried = bytes.copy(this.#carry);
  }

  /** Adds to the kept bytes just what completes the header or the frame; the rest stays with the caller. */
  #fillCarry(bytes: Buffer, at: number): number {
    const kept = readHeader(this.#carry, 0, this.#carried);
    const wanted = kept ? kept.bytes + kept.payloadBytes : headerSize(this.#carry, 0, this.#carried);
    const take = bytes.copy(
      this.#carry,
      this.#carried,
      at,
      Math.min(at + wanted - this.#carried, bytes.length),
    );
    this.#carried += take;
    const header = kept ?? readHeader(this.#carry, 0, this.#carried);
    if (header && (!kept || this.#carried === wanted)) {
      const carried = this.#carry.subarray(0, this.#carried);
      this.#carried = 0;
      this.#carry = EMPTY;
      this.#readFrame(carried, 0);
    }
    return take;
  }

  #beginFrame(header: FrameHeader, bytes: Buffer, at: number): void {
    if (header.masked) bytes.copy(this.#mask, 0, at + header.bytes - 4, at + header.bytes);
    if (header.opcode === OPCODE_TEXT || header.opcode === OPCODE_BINARY) {
      this.#message = header.opcode;
      this.#messageStarted = false;
    }
  }

  #deliverWhole(header: FrameHeader, payload: Buffer): void {
    if (header.masked) applyMask(payload, this.#mask, payload, 0, payload.length);
    this.#closed = header.opcode === OPCODE_CLOSE;
    if (header.opcode >= OPCODE_CLOSE) this.#handler.onControl(header.opcode, payload);
    else this.#emit(payload, header.fin);
  }

  #deliverPiece(bytes: Buffer, at: number): number {
    const take = Math.min(this.#remaining, bytes.length - at);
    const piece = bytes.subarray(at, at + take);
    if (this.#expectMasked) {
      applyMask(piece, this.#mask, piece, 0, take);
      this.#turnMask(take);
    }
    this.#remaining -= take;
    this.#emit(piece, this.#remaining === 0 && this.#frameFin);
    return take;
  }

  /** The next piece starts `count` bytes further on in the mask. */
  #turnMask(count: number): void {
    const shift = count & 3;
    if (shift === 0) return;
    const [a, b, c, d] = this.#mask;
    const doubled = [a, b, c, d, a, b, c, d];
    for (let at = 0; at < 4; at += 1) this.#mask[at] = doubled[at + shift] ?? 0;
  }

  #emit(payload: Buffer, last: boolean): void {
    const opcode = this.#message;
    if (opcode === undefined) return;
    const first = !this.#messageStarted;
    this.#messageStarted = true;
    if (last) this.#message = undefined;
    this.#handler.onFragment(payload, opcode, first, last);
  }

  #check(header: FrameHeader): void {
    if (header.reserved)
      throw violation('WS_RESERVED_BITS', 'a reserved bit is set: no extension was agreed');
    if (header.masked && !this.#expectMasked) throw violation('WS_MASK_FORBIDDEN', 'a server must not mask');
    if (!header.masked && this.#expectMasked) throw violation('WS_MASK_REQUIRED', 'a client must mask');
    if (header.opcode >= OPCODE_CLOSE) return checkControl(header);
    if (header.opcode > OPCODE_BINARY)
      throw violation('WS_UNKNOWN_OPCODE', `opcode ${header.opcode} is reserved`);
    if (header.opcode === OPCODE_CONTINUATION && this.#message === undefined) {
      throw violation('WS_UNEXPECTED_CONTINUATION', 'a continuation came without a message to continue');
    }
    if (header.opcode !== OPCODE_CONTINUATION && this.#message !== undefined) {
      throw violation('WS_EXPECTED_CONTINUATION', 'a new message began inside an unfinished one');
    }
    if (header.payloadBytes < 0)
      throw violation('WS_LENGTH_INVALID', 'the highest bit of a 64-bit length is set');
    if (header.payloadBytes > this.#maxFrameBytes) {
      const text = `a frame of ${header.payloadBytes} bytes is over the limit of ${this.#maxFrameBytes}`;
      throw new WebSocketError('WS_FRAME_TOO_BIG', text, CLOSE_TOO_BIG);
    }
  }
}

interface FrameHeader {
  fin: boolean;
  reserved: boolean;
  opcode: number;
  masked: boolean;
  /** The size of the header itself. */
  bytes: number;
  /** -1 where the sign bit of a 64-bit length is set. */
  payloadBytes: number;
}

/** The size of the header that begins at `at`, as far as its first two bytes tell; 2 where they are not here. */
function headerSize(bytes: Buffer, at: number, available: number): number {
  if (available < 2) return 2;
  const second = bytes[at + 1] ?? 0;
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) !== 0 ? 4 : 0);
}

/** Undefined while the header is incomplete. */
function readHeader(bytes: Buffer, at: number, available: number): FrameHeader | undefined {
  const size = headerSize(bytes, at, available);
  if (available < size) return undefined;
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  return {
    fin: (first & 0x80) !== 0,
    reserved: (first & 0x70) !== 0,
    opcode: first & 0x0f,
    masked: (second & 0x80) !== 0,
    bytes: size,
    payloadBytes: readLength(bytes, at, second & 0x7f),
  };
}

function readLength(bytes: Buffer, at: number, short: number): number {
  if (short < 126) return short;
  if (short === 126) return bytes.readUInt16BE(at + 2);
  const high = bytes.readUInt32BE(at + 2);
  return high >= 2 ** 31 ? -1 : high * 2 ** 32 + bytes.readUInt32BE(at + 6);
}

function checkControl(header: FrameHeader): void {
  if (header.opcode > OPCODE_PONG)
    throw violation('WS_UNKNOWN_OPCODE', `opcode ${header.opcode} is reserved`);
  if (!header.fin) throw violation('WS_CONTROL_FRAGMENTED', 'a control frame must not be fragmented');
  // 125 bytes are what the short length field can say.
  if (header.bytes > headerBytes(0, header.masked)) {
    throw violation('WS_CONTROL_TOO_LONG', 'a control frame carries at most 125 bytes');
  }
}

function violation(code: ConstructorParameters<typeof WebSocketError>[0], text: string): WebSocketError {
  return new WebSocketError(code, text, CLOSE_PROTOCOL_ERROR);
}
