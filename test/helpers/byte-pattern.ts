/** An endless stream of bytes that can be checked at any position without keeping it. */
import { randomBytes } from 'node:crypto';

/** A prime, so that no buffer size divides it and bytes at a wrong place never look right. */
const PERIOD_BYTES = 1_048_573;

export class BytePattern {
  /** Two periods: any piece of at most one is contiguous. */
  readonly #twice: Buffer;

  constructor() {
    const period = randomBytes(PERIOD_BYTES);
    this.#twice = Buffer.concat([period, period]);
  }

  /** A view of the bytes at `position`; `length` is at most 1 MiB. */
  slice(position: number, length: number): Buffer {
    const from = position % PERIOD_BYTES;
    return this.#twice.subarray(from, from + length);
  }

  matches(bytes: Buffer, position: number): boolean {
    return this.slice(position, bytes.length).equals(bytes);
  }
}
