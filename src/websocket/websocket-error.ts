/** The errors of this room: a violation of RFC 6455, a failed handshake, or a connection lost without a Close. */

export type WebSocketErrorCode =
  | 'WS_RESERVED_BITS'
  | 'WS_UNKNOWN_OPCODE'
  | 'WS_MASK_REQUIRED'
  | 'WS_MASK_FORBIDDEN'
  | 'WS_CONTROL_FRAGMENTED'
  | 'WS_CONTROL_TOO_LONG'
  | 'WS_UNEXPECTED_CONTINUATION'
  | 'WS_EXPECTED_CONTINUATION'
  | 'WS_LENGTH_INVALID'
  | 'WS_FRAME_TOO_BIG'
  | 'WS_MESSAGE_TOO_BIG'
  | 'WS_INVALID_UTF8'
  | 'WS_CLOSE_INVALID'
  | 'WS_HANDSHAKE_INVALID'
  | 'WS_CONNECTION_LOST';

export class WebSocketError extends Error {
  override readonly name = 'WebSocketError';
  readonly code: WebSocketErrorCode;
  /** The Close code that tells the peer (RFC 6455 section 7.4.1), where one may be sent. */
  readonly closeCode: number | undefined;

  constructor(code: WebSocketErrorCode, message: string, closeCode?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.closeCode = closeCode;
  }
}
