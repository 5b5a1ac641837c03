/**
 * What a relay answers when it cannot serve: condition -> status, sentence, error name. Sentences are the real
 * service's where one is known (clients show them). Statuses that are doubtful can be overridden by the caller.
 */

export interface RelayAnswer {
  readonly status: number;
  /** Without tracking id; see `reasonPhrase`. */
  readonly sentence: string;
  /** The `error.code` of an HTTP error's JSON body. */
  readonly errorName: string;
}

const TOKEN = 'TokenMissingOrInvalid';
const MISSING = 'EndpointNotFound';
const LATE = 'GatewayTimeout';
const BAD_GATEWAY = 'BadGateway';

/** The relay's answers by condition. */
export const RELAY_ANSWERS = {
  'entity-missing': { status: 404, sentence: 'Endpoint does not exist.', errorName: MISSING },
  // Microsoft's protocol guide says 502; every answer seen from the real service is 404.
  'no-listener': {
    status: 404,
    sentence: 'There are no listeners connected for the endpoint.',
    errorName: MISSING,
  },
  'listener-filter': {
    status: 404,
    sentence:
      'None of the connected listeners meet the AllowedListeners/DisallowedListeners criteria for this request.',
    errorName: MISSING,
  },
  'token-missing': {
    status: 401,
    sentence: 'MissingToken: The security token is required for this relay operation.',
    errorName: TOKEN,
  },
  'token-malformed': { status: 401, sentence: 'MalformedToken: Malformed Token.', errorName: TOKEN },
  'token-signature': {
    status: 401,
    sentence: 'InvalidSignature: The token has an invalid signature.',
    errorName: TOKEN,
  },
  'token-audience': {
    status: 401,
    sentence: 'InvalidAudience: The authorization header contains a token with a wrong audience.',
    errorName: TOKEN,
  },
  'token-expired': { status: 401, sentence: 'ExpiredToken: The token is expired.', errorName: TOKEN },
  // 401 in the relay developers' own emulator, 403 in the protocol guide.
  'right-missing': {
    status: 403,
    sentence: 'Authorization failed for specified action.',
    errorName: 'Forbidden',
  },
  'ip-not-allowed': {
    status: 401,
    sentence: 'Ip has been prevented to connect to the endpoint.',
    errorName: TOKEN,
  },
  'listener-quota': {
    status: 403,
    sentence: 'The maximum number of listeners is connected: MaximumListenersPerEndpoint quota was exceeded.',
    errorName: 'QuotaExceeded',
  },
  // For a WebSocket sender whose listener never came; doubtful, 408 and 404 are the other candidates.
  'listener-timeout': {
    status: 504,
    sentence: 'None of the connected listeners accepted the connection within the allowed timeout.',
    errorName: LATE,
  },
  'response-timeout': {
    status: 504,
    sentence: 'The request was routed to the listener but the listener did not respond in the required time.',
    errorName: LATE,
  },
  // Nobody knows what the service says in these four cases.
  'response-invalid': {
    status: 502,
    sentence: 'The response of the listener cannot be passed on.',
    errorName: BAD_GATEWAY,
  },
  'listener-lost': {
    status: 502,
    sentence: 'The listener went away before it responded.',
    errorName: BAD_GATEWAY,
  },
  'request-timeout': {
    status: 408,
    sentence: 'The body of the request did not arrive in the required time.',
    errorName: 'RequestTimeout',
  },
  'method-forbidden': {
    status: 405,
    sentence: 'The method CONNECT is not relayed.',
    errorName: 'MethodNotAllowed',
  },
  'rendezvous-unknown': {
    status: 403,
    sentence: 'The rendezvous address is unknown, was used before, or has expired.',
    errorName: 'Forbidden',
  },
  /** Not a failure: what the listener gets when its rejection was taken. */
  rejected: { status: 410, sentence: 'The connection was rejected.', errorName: 'Gone' },
  'bad-reject-status': {
    status: 400,
    sentence: 'The status code of a rejection must be a number from 100 to 999.',
    errorName: 'BadRequest',
  },
  'unknown-action': {
    status: 400,
    sentence: 'The value of sb-hc-action is unknown.',
    errorName: 'BadRequest',
  },
  'bad-request': { status: 400, sentence: 'The request cannot be understood.', errorName: 'BadRequest' },
  'headers-too-large': {
    status: 431,
    sentence: 'The headers of the request are larger than 32 kB.',
    errorName: 'BadRequest',
  },
  overload: { status: 503, sentence: 'The server is busy. Please retry.', errorName: 'ServerBusy' },
  fault: { status: 500, sentence: 'InternalServerError', errorName: 'InternalServerError' },
} as const satisfies Record<string, RelayAnswer>;

export type RelayCondition = keyof typeof RELAY_ANSWERS;

/** The answer for a condition, with another status where the caller's configuration says so. */
export function relayAnswer(
  condition: RelayCondition,
  statuses: Partial<Record<RelayCondition, number>> = {},
): RelayAnswer {
  const answer: RelayAnswer = RELAY_ANSWERS[condition];
  return { ...answer, status: statuses[condition] ?? answer.status };
}
