import assert from 'node:assert/strict';
import { reasonPhrase, sanitizeReason, stripGateway, trackingId } from '../../../src/protocol/tracking.ts';

describe('trackingId', () => {
  it('gets one suffix for each gateway and loses all of them again', () => {
    const id = trackingId(trackingId('my_own_id', 17), 30);
    assert.equal(id, 'my_own_id_G17_G30');
    assert.equal(stripGateway(id), 'my_own_id');
    assert.equal(stripGateway('x_G0_f00d'), 'x');
    assert.equal(stripGateway('my_Group'), 'my_Group');
  });
});

describe('reasonPhrase', () => {
  it("has the service's form, with one dot behind the sentence", () => {
    const parts = {
      trackingId: 'a_G1',
      host: 'ns1.example',
      path: 'db',
      now: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    };
    const expected =
      'Endpoint does not exist. TrackingId:a_G1, SystemTracker:sb://ns1.example/db, Timestamp:2026-01-02T03:04:05';
    assert.equal(reasonPhrase({ ...parts, sentence: 'Endpoint does not exist.' }), expected);
    assert.equal(reasonPhrase({ ...parts, sentence: 'Endpoint does not exist' }), expected);
  });

  it('does not let an id or a path end the status line', () => {
    const phrase = reasonPhrase({
      sentence: 'x',
      trackingId: 'a\r\nSet-Cookie: b',
      host: 'h',
      path: 'ü€\u0085',
      now: 0,
    });
    assert.equal(
      phrase,
      'x. TrackingId:a Set-Cookie: b, SystemTracker:sb://h/ü? , Timestamp:1970-01-01T00:00:00',
    );
  });
});

describe('sanitizeReason', () => {
  it('bounds the length and replaces what Latin-1 cannot hold, one mark for each character', () => {
    assert.equal(sanitizeReason('a'.repeat(5000)).length, 1024);
    assert.equal(sanitizeReason(' \t😀é\0\n'), '?é');
  });
});
