import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeClose, truncateCloseReason } from '../../../src/protocol/close-reasons.ts';

describe('describeClose', () => {
  const table: [code: number, reason: string, expected: string | undefined, retryable: boolean][] = [
    [1000, 'Normal Closure', undefined, true],
    [1005, '', undefined, true],
    [1001, 'The entity was deleted', 'HCM_ENTITY_NOT_FOUND', true],
    [1002, '', 'HCM_WEBSOCKET_PROTOCOL', false],
    [1006, '', 'HCM_CONNECTION_LOST', true],
    [1008, '', 'HCM_TOKEN_EXPIRED', true],
    [1008, 'ExpiredToken: The token is expired', 'HCM_TOKEN_EXPIRED', true],
    [1008, 'InvalidSignature: The token has an invalid signature.', 'HCM_TOKEN_SIGNATURE', false],
    [1008, 'InvalidAudience: x', 'HCM_TOKEN_AUDIENCE', false],
    [1009, '', 'HCM_WEBSOCKET_PROTOCOL', false],
    [1011, 'InternalServerError', 'HCM_RELAY_FAULT', true],
    [1012, '', 'HCM_RELAY_BUSY', true],
    [1013, '', 'HCM_RELAY_BUSY', true],
    [4999, 'x', 'HCM_CONNECTION_LOST', true],
  ];
  for (const [code, reason, expected, retryable] of table) {
    it(`reads ${code} "${reason}" as ${expected ?? 'no failure'}`, () => {
      const described = describeClose(code, reason);
      assert.equal(described.code, expected);
      assert.equal(described.retryable, retryable);
      assert.ok(described.text.endsWith(reason));
    });
  }

  it('knows the daily recycling from a fault', () => {
    const described = describeClose(1011, 'InternalServerError: NameRenewalFailed. TrackingId:1');
    assert.match(described.text, /once a day/);
    assert.ok(described.retryable);
    assert.doesNotMatch(describeClose(1011, 'InternalServerError').text, /once a day/);
  });

  it('keeps line breaks and secrets of the peer out of the text', () => {
    const { text } = describeClose(1008, 'a\r\nb SharedAccessKey=SECRET');
    assert.ok(!/[\r\n]|SECRET/.test(text), text);
  });
});

describe('truncateCloseReason', () => {
  it('keeps what fits and cuts before the character that does not', () => {
    assert.equal(truncateCloseReason('a'.repeat(123)), 'a'.repeat(123));
    assert.equal(truncateCloseReason('a'.repeat(124)), 'a'.repeat(123));
    assert.equal(truncateCloseReason(`${'a'.repeat(122)}é`), 'a'.repeat(122));
    assert.equal(truncateCloseReason(`${'a'.repeat(120)}😀`), 'a'.repeat(120));
    assert.equal(truncateCloseReason(`${'a'.repeat(119)}😀b`), `${'a'.repeat(119)}😀`);
  });

  it('gives at most 123 bytes, a beginning of the text, and no more than one character less', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const cut = truncateCloseReason(text);
        assert.ok(text.startsWith(cut));
        const length = Buffer.byteLength(cut);
        assert.ok(length <= 123);
        assert.ok(cut === text || length >= 120);
      }),
    );
  });
});
