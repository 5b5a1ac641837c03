/**
 * Close codes of the relay's WebSockets: what each says about a control channel, and the bound on a reason's length.
 * Codes from Microsoft's Hybrid Connections protocol guide; texts as seen from the service and the .NET client.
 */
import type { ErrorCode } from './errors.ts';
import { CLOSE_REASON_MAX_BYTES } from './limits.ts';
import { redact } from './redact.ts';
import { codeFromWords } from './relay-status.ts';
import { sanitizeReason } from './tracking.ts';

/** The close codes that the relay and its clients use (RFC 6455, 7.4.1). */
export const CLOSE_CODES = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  /** Never on the wire: a close frame without a code. */
  noStatus: 1005,
  /** Never on the wire: the socket ended without a close frame. */
  abnormal: 1006,
  policyViolation: 1008,
  messageTooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
} as const;

export interface CloseDescription {
  /** Undefined for a close that is no failure. */
  readonly code: ErrorCode | undefined;
  /** True when registering again may simply succeed. */
  readonly retryable: boolean;
  /** For people, one sentence without a final dot. */
  readonly text: string;
}

const MEANINGS: Readonly<Record<number, CloseDescription>> = {
  1000: { code: undefined, retryable: true, text: 'the channel was closed normally' },
  1001: {
    code: 'HCM_ENTITY_NOT_FOUND',
    retryable: true,
    text: 'the hybrid connection was deleted or disabled',
  },
  1002: protocolFault('the relay saw a protocol error'),
  1003: protocolFault('the relay does not take this kind of message'),
  1005: { code: undefined, retryable: true, text: 'the channel was closed without a code' },
  1006: {
    code: 'HCM_CONNECTION_LOST',
    retryable: true,
    text: 'the connection was lost without a close frame',
  },
  1007: protocolFault('the relay saw text that is not UTF-8'),
  1008: {
    code: 'HCM_TOKEN_EXPIRED',
    retryable: true,
    text: 'the token has expired or its renewal was refused',
  },
  1009: protocolFault('a message was too large for the relay'),
  1010: protocolFault('a WebSocket extension is missing'),
  1011: { code: 'HCM_RELAY_FAULT', retryable: true, text: 'the relay failed' },
  1012: { code: 'HCM_RELAY_BUSY', retryable: true, text: 'the relay restarts' },
  1013: { code: 'HCM_RELAY_BUSY', retryable: true, text: 'the relay is busy' },
};

/** The service recycles each listener about once a day and says so with these words (.NET client: code 1011). */
const RECYCLED = /NameRenewalFailed/i;

/** What the close of a control channel means. `reason` is the peer's text; it is made fit to print. */
export function describeClose(code: number, reason: string): CloseDescription {
  const said = redact(sanitizeReason(reason));
  const append = (text: string): string => (said === '' ? text : `${text}: ${said}`);
  if (RECYCLED.test(said)) {
    return {
      code: 'HCM_RELAY_FAULT',
      retryable: true,
      text: append('the relay recycled the listener, as it does once a day'),
    };
  }
  const meaning = MEANINGS[code];
  if (meaning === undefined) {
    return {
      code: 'HCM_CONNECTION_LOST',
      retryable: true,
      text: append(`the channel was closed with code ${code}`),
    };
  }
  const words = code === CLOSE_CODES.policyViolation ? codeFromWords(said) : undefined;
  if (words !== undefined && words !== 'HCM_TOKEN_EXPIRED') {
    return { code: words, retryable: false, text: append('the relay refused the token') };
  }
  return { ...meaning, text: append(meaning.text) };
}

function protocolFault(text: string): CloseDescription {
  return { code: 'HCM_WEBSOCKET_PROTOCOL', retryable: false, text };
}

/** Cuts a close reason to what a close frame can hold, 123 bytes of UTF-8, never inside a character. */
export function truncateCloseReason(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= CLOSE_REASON_MAX_BYTES) return bytes.toString('utf8');
  let end = CLOSE_REASON_MAX_BYTES;
  // Bytes 10xxxxxx continue a character: step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
