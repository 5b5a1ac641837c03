/** WebSocket frames written by hand, right and wrong ones: a second opinion beside src/websocket/frame.ts. */

export interface RawFrame {
  opcode: number;
  /** Default: true. */
  fin?: boolean;
  /** The three reserved bits, as a number from 0 to 7. */
  reserved?: number;
  payload?: Uint8Array | string;
  /** Four bytes: the frame is masked with them. */
  mask?: Uint8Array | undefined;
  /** The length field to use; default: the shortest. */
  lengthBits?: 7 | 16 | 64;
  /** What the length field says, where that is not the payload's length. */
  announcedBytes?: bigint;
}

export function rawFrame(frame: RawFrame): Buffer {
  const payload = Buffer.from((frame.payload ?? '') as string);
  const length = frame.announcedBytes ?? BigInt(payload.length);
  const bits = frame.lengthBits ?? (length < 126n ? 7 : length < 65536n ? 16 : 64);
  const maskBit = frame.mask ? 0x80 : 0;
  const first = (frame.fin === false ? 0 : 0x80) | ((frame.reserved ?? 0) << 4) | frame.opcode;
  const lengthField = Buffer.alloc(bits === 7 ? 0 : bits / 8);
  if (bits === 16) lengthField.writeUInt16BE(Number(length));
  if (bits === 64) lengthField.writeBigUInt64BE(length);
  const second = maskBit | (bits === 7 ? Number(length) : bits === 16 ? 126 : 127);
  const body = frame.mask ? masked(payload, frame.mask) : payload;
  return Buffer.concat([Buffer.from([first, second]), lengthField, frame.mask ?? Buffer.alloc(0), body]);
}

/** The XOR of RFC 6455 section 5.3, byte by byte. */
export function masked(payload: Uint8Array, mask: Uint8Array): Buffer {
  return Buffer.from(payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
}

/** Cuts bytes at the given offsets (any order, out of range ignored) into copies. */
export function cut(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const inside = [...new Set(offsets)].filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b);
  return [0, ...inside].map((from, index) =>
    Buffer.from(bytes.subarray(from, inside[index] ?? bytes.length)),
  );
}

/** Cuts bytes into copies of `size` bytes. */
export function slices(bytes: Buffer, size: number): Buffer[] {
  return cut(
    bytes,
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size),
  );
}
