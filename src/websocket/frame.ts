/**
 * The base framing of RFC 6455 section 5.2: opcodes, close codes, and the writing of a frame header.
 * Reading frames is the parser's job (frame-parser.ts).
 */

export const OPCODE_CONTINUATION = 0x0;
export const OPCODE_TEXT = 0x1;
export const OPCODE_BINARY = 0x2;
export const OPCODE_CLOSE = 0x8;
export const OPCODE_PING = 0x9;
export const OPCODE_PONG = 0xa;

export type DataOpcode = typeof OPCODE_TEXT | typeof OPCODE_BINARY;

/** RFC 6455 section 7.4.1. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_PROTOCOL_ERROR = 1002;
export const CLOSE_INVALID_DATA = 1007;
export const CLOSE_TOO_BIG = 1009;

/** RFC 6455 section 5.5: a control frame carries at most 125 bytes. */
export const CONTROL_PAYLOAD_MAX_BYTES = 125;
/** Two bytes of Close code leave 123 for the reason. */
export const CLOSE_REASON_MAX_BYTES = CONTROL_PAYLOAD_MAX_BYTES - 2;
/** Two fixed bytes, an eight-byte length, a four-byte mask. */
export const HEADER_MAX_BYTES = 14;

const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const LENGTH_16_MAX = 0xffff;
const MASK_BYTES = 4;

/** The size in bytes of the header that `writeHeader` makes. */
export function headerBytes(payloadBytes: number, masked: boolean): number {
  const base = payloadBytes < LENGTH_16 ? 2 : payloadBytes <= LENGTH_16_MAX ? 4 : 10;
  return masked ? base + MASK_BYTES : base;
}

/**
 * Writes a frame header at `offset` and returns the offset behind it. With a mask the four mask bytes end the
 * header; the payload is not touched.
 */
export function writeHeader(
  out: Buffer,
  offset: number,
  frame: { opcode: number; fin: boolean; payloadBytes: number; mask: Buffer | undefined },
): number {
  const maskBit = frame.mask ? MASKED : 0;
  out[offset++] = (frame.fin ? FIN : 0) | frame.opcode;
  if (frame.payloadBytes < LENGTH_16) {
    out[offset++] = maskBit | frame.payloadBytes;
  } else if (frame.payloadBytes <= LENGTH_16_MAX) {
    out[offset++] = maskBit | LENGTH_16;
    offset = out.writeUInt16BE(frame.payloadBytes, offset);
  } else {
    out[offset++] = maskBit | LENGTH_64;
    offset = out.writeUInt32BE(Math.floor(frame.payloadBytes / 2 ** 32), offset);
    offset = out.writeUInt32BE(frame.payloadBytes >>> 0, offset);
  }
  if (frame.mask) {
    out.set(frame.mask, offset);
    offset += MASK_BYTES;
  }
  return offset;
}

/** RFC 6455 section 7.4: codes that may stand in a Close frame. */
export function isSendableCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}
