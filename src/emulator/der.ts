/**
 * Writes DER (ITU-T X.690), as much of it as two kinds of certificate need. A library for X.509 costs a third of a
 * second to load, ten times what the emulator needs to start. Reading certificates is node:crypto's job.
 */

/** One value of a simple kind, already encoded. */
export type Der = Buffer;

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** UTCTime has two digits of the year and ends in 2049 (RFC 5280, 4.1.2.5). */
const GENERALIZED_TIME_FROM_YEAR = 2050;

/** Tag, length, content. */
export function tlv(tag: number, ...content: readonly Buffer[]): Der {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  return bytes < 0x100 ? Buffer.from([0x81, bytes]) : Buffer.from([0x82, bytes >> 8, bytes & 0xff]);
}

export const sequence = (...items: readonly Der[]): Der => tlv(TAG.sequence, ...items);
export const set = (...items: readonly Der[]): Der => tlv(TAG.set, ...items);
export const octetString = (bytes: Buffer): Der => tlv(TAG.octetString, bytes);
export const boolean = (value: boolean): Der => tlv(TAG.boolean, Buffer.from([value ? 0xff : 0]));
export const utf8String = (text: string): Der => tlv(TAG.utf8String, Buffer.from(text));

/** A non-negative integer, big-endian. */
export function integer(bytes: Buffer): Der {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at += 1;
  const digits = bytes.subarray(at);
  return (digits[0] ?? 0) & 0x80 ? tlv(TAG.integer, Buffer.from([0]), digits) : tlv(TAG.integer, digits);
}

/** @param unusedBits bits of the last byte that do not count. */
export function bitString(bytes: Buffer, unusedBits = 0): Der {
  return tlv(TAG.bitString, Buffer.from([unusedBits]), bytes);
}

/** @param dotted as in `2.5.29.19`. */
export function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

/** A time to the second, in UTC. */
export function time(at: Date): Der {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() >= GENERALIZED_TIME_FROM_YEAR
    ? tlv(TAG.generalizedTime, Buffer.from(digits))
    : tlv(TAG.utcTime, Buffer.from(digits.slice(2)));
}

/** `[number]` of a structure; constructed unless the content is a plain string of bytes. */
export function context(number: number, content: Buffer, constructed: boolean): Der {
  return tlv(0x80 | (constructed ? 0x20 : 0) | number, content);
}
