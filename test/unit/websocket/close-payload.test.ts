import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatClose, parseClose } from '../../../src/websocket/close-payload.ts';

describe('The payload of a Close frame', () => {
  it('is empty without a code', () => {
    assert.equal(formatClose(undefined, 'ignored').length, 0);
    assert.deepEqual(parseClose(Buffer.alloc(0)), { code: undefined, reason: '' });
  });

  it('holds the code in network order, then the reason', () => {
    assert.deepEqual(formatClose(1000, 'bye'), Buffer.from([0x03, 0xe8, 0x62, 0x79, 0x65]));
    assert.deepEqual(parseClose(Buffer.from([0x0f, 0xa0])), { code: 4000, reason: '' });
  });

  it('comes back as it was given', () => {
    const codes = fc.constantFrom(1000, 1001, 1003, 1011, 1014, 3000, 4999);
    const reasons = fc.string({ unit: 'grapheme', maxLength: 20 });
    fc.assert(
      fc.property(codes, reasons, (code, reason) => {
        fc.pre(Buffer.byteLength(reason) <= 123);
        assert.deepEqual(parseClose(formatClose(code, reason)), { code, reason });
      }),
    );
  });

  it('cuts a long reason between two characters', () => {
    for (const character of ['a', 'é', '€', '😀']) {
      for (const lead of ['', 'x', 'xx']) {
        const payload = formatClose(1000, lead + character.repeat(130));
        const { reason } = parseClose(payload);
        const size = Buffer.byteLength(character);
        assert.equal(reason, lead + character.repeat(Math.floor((123 - lead.length) / size)));
      }
    }
  });

  it('refuses codes that must not stand in a frame, and half a code', () => {
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]) {
      const payload = Buffer.from([code >> 8, code & 0xff]);
      assert.throws(() => parseClose(payload), { code: 'WS_CLOSE_INVALID', closeCode: 1002 });
    }
    assert.throws(() => parseClose(Buffer.from([3])), { code: 'WS_CLOSE_INVALID', closeCode: 1002 });
  });

  it('refuses a reason that is not UTF-8', () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const payload = Buffer.from([0x03, 0xe8, ...bytes]);
      assert.throws(() => parseClose(payload), { code: 'WS_INVALID_UTF8', closeCode: 1007 });
    }
  });
});
