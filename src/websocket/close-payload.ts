/** The payload of a Close frame (RFC 6455 section 5.5.1): nothing, or a code and a reason in UTF-8. */
import {
  CLOSE_INVALID_DATA,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_REASON_MAX_BYTES,
  isSendableCloseCode,
} from './frame.ts';
import { WebSocketError } from './websocket-error.ts';

const CODE_BYTES = 2;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
  if (payload.length === CODE_BYTES) return { code, reason: '' };
  try {
    return { code, reason: decoder.decode(payload.subarray(CODE_BYTES)) };
  } catch (cause) {
    throw new WebSocketError('WS_INVALID_UTF8', 'the Close reason is not UTF-8', CLOSE_INVALID_DATA, cause);
  }
}

/** A reason over 123 bytes is cut, between two characters. */
export function formatClose(code: number | undefined, reason: string): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  const payload = Buffer.allocUnsafe(
    CODE_BYTES + Math.min(Buffer.byteLength(reason), CLOSE_REASON_MAX_BYTES),
  );
  payload.writeUInt16BE(code, 0);
  const { written } = encoder.encodeInto(reason, payload.subarray(CODE_BYTES));
  return payload.subarray(0, CODE_BYTES + written);
}
