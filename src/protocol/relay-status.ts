/**
 * The one place that turns a relay's status and reason phrase into a code of ours. The relay tells some cases apart
 * only by their words, so the words are matched here and nowhere else. The relay's side (condition to status) is in
 * relay-answers.ts, the listener's own rejections are in rejections.ts; both are offered from here too.
 */
import { HcmError, type ErrorCode } from './errors.ts';
import { CLOCK_SKEW_LIMIT_MS } from './limits.ts';
import { redact } from './redact.ts';
import { parseRejection } from './rejections.ts';
import { sanitizeReason } from './tracking.ts';

export { RELAY_ANSWERS, relayAnswer, type RelayCondition } from './relay-answers.ts';
export { parseRejection, rejectionFor } from './rejections.ts';

/** What the handshake was for; `read` is the read of an entity's description. */
export type HandshakeRole = 'listen' | 'connect' | 'accept' | 'read';

export interface HandshakeAnswer {
  readonly status: number;
  /** The reason phrase, or the text of an error body. */
  readonly reason: string;
  readonly role: HandshakeRole;
  readonly host: string;
  readonly path: string;
  /** The answer's `Date` header and our clock: a large difference explains refused tokens. */
  readonly serverDateMs?: number | undefined;
  readonly nowMs?: number | undefined;
}

/** The error that a refused handshake means. `details`: status, host, path, reason and, where given, trackingId. */
export function errorFromHandshake(answer: HandshakeAnswer): HcmError {
  const reason = redact(sanitizeReason(answer.reason));
  const trackingId = /TrackingId:\s*([^,\s]+)/i.exec(reason)?.[1];
  const rejection = answer.role === 'connect' ? parseRejection(reason) : undefined;
  const code = rejection?.code ?? codeOf(answer, reason);
  const said = rejection?.text ?? sentenceOf(reason);
  const details = {
    status: answer.status,
    host: answer.host,
    path: answer.path,
    reason,
    ...(trackingId === undefined ? {} : { trackingId }),
  };
  const skewMs = skewOf(answer);
  if (skewMs !== undefined && (code === 'HCM_TOKEN_EXPIRED' || code === 'HCM_UNAUTHORIZED')) {
    return new HcmError('HCM_CLOCK_SKEW', `${skewText(skewMs)} ${answered(answer, said)}`, {
      details: { ...details, skewMs },
    });
  }
  return new HcmError(code, answered(answer, said), { retryable: passesByItself(code), details });
}

/** The code that the words of a reason (phrase, error body or close reason) stand for; undefined for other words. */
export function codeFromWords(text: string): ErrorCode | undefined {
  return WORDS.find(([pattern]) => pattern.test(text))?.[1];
}

/** Words of the service, most telling first: several texts carry the name of a whole family behind the sentence. */
const WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/\bIp has been prevented\b/i, 'HCM_IP_NOT_ALLOWED'],
  [/MaximumListenersPerEndpoint/i, 'HCM_LISTENER_QUOTA'],
  [/no listeners connected/i, 'HCM_NO_LISTENER'],
  [/None of the connected listeners meet/i, 'HCM_LISTENER_FILTERED'],
  [/None of the connected listeners accepted|listener did not respond/i, 'HCM_LISTENER_TIMEOUT'],
  [/Endpoint does not exist/i, 'HCM_ENTITY_NOT_FOUND'],
  [/Authorization failed for specified action/i, 'HCM_RIGHT_MISSING'],
  [/InvalidAudience|wrong audience/i, 'HCM_TOKEN_AUDIENCE'],
  [/InvalidSignature|invalid signature/i, 'HCM_TOKEN_SIGNATURE'],
  [/ExpiredToken|token (?:is|has) expired|token expired/i, 'HCM_TOKEN_EXPIRED'],
  [/Malformed\s?Token/i, 'HCM_TOKEN_MALFORMED'],
  [/RelaySecurityTokenRequired|MissingToken|token is (?:required|missing)/i, 'HCM_TOKEN_MISSING'],
  [/quota (?:was |has been |is )?exceeded|QuotaExceeded/i, 'HCM_QUOTA_EXCEEDED'],
];

