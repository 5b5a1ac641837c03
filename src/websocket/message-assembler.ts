/**
 * Puts fragments together into whole messages, bounded, and checks that text is UTF-8: for a control channel,
 * whose messages are commands. Tunnel streams do without it.
 */
import { CLOSE_INVALID_DATA, CLOSE_TOO_BIG, OPCODE_TEXT, type DataOpcode } from './frame.ts';
import { WebSocketError } from './websocket-error.ts';

export type Message = { kind: 'text'; text: string } | { kind: 'binary'; bytes: Buffer };

const EMPTY = Buffer.alloc(0);

export class MessageAssembler {
  readonly #maxMessageBytes: number;
  /** One growing buffer: fragments of a byte, or of none, must not cost an object each. */
  #gathered = EMPTY;
  #bytes = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Takes a fragment (copied); returns the message that it completes. Throws WebSocketError when the message is too
   * large or its text is not UTF-8.
   */
  add(payload: Buffer, opcode: DataOpcode, last: boolean): Message | undefined {
    const end = this.#bytes + payload.length;
    if (end > this.#maxMessageBytes) {
      const text = `a message of more than ${this.#maxMessageBytes} bytes`;
      throw new WebSocketError('WS_MESSAGE_TOO_BIG', text, CLOSE_TOO_BIG);
    }
    if (end > this.#gathered.length) this.#grow(last ? end : end * 2);
    payload.copy(this.#gathered, this.#bytes);
    this.#bytes = end;
    if (!last) return undefined;
    const bytes = this.#gathered.subarray(0, end);
    this.#gathered = EMPTY;
    this.#bytes = 0;
    return opcode === OPCODE_TEXT ? { kind: 'text', text: decode(bytes) } : { kind: 'binary', bytes };
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes);
    this.#gathered.copy(larger, 0, 0, this.#bytes);
    this.#gathered = larger;
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new WebSocketError('WS_INVALID_UTF8', 'a text message is not UTF-8', CLOSE_INVALID_DATA, cause);
  }
}
