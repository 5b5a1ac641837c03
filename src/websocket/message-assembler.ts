/**
 * Puts fragments together into whole messages, bounded, and checks that text is UTF-8: for a control channel,
 * whose messages are commands. Tunnel streams do without it.
 */
import { CLOSE_INVALID_DATA, CLOSE_TOO_BIG, OPCODE_TEXT, type DataOpcode } from './frame.ts';
import { WebSocketError } from './websocket-error.ts';

export type Message = { kind: 'text'; text: string } | { kind: 'binary'; bytes: Buffer };

export class MessageAssembler {
  readonly #maxMessageBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Takes a fragment (copied); returns the message that it completes. Throws WebSocketError when the message is too
   * large or its text is not UTF-8.
   */
  add(payload: Buffer, opcode: DataOpcode, last: boolean): Message | undefined {
    this.#bytes += payload.length;
    if (this.#bytes > this.#maxMessageBytes) {
      const text = `a message of more than ${this.#maxMessageBytes} bytes`;
      throw new WebSocketError('WS_MESSAGE_TOO_BIG', text, CLOSE_TOO_BIG);
    }
    this.#parts.push(Buffer.from(payload));
    if (!last) return undefined;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return opcode === OPCODE_TEXT ? { kind: 'text', text: decode(bytes) } : { kind: 'binary', bytes };
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new WebSocketError('WS_INVALID_UTF8', 'a text message is not UTF-8', CLOSE_INVALID_DATA, cause);
  }
}
