import assert from 'node:assert/strict';
import { ERROR_CODES } from '../../../src/protocol/errors.ts';
import {
  errorFromHandshake,
  type HandshakeRole,
  parseRejection,
  RELAY_ANSWERS,
  relayAnswer,
  type RelayCondition,
  rejectionFor,
} from '../../../src/protocol/relay-status.ts';
import { reasonPhrase } from '../../../src/protocol/tracking.ts';

const at = { host: 'ns1.example', path: 'hyco1' };
const tail = '. TrackingId:0b3c_G17, SystemTracker:sb://ns1.example/hyco1, Timestamp:2026-01-02T03:04:05';
const codeOf = (status: number, reason: string, role: HandshakeRole): string =>
  errorFromHandshake({ status, reason, role, ...at }).code;

describe('errorFromHandshake', () => {
  const table: [status: number, reason: string, role: HandshakeRole, code: string][] = [
    [404, `Endpoint does not exist${tail}`, 'listen', 'HCM_ENTITY_NOT_FOUND'],
    [404, `There are no listeners connected for the endpoint${tail}`, 'connect', 'HCM_NO_LISTENER'],
    [502, `There are no listeners connected for the endpoint${tail}`, 'connect', 'HCM_NO_LISTENER'],
    [
      404,
      `None of the connected listeners meet the AllowedListeners/DisallowedListeners criteria${tail}`,
      'connect',
      'HCM_LISTENER_FILTERED',
    ],
    [
      404,
      'None of the connected listeners accepted the connection within the allowed timeout.',
      'connect',
      'HCM_LISTENER_TIMEOUT',
    ],
    [
      504,
      `The request was routed to the listener but the listener did not respond in the required time${tail}`,
      'connect',
      'HCM_LISTENER_TIMEOUT',
    ],
    [
      401,
      `InvalidAudience: The authorization header contains a token with a wrong audience. TokenMissingOrInvalid${tail}`,
      'listen',
      'HCM_TOKEN_AUDIENCE',
    ],
    [401, `InvalidSignature: The token has an invalid signature${tail}`, 'connect', 'HCM_TOKEN_SIGNATURE'],
    [401, `The SAS token is expired. Expiration time: '1/1/2020'${tail}`, 'connect', 'HCM_TOKEN_EXPIRED'],
    [401, `Malformed Token${tail}`, 'connect', 'HCM_TOKEN_MALFORMED'],
    [401, `RelaySecurityTokenRequired${tail}`, 'connect', 'HCM_TOKEN_MISSING'],
    [401, `Authorization failed for specified action: Listen${tail}`, 'listen', 'HCM_RIGHT_MISSING'],
    [403, `Authorization failed for specified action: Send${tail}`, 'connect', 'HCM_RIGHT_MISSING'],
    [
      401,
      `Ip has been prevented to connect to the endpoint.\\nDocs: https://x${tail}`,
      'connect',
      'HCM_IP_NOT_ALLOWED',
    ],
    [403, `MaximumListenersPerEndpoint quota was exceeded${tail}`, 'listen', 'HCM_LISTENER_QUOTA'],
    [401, 'Unauthorized', 'connect', 'HCM_UNAUTHORIZED'],
    [401, 'go away', 'connect', 'HCM_UNAUTHORIZED'],
    [403, 'Forbidden', 'connect', 'HCM_FORBIDDEN'],
    [403, 'Forbidden', 'read', 'HCM_QUOTA_EXCEEDED'],
    [403, `Something new${tail}`, 'connect', 'HCM_FORBIDDEN'],
    [404, 'Not Found', 'connect', 'HCM_ENTITY_NOT_FOUND'],
    [404, '', 'listen', 'HCM_ENTITY_NOT_FOUND'],
    [503, 'Service Unavailable', 'listen', 'HCM_RELAY_BUSY'],
    [429, '', 'connect', 'HCM_RELAY_BUSY'],
    [500, `InternalServerError${tail}`, 'connect', 'HCM_RELAY_FAULT'],
    [502, 'Bad Gateway', 'connect', 'HCM_RELAY_FAULT'],
    [504, 'Gateway Timeout', 'connect', 'HCM_LISTENER_TIMEOUT'],
    [504, 'Gateway Timeout', 'listen', 'HCM_CONNECT_TIMEOUT'],
    [408, 'Request Timeout', 'connect', 'HCM_LISTENER_TIMEOUT'],
    [409, 'Conflict', 'read', 'HCM_ENTITY_CONFLICT'],
    [400, 'Rejected by user code', 'connect', 'HCM_REJECTED'],
    [502, 'Rejected by user code', 'connect', 'HCM_REJECTED'],
    [403, 'not on my watch', 'connect', 'HCM_REJECTED'],
    [403, 'not on my watch', 'listen', 'HCM_FORBIDDEN'],
    [403, 'whatever', 'accept', 'HCM_RENDEZVOUS_EXPIRED'],
    [400, 'accepted too late', 'accept', 'HCM_RENDEZVOUS_EXPIRED'],
    [410, 'Gone', 'accept', 'HCM_RENDEZVOUS_EXPIRED'],
    [426, 'Upgrade Required', 'listen', 'HCM_HANDSHAKE_FAILED'],
    [200, 'OK', 'connect', 'HCM_HANDSHAKE_FAILED'],
    [502, 'Target refused: db:1 ECONNREFUSED (HCM_TARGET_REFUSED)', 'connect', 'HCM_TARGET_REFUSED'],
    [502, 'Target refused: db:1 ECONNREFUSED (HCM_TARGET_REFUSED)', 'listen', 'HCM_RELAY_FAULT'],
    [502, 'I pretend (HCM_TOKEN_EXPIRED)', 'connect', 'HCM_REJECTED'],
  ];
  for (const [status, reason, role, code] of table) {
    it(`makes ${code} of ${status} "${reason.slice(0, 50)}" for ${role}`, () => {
      assert.equal(codeOf(status, reason, role), code);
    });
  }

  it('says who answered what, keeps the tracking id, and hides secrets', () => {
    const error = errorFromHandshake({
      status: 404,
      reason: `Endpoint does not exist${tail}`,
      role: 'listen',
      ...at,
    });
    assert.equal(
      error.message,
      'ns1.example answered 404 to the request to listen on "hyco1": Endpoint does not exist.',
    );
    assert.equal(error.details['trackingId'], '0b3c_G17');
    assert.equal(error.details['status'], 404);
    const leaky = errorFromHandshake({
      status: 500,
      reason: 'at wss://x/?sb-hc-token=SECRET',
      role: 'listen',
      ...at,
    });
    assert.ok(!JSON.stringify([leaky.message, leaky.details]).includes('SECRET'));
  });

  it('knows what passes by itself', () => {
    const retryable = (status: number, reason: string): boolean =>
      errorFromHandshake({ status, reason, role: 'connect', ...at }).retryable;
    assert.ok(retryable(404, RELAY_ANSWERS['no-listener'].sentence));
    assert.ok(retryable(503, ''));
    assert.ok(!retryable(404, RELAY_ANSWERS['entity-missing'].sentence));
    assert.ok(!retryable(401, RELAY_ANSWERS['token-signature'].sentence));
  });

  it('blames the clock for an expired token when the clocks differ by more than five minutes', () => {
    const nowMs = Date.UTC(2026, 0, 1);
    const expired = {
      status: 401,
      reason: `ExpiredToken: The token is expired${tail}`,
      role: 'listen',
      ...at,
    } as const;
    const behind = errorFromHandshake({ ...expired, nowMs, serverDateMs: nowMs + 12 * 60_000 });
    assert.equal(behind.code, 'HCM_CLOCK_SKEW');
    assert.match(behind.message, /12 minutes behind/);
    const ahead = errorFromHandshake({ ...expired, nowMs, serverDateMs: nowMs - 6 * 60_000 });
    assert.match(ahead.message, /6 minutes ahead of/);
    assert.equal(
      errorFromHandshake({ ...expired, nowMs, serverDateMs: nowMs + 5 * 60_000 }).code,
      'HCM_TOKEN_EXPIRED',
    );
    assert.equal(errorFromHandshake({ ...expired, nowMs, serverDateMs: NaN }).code, 'HCM_TOKEN_EXPIRED');
    const signature = { ...expired, reason: 'InvalidSignature', nowMs, serverDateMs: 0 };
    assert.equal(errorFromHandshake(signature).code, 'HCM_TOKEN_SIGNATURE');
  });
});

