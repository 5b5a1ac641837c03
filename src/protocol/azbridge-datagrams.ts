/**
 * Datagrams in a stream of bytes, as azbridge carries UDP: two bytes of length, most significant first, then the
 * payload. A datagram may be empty.
 */

const LENGTH_BYTES = 2;
/** What the length can tell; UDP itself carries less. */
const LENGTH_MAX = 65_535;
/** Room that is taken for a datagram whose length alone has come; it doubles as the rest comes. */
const FIRST_ROOM_BYTES = 2_048;
const NOTHING = Buffer.alloc(0);

/** `payload`: at most 65,535 bytes. Sent as one message in one frame: azbridge reads no other. */
export function encodeDatagram(payload: Uint8Array): Buffer {
  if (payload.length > LENGTH_MAX) throw new RangeError(`a datagram of ${payload.length} bytes`);
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  bytes.writeUInt16BE(payload.length, 0);
  bytes.set(payload, LENGTH_BYTES);
  return bytes;
}

/** Takes bytes as they come, however they are cut. Holds one datagram at most, and little of one that does not come. */
export class DatagramDecoder {
  readonly #lengthBytes = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  #gathered: Buffer = NOTHING;
  #filled = 0;

  /** Hands on each datagram that the bytes complete. Its buffer is valid during that call. */
  push(bytes: Buffer, take: (payload: Buffer) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#lengthFilled < LENGTH_BYTES) {
        this.#lengthBytes[this.#lengthFilled++] = bytes[at++] ?? 0;
        if (this.#lengthFilled < LENGTH_BYTES) continue;
      }
      const length = this.#lengthBytes.readUInt16BE(0);
      const missing = length - this.#filled;
      const part = bytes.subarray(at, at + missing);
      at += part.length;
      if (part.length < missing) this.#gather(part, length);
      else this.#complete(part, length, take);
    }
  }

  #gather(part: Buffer, length: number): void {
    const end = this.#filled + part.length;
    if (end > this.#gathered.length) {
      const room = Math.min(length, Math.max(end * 2, FIRST_ROOM_BYTES));
      const larger = Buffer.allocUnsafeSlow(room);
      this.#gathered.copy(larger, 0, 0, this.#filled);
      this.#gathered = larger;
    }
    part.copy(this.#gathered, this.#filled);
    this.#filled = end;
  }

  #complete(part: Buffer, length: number, take: (payload: Buffer) => void): void {
    let payload = part;
    if (this.#filled > 0) {
      this.#gather(part, length);
      payload = this.#gathered.subarray(0, length);
    }
    this.#lengthFilled = 0;
    this.#filled = 0;
    this.#gathered = NOTHING;
    take(payload);
  }
}
