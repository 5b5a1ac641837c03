// Bodies that a test can make again: printable, so that curl may write them to its output, and different at each place.

const FIRST = 33;
const PRINTABLE = 89; // prime, so that no power of two repeats it

export function patternOf(bytes: number): Buffer {
  const body = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at += 1) body[at] = FIRST + ((at + (at >> 9)) % PRINTABLE);
  return body;
}