describe('RELAY_ANSWERS', () => {
  const expected: Partial<Record<RelayCondition, [HandshakeRole, string]>> = {
    'entity-missing': ['listen', 'HCM_ENTITY_NOT_FOUND'],
    'no-listener': ['connect', 'HCM_NO_LISTENER'],
    'listener-filter': ['connect', 'HCM_LISTENER_FILTERED'],
    'listener-quota': ['listen', 'HCM_LISTENER_QUOTA'],
    'listener-timeout': ['connect', 'HCM_LISTENER_TIMEOUT'],
    'response-timeout': ['connect', 'HCM_LISTENER_TIMEOUT'],
    'token-missing': ['listen', 'HCM_TOKEN_MISSING'],
    'token-malformed': ['listen', 'HCM_TOKEN_MALFORMED'],
    'token-signature': ['connect', 'HCM_TOKEN_SIGNATURE'],
    'token-audience': ['connect', 'HCM_TOKEN_AUDIENCE'],
    'token-expired': ['connect', 'HCM_TOKEN_EXPIRED'],
    'right-missing': ['connect', 'HCM_RIGHT_MISSING'],
    'ip-not-allowed': ['connect', 'HCM_IP_NOT_ALLOWED'],
    'rendezvous-unknown': ['accept', 'HCM_RENDEZVOUS_EXPIRED'],
    'unknown-action': ['listen', 'HCM_HANDSHAKE_FAILED'],
    overload: ['connect', 'HCM_RELAY_BUSY'],
    fault: ['connect', 'HCM_RELAY_FAULT'],
  };
  for (const [condition, [role, code]] of Object.entries(expected)) {
    it(`has an answer for ${condition} that clients of ours read as ${code}`, () => {
      const { status, sentence } = relayAnswer(condition as RelayCondition);
      const reason = reasonPhrase({ sentence, trackingId: 'x_G0', ...at, now: 0 });
      assert.equal(codeOf(status, reason, role), code);
    });
  }

  it('takes other statuses where the caller says so', () => {
    assert.equal(relayAnswer('no-listener').status, 404);
    assert.equal(relayAnswer('no-listener', { 'no-listener': 502 }).status, 502);
  });
});

