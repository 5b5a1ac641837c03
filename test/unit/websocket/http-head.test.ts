import assert from 'node:assert/strict';
import {
  HEAD_MAX_BYTES,
  formatHead,
  headerList,
  headerValues,
  parseHead,
} from '../../../src/websocket/http-head.ts';

const INVALID = { code: 'WS_HANDSHAKE_INVALID' };
const head = (text: string) => parseHead(Buffer.from(text, 'latin1'));

describe('parseHead', () => {
  it('gives the start line, the headers as spelt, and where the head ends', () => {
    assert.deepEqual(head('GET / HTTP/1.1\r\nHost: a\r\nX-y:\t b c \t\r\nEmpty:\r\n\r\nrest'), {
      startLine: 'GET / HTTP/1.1',
      rawHeaders: ['Host', 'a', 'X-y', 'b c', 'Empty', ''],
      bytes: 48,
    });
  });

  it('waits for the blank line', () => {
    const text = 'HTTP/1.1 101 x\r\nA: b\r\n\r\n';
    for (let length = 0; length < text.length; length += 1)
      assert.equal(head(text.slice(0, length)), undefined);
    assert.equal(head(text)?.bytes, text.length);
  });

  it('keeps bytes above 127 as latin1', () => {
    assert.deepEqual(head('X\r\nA: \xe4\r\n\r\n')?.rawHeaders, ['A', '\xe4']);
  });

  const malformed = {
    'a folded line': 'A: b\r\n c',
    'a line without a colon': 'abc',
    'an empty name': ': b',
    'a space before the colon': 'A : b',
    'a name with a space': 'A b: c',
    'a bare line feed': 'A: b\nC: d',
    'a bare carriage return': 'A: b\rC: d',
    'a null byte': 'A: b\0',
    'a control byte': 'A: \x01',
  };
  for (const [name, line] of Object.entries(malformed)) {
    it(`refuses ${name}`, () => assert.throws(() => head(`GET / HTTP/1.1\r\n${line}\r\n\r\n`), INVALID));
  }

  it('refuses a head over the limit, finished or not, and takes one at it', () => {
    const start = 'GET / HTTP/1.1\r\nA: ';
    const fill = (bytes: number) => start + 'x'.repeat(bytes - start.length);
    assert.equal(head(`${fill(HEAD_MAX_BYTES)}\r\n\r\n`)?.bytes, HEAD_MAX_BYTES + 4);
    assert.throws(() => head(`${fill(HEAD_MAX_BYTES + 1)}\r\n\r\n`), INVALID);
    assert.throws(() => head(fill(HEAD_MAX_BYTES + 5)), INVALID);
  });
});

describe('Headers', () => {
  const headers = ['Via', 'a', 'VIA', 'b, c', 'x', '1', 'via', ' ,'];

  it('are found without case, all of them, in order', () => {
    assert.deepEqual(headerValues(headers, 'via'), ['a', 'b, c', ' ,']);
    assert.deepEqual(headerValues(headers, 'missing'), []);
  });

  it('are lists over all their lines', () => {
    assert.deepEqual(headerList(headers, 'Via'), ['a', 'b', 'c']);
  });
});

describe('formatHead', () => {
  it('writes what parseHead reads', () => {
    const text = formatHead('GET /?a=b HTTP/1.1', ['Host', 'h:1', 'A', '']);
    assert.equal(text, 'GET /?a=b HTTP/1.1\r\nHost: h:1\r\nA: \r\n\r\n');
    assert.deepEqual(head(text)?.rawHeaders, ['Host', 'h:1', 'A', '']);
  });

  it('refuses what could break out of its line', () => {
    assert.throws(() => formatHead('GET /\r\nA: b HTTP/1.1', []), INVALID);
    assert.throws(() => formatHead('GET / HTTP/1.1', ['A', 'b\r\nC: d']), INVALID);
    assert.throws(() => formatHead('GET / HTTP/1.1', ['A: b\r\nC', 'd']), INVALID);
    assert.throws(() => formatHead('GET / HTTP/1.1', ['A', 'wide \u0100']), INVALID);
    assert.throws(() => formatHead('GET / HTTP/1.1', ['', 'b']), INVALID);
  });
});
