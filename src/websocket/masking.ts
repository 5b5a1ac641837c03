/**
 * XOR masking (RFC 6455 section 5.3). The native addon `bufferutil` is used where it is installed; the pure
 * version works on 32-bit words and gives the same bytes.
 */
import { createRequire } from 'node:module';
import { pooledRandom } from './random-pool.ts';

/** Masks `source[0..length)` into `out` at `offset`; `source` and `out` may be the same memory. */
export type Mask = (source: Buffer, mask: Buffer, out: Buffer, offset: number, length: number) => void;

/** A call into the addon costs more than this many bytes of script. */
const NATIVE_FROM_BYTES = 48;
const WORD_BYTES = 4;
/** Below this a word view costs more than it saves. */
const WORDS_FROM_BYTES = 32;

export const pureMask: Mask = (source, mask, out, offset, length) => {
  let at = length >= WORDS_FROM_BYTES ? maskWords(source, mask, out, offset, length) : 0;
  for (; at < length; at += 1) out[offset + at] = (source[at] ?? 0) ^ (mask[at & 3] ?? 0);
};

/** Masks the part of the input that two aligned word views can cover; returns how many bytes are done. */
function maskWords(source: Buffer, mask: Buffer, out: Buffer, offset: number, length: number): number {
  const sourceStart = source.byteOffset;
  const outStart = out.byteOffset + offset;
  const lead = (WORD_BYTES - (sourceStart % WORD_BYTES)) % WORD_BYTES;
  if ((outStart + lead) % WORD_BYTES !== 0) return 0;
  for (let at = 0; at < lead; at += 1) out[offset + at] = (source[at] ?? 0) ^ (mask[at & 3] ?? 0);
  const words = (length - lead) >> 2;
  const from = new Int32Array(source.buffer, sourceStart + lead, words);
  const to = new Int32Array(out.buffer, outStart + lead, words);
  const key = wordKey(mask, lead);
  let at = 0;
  for (; at + 4 <= words; at += 4) {
    to[at] = (from[at] as number) ^ key;
    to[at + 1] = (from[at + 1] as number) ^ key;
    to[at + 2] = (from[at + 2] as number) ^ key;
    to[at + 3] = (from[at + 3] as number) ^ key;
  }
  for (; at < words; at += 1) to[at] = (from[at] as number) ^ key;
  return lead + words * WORD_BYTES;
}

/** The mask as one word in memory order, turned so that its first byte meets byte `lead` of the payload. */
function wordKey(mask: Buffer, lead: number): number {
  const turned = new Uint8Array(WORD_BYTES);
  for (let at = 0; at < WORD_BYTES; at += 1) turned[at] = mask[(lead + at) & 3] ?? 0;
  return new Int32Array(turned.buffer)[0] ?? 0;
}

/** The addon's function, or undefined where it is not installed or cannot be loaded on this platform. */
export function loadNativeMask(): Mask | undefined {
  try {
    return (createRequire(import.meta.url)('bufferutil') as { mask: Mask }).mask;
  } catch {
    return undefined;
  }
}

const native = loadNativeMask();

export const applyMask: Mask = native
  ? (source, mask, out, offset, length) => {
      if (length < NATIVE_FROM_BYTES) pureMask(source, mask, out, offset, length);
      else native(source, mask, out, offset, length);
    }
  : pureMask;

/** Four unpredictable bytes; valid until the next call. RFC 6455 section 10.3 asks for strong entropy. */
export function nextMask(): Buffer {
  return pooledRandom(4);
}