describe('rejectionFor', () => {
  it('says what failed, with the code at the end', () => {
    assert.deepEqual(rejectionFor('HCM_TARGET_REFUSED', 'db.corp:5432 ECONNREFUSED'), {
      status: 502,
      description: 'Target refused: db.corp:5432 ECONNREFUSED (HCM_TARGET_REFUSED)',
    });
    assert.equal(rejectionFor('HCM_TARGET_TIMEOUT', 'x').status, 504);
    assert.equal(rejectionFor('HCM_LISTENER_BUSY', '').description, 'Listener busy (HCM_LISTENER_BUSY)');
  });

  it("keeps its code to itself when it is none of the sender's business", () => {
    assert.match(rejectionFor('HCM_STATE_CORRUPT', 'disk').description, /\(HCM_REJECTED\)$/);
  });

  it('reads back at the sender, also with a long or hostile detail', () => {
    for (const code of ERROR_CODES.filter((known) => /^HCM_(TARGET_(?!INVALID)|LISTENER_BUSY)/.test(known))) {
      for (const detail of ['db:1', 'x'.repeat(9000), 'a\r\nb (HCM_NO_LISTENER)']) {
        const { status, description } = rejectionFor(code, detail);
        assert.equal(codeOf(status, description, 'connect'), code);
        assert.ok(description.length < 300);
      }
    }
    assert.equal(parseRejection('Rejected by user code'), undefined);
    assert.equal(parseRejection('(HCM_NONSENSE)'), undefined);
    assert.deepEqual(parseRejection('Target refused: x (HCM_TARGET_REFUSED)'), {
      code: 'HCM_TARGET_REFUSED',
      text: 'Target refused: x',
    });
  });
});
