/**
 * The dialect of Microsoft's azbridge: the preamble with which a sender names a logical port, the listener's answer,
 * and the words of a refusal. Bytes only; datagrams are in azbridge-datagrams.ts.
 */
import { HcmError, type ErrorCode } from './errors.ts';
import { CLOSE_REASON_MAX_BYTES } from './limits.ts';
import { parseRejection } from './rejections.ts';
import { sanitizeReason } from './tracking.ts';

/** TCP and Unix sockets, or UDP. */
export type PortMode = 'stream' | 'datagram';

/** Version 1.0: the only one there is. */
const MAJOR = 1;
const MINOR = 0;
const MODE_BYTES = { stream: 0, datagram: 1 } as const;
/** Version and mode. */
const START_BYTES = 3;
/** And the length of the name, in one byte. */
const HEADER_BYTES = 4;
export const PORT_NAME_MAX_BYTES = 255;
const ANSWER_BYTES = 3;

/** What a listener answers, as azbridge has it. No bytes at all: the port is unknown, or its target cannot be had. */
export const AZBRIDGE_ANSWERS = {
  stream: Buffer.from([MAJOR, MINOR, MODE_BYTES.stream]),
  datagram: Buffer.from([MAJOR, MINOR, MODE_BYTES.datagram]),
  notUnderstood: Buffer.from([0, 0, 0]),
  targetIsDatagram: Buffer.from([0, 0, 1]),
  targetIsStream: Buffer.from([0, 0, 255]),
} as const satisfies Record<string, Buffer>;

/** What the first bytes of a stream turned out to be, and the bytes behind them (valid as long as the input is). */
export interface DecodedStart<T> {
  value: T;
  rest: Buffer;
}

/** Takes the first bytes of a stream as they come, however they are cut; never asked again once it has answered. */
export interface StartDecoder<T> {
  push(bytes: Buffer): DecodedStart<T> | undefined;
}

export type Preamble =
  | { readonly kind: 'preamble'; readonly mode: PortMode; readonly port: string }
  /** Another version or mode, or no preamble at all; `seen` is its start in hexadecimal. */
  | { readonly kind: 'foreign'; readonly seen: string };

export type Answer =
  | { readonly kind: 'accepted'; readonly mode: PortMode }
  | { readonly kind: 'not-understood' }
  | { readonly kind: 'target-is-datagram' }
  | { readonly kind: 'target-is-stream' }
  | { readonly kind: 'foreign'; readonly seen: string };

/**
 * The two messages that open a stream: azbridge sends the header and the name apart, and reads both as bytes.
 * @throws HcmError HCM_NAME_INVALID
 */
export function encodePreamble(mode: PortMode, port: string): [header: Buffer, name: Buffer] {
  const name = checkPortName(port);
  return [Buffer.from([MAJOR, MINOR, MODE_BYTES[mode], name.length]), name];
}

/**
 * The bytes of a logical port's name.
 * @throws HcmError HCM_NAME_INVALID when it has none, or more than the one byte of its length can tell
 */
export function checkPortName(port: string): Buffer {
  const name = Buffer.from(port, 'utf8');
  if (name.length >= 1 && name.length <= PORT_NAME_MAX_BYTES) return name;
  const text = `The name of a logical port has 1 to ${PORT_NAME_MAX_BYTES} bytes, and this one has ${name.length}`;
  throw new HcmError('HCM_NAME_INVALID', text, { details: { bytes: name.length } });
}

/**
 * The configured port that a sender's name means: the one of that name or, where there is only one, that one for any
 * number. So a sender's default name, its local port, reaches a listener's single target under another number.
 */
export function findPort<T>(ports: ReadonlyMap<string, T>, asked: string): T | undefined {
  if (ports.size === 1 && isInteger(asked)) return ports.values().next().value;
  return ports.get(asked);
}

const INT32_MAX = 2 ** 31 - 1;

/** As azbridge's int.TryParse has it. */
function isInteger(text: string): boolean {
  return /^\s*[+-]?\d+\s*$/.test(text) && Math.abs(Number(text)) <= INT32_MAX;
}

export class PreambleDecoder implements StartDecoder<Preamble> {
  readonly #bytes = Buffer.alloc(HEADER_BYTES + PORT_NAME_MAX_BYTES);
  #filled = 0;

  /** Answers as soon as it is sure: for what is no preamble, after three bytes. */
  push(bytes: Buffer): DecodedStart<Preamble> | undefined {
    const before = this.#filled;
    this.#filled += bytes.copy(this.#bytes, before);
    const mode = modeOf(this.#bytes);
    if (this.#filled >= START_BYTES && mode === undefined)
      return { value: { kind: 'foreign', seen: hex(this.#bytes, START_BYTES) }, rest: bytes };
    const end = HEADER_BYTES + (this.#bytes[HEADER_BYTES - 1] ?? 0);
    if (mode === undefined || this.#filled < HEADER_BYTES || this.#filled < end) return undefined;
    // Not every name is UTF-8; one that is not matches no port.
    const port = this.#bytes.toString('utf8', HEADER_BYTES, end);
    return { value: { kind: 'preamble', mode, port }, rest: bytes.subarray(end - before) };
  }
}

export class AnswerDecoder implements StartDecoder<Answer> {
  readonly #bytes = Buffer.alloc(ANSWER_BYTES);
  #filled = 0;

  push(bytes: Buffer): DecodedStart<Answer> | undefined {
    const copied = bytes.copy(this.#bytes, this.#filled);
    this.#filled += copied;
    if (this.#filled < ANSWER_BYTES) return undefined;
    return { value: answerOf(this.#bytes), rest: bytes.subarray(copied) };
  }
}

/**
 * The Close reason with which our listener says what azbridge keeps to itself: a sentence that ends in the code, cut to
 * what a Close frame holds.
 */
export function refusalReason(code: ErrorCode, text: string): string {
  const told = parseRejection(`(${code})`) ? code : 'HCM_REJECTED';
  const suffix = ` (${told})`;
  const room = new Uint8Array(CLOSE_REASON_MAX_BYTES - suffix.length);
  const plain = sanitizeReason(text);
  const { read } = new TextEncoder().encodeInto(plain, room);
  return `${plain.slice(0, read).trim()}${suffix}`;
}

/** Reads such a reason; undefined for anything else, such as azbridge's own "Shutdown". */
export function parseRefusalReason(reason: string): { code: ErrorCode; text: string } | undefined {
  return parseRejection(sanitizeReason(reason));
}

function modeOf(bytes: Buffer): PortMode | undefined {
  if (bytes[0] !== MAJOR || bytes[1] !== MINOR) return undefined;
  if (bytes[2] === MODE_BYTES.stream) return 'stream';
  return bytes[2] === MODE_BYTES.datagram ? 'datagram' : undefined;
}

function answerOf(bytes: Buffer): Answer {
  const mode = modeOf(bytes);
  if (mode !== undefined) return { kind: 'accepted', mode };
  if (bytes.equals(AZBRIDGE_ANSWERS.notUnderstood)) return { kind: 'not-understood' };
  if (bytes.equals(AZBRIDGE_ANSWERS.targetIsDatagram)) return { kind: 'target-is-datagram' };
  if (bytes.equals(AZBRIDGE_ANSWERS.targetIsStream)) return { kind: 'target-is-stream' };
  return { kind: 'foreign', seen: hex(bytes, ANSWER_BYTES) };
}

function hex(bytes: Buffer, count: number): string {
  return bytes.toString('hex', 0, count).replace(/(?<=.)(?=(..)+$)/g, ' ');
}