/** True for a refusal that may be none a little later, without anybody changing anything here. */
export function passesByItself(code: ErrorCode): boolean {
  return RETRYABLE.has(code);
}

/** Cases that pass by themselves: a listener comes back, a target starts, a gateway recovers. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HCM_NO_LISTENER',
  'HCM_LISTENER_TIMEOUT',
  'HCM_LISTENER_QUOTA',
  'HCM_LISTENER_BUSY',
  'HCM_QUOTA_EXCEEDED',
  'HCM_RELAY_BUSY',
  'HCM_RELAY_FAULT',
  'HCM_CONNECT_TIMEOUT',
  'HCM_TARGET_REFUSED',
  'HCM_TARGET_UNRESOLVED',
  'HCM_TARGET_TIMEOUT',
  'HCM_TARGET_UNREACHABLE',
]);

function codeOf(answer: HandshakeAnswer, reason: string): ErrorCode {
  const { status, role } = answer;
  const words = codeFromWords(reason);
  if (words !== undefined) return words;
  if (role === 'accept' && [400, 403, 404, 410].includes(status)) return 'HCM_RENDEZVOUS_EXPIRED';
  if (role === 'connect' && status !== 401 && isListenersOwnText(reason)) return 'HCM_REJECTED';
  switch (status) {
    case 401:
      return 'HCM_UNAUTHORIZED';
    case 403:
      return role === 'read' ? 'HCM_QUOTA_EXCEEDED' : 'HCM_FORBIDDEN';
    case 404:
      return 'HCM_ENTITY_NOT_FOUND';
    case 407:
      return 'HCM_PROXY_AUTH_REQUIRED';
    case 408:
    case 504:
      return role === 'connect' ? 'HCM_LISTENER_TIMEOUT' : 'HCM_CONNECT_TIMEOUT';
    case 409:
      return 'HCM_ENTITY_CONFLICT';
    case 429:
    case 503:
      return 'HCM_RELAY_BUSY';
    default:
      return status >= 500 && status <= 599 ? 'HCM_RELAY_FAULT' : 'HCM_HANDSHAKE_FAILED';
  }
}

/** Texts of the service name the entity (SystemTracker), standard phrases come from any server: neither is a listener's. */
function isListenersOwnText(reason: string): boolean {
  return reason !== '' && !/SystemTracker:/i.test(reason) && !STANDARD_PHRASES.has(reason.toLowerCase());
}

const STANDARD_PHRASES: ReadonlySet<string> = new Set([
  'bad request',
  'unauthorized',
  'forbidden',
  'not found',
  'method not allowed',
  'proxy authentication required',
  'request timeout',
  'conflict',
  'gone',
  'upgrade required',
  'too many requests',
  'request header fields too large',
  'internal server error',
  'internalservererror',
  'not implemented',
  'bad gateway',
  'service unavailable',
  'service temporarily unavailable',
  'gateway timeout',
  'gateway time-out',
  'ok',
]);

function sentenceOf(reason: string): string {
  return reason.replace(/[.,;\s]*TrackingId:.*$/is, '').replace(/[.\s]+$/, '');
}

function answered({ status, role, host, path }: HandshakeAnswer, said: string): string {
  const to = { listen: 'listen on', connect: 'connect to', accept: 'accept a connection of', read: 'read' }[
    role
  ];
  return `${host} answered ${status} to the request to ${to} "${path}"${said === '' ? '' : `: ${said}`}.`;
}

/** Server time minus ours, when that is large enough to spoil tokens. */
function skewOf({ serverDateMs, nowMs }: HandshakeAnswer): number | undefined {
  if (serverDateMs === undefined || nowMs === undefined || Number.isNaN(serverDateMs)) return undefined;
  const skewMs = serverDateMs - nowMs;
  return Math.abs(skewMs) > CLOCK_SKEW_LIMIT_MS ? skewMs : undefined;
}

function skewText(skewMs: number): string {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return `The clock of this machine is ${minutes} minutes ${skewMs > 0 ? 'behind' : 'ahead of'} the relay's, so its tokens are refused.`;
}
