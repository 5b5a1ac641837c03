/** The payload of a Close frame (RFC 6455 section 5.5.1): nothing, or a code and a reason in UTF-8. */
import {
  CLOSE_INVALID_DATA,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_REASON_MAX_BYTES,
  isSendableCloseCode,
} from './frame.ts';
import { WebSocketError } from './websocket-error.ts';

export interface CloseReason {
  /** Undefined when the frame is empty. */
  code: number | undefined;
  reason: string;
}

/** Throws WebSocketError when the code must not be sent or the reason is not UTF-8. */
export function parseClose(payload: Buffer): CloseReason {
  if (payload.length === 0) return { code: undefined, reason: '' };
  const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
  if (!isSendableCloseCode(code)) {
    throw new WebSocketError('WS_CLOSE_INVALID', `Close code ${code} must not be sent`, CLOSE_PROTOCOL_ERROR);
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { code, reason: decoder.decode(payload.subarray(2)) };
  } catch (cause) {
    throw new WebSocketError('WS_INVALID_UTF8', 'the Close reason is not UTF-8', CLOSE_INVALID_DATA, cause);
  }
}

/** A reason over 123 bytes is cut, between two characters. */
export function formatClose(code: number | undefined, reason: string): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  const text = new Uint8Array(CLOSE_REASON_MAX_BYTES);
  const { written } = new TextEncoder().encodeInto(reason, text);
  const payload = Buffer.concat([Buffer.alloc(2), text.subarray(0, written)]);
  payload.writeUInt16BE(code, 0);
  return payload;
}
