/**
 * Large buffers, used again: a large allocation costs page faults each time. Free buffers are kept up to a
 * bound for the whole process; what is out is bounded by whoever asks (back-pressure), and what does not fit goes
 * to the garbage collector.
 */

const SIZES_BYTES = [16, 64, 128, 256, 576].map((kib) => kib * 1024);
const KEPT_BYTES = 16 * 1024 * 1024;

const free = new Map<number, Buffer[]>(SIZES_BYTES.map((size) => [size, []]));
let keptBytes = 0;

/** A buffer of at least `bytes` bytes, with arbitrary content. Give it back with `releaseBuffer`, once. */
export function acquireBuffer(bytes: number): Buffer {
  const size = SIZES_BYTES.find((candidate) => candidate >= bytes);
  if (size === undefined) return Buffer.allocUnsafeSlow(bytes);
  const used = free.get(size)?.pop();
  if (!used) return Buffer.allocUnsafeSlow(size);
  keptBytes -= size;
  return used;
}

/** Nothing may refer to the buffer's memory any more. */
export function releaseBuffer(buffer: Buffer): void {
  const list = free.get(buffer.length);
  if (!list || keptBytes + buffer.length > KEPT_BYTES) return;
  keptBytes += buffer.length;
  list.push(buffer);
}
