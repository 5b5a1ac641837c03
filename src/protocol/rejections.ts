/**
 * The words with which our listener turns a sender away, and how our sender reads them back. The code stands at the
 * end in brackets, so that the cause survives a relay that passes on nothing but a status and one line of text.
 */
import { ERROR_CODES, type ErrorCode } from './errors.ts';
import { sanitizeReason } from './tracking.ts';

/** Leaves room for the code even where an intermediary shortens status lines. */
const DETAIL_MAX_CHARS = 200;

/** 502 for "not allowed" too: a sender would take 403 for a missing right at the relay. */
const REJECTIONS: Partial<Record<ErrorCode, { status: number; words: string }>> = {
  HCM_TARGET_REFUSED: { status: 502, words: 'Target refused' },
  HCM_TARGET_UNRESOLVED: { status: 502, words: 'Target name not resolved' },
  HCM_TARGET_UNREACHABLE: { status: 502, words: 'Target unreachable' },
  HCM_TARGET_TIMEOUT: { status: 504, words: 'Target timed out' },
  HCM_TARGET_NOT_ALLOWED: { status: 502, words: 'Target not allowed' },
  HCM_TARGET_MISSING: { status: 502, words: 'No target configured' },
  HCM_LOGICAL_PORT_UNKNOWN: { status: 502, words: 'Unknown logical port' },
  HCM_LOGICAL_PORT_MODE: { status: 502, words: 'Logical port of another kind' },
  HCM_DIALECT_MISMATCH: { status: 502, words: 'Another dialect is spoken here' },
  HCM_HTTP_UNSERVED: { status: 501, words: 'No HTTP is served here' },
  HCM_REQUEST_INVALID: { status: 400, words: 'Request not understood' },
  HCM_RESPONSE_INVALID: { status: 502, words: 'Response of the target not understood' },
  HCM_LISTENER_BUSY: { status: 503, words: 'Listener busy' },
  HCM_REJECTED: { status: 400, words: 'Rejected' },
};
const OTHER: ErrorCode = 'HCM_REJECTED';

export interface Rejection {
  readonly status: number;
  readonly description: string;
}

/**
 * What our listener answers: `{ status: 502, description: 'Target refused: db:5432 ECONNREFUSED (HCM_TARGET_REFUSED)' }`.
 * A code that is none of the listener's business to tell becomes HCM_REJECTED.
 */
export function rejectionFor(code: ErrorCode, detail: string): Rejection {
  const known = REJECTIONS[code] === undefined ? OTHER : code;
  const { status = 400, words = 'Rejected' } = REJECTIONS[known] ?? {};
  const text = sanitizeReason(detail).slice(0, DETAIL_MAX_CHARS).trim();
  return { status, description: `${words}${text === '' ? '' : `: ${text}`} (${known})` };
}

/** The code and the text of a rejection that `rejectionFor` made; undefined for all other text. */
export function parseRejection(description: string): { code: ErrorCode; text: string } | undefined {
  const match = /^(.*?)\s*\((HCM_[A-Z_]+)\)\.?\s*$/s.exec(description);
  const code = ERROR_CODES.find((known) => known === match?.[2]);
  if (match === null || code === undefined || REJECTIONS[code] === undefined) return undefined;
  return { code, text: match[1] ?? '' };
}
