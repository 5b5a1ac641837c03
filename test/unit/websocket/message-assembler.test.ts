import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MessageAssembler } from '../../../src/websocket/message-assembler.ts';
import { cut } from '../../helpers/frames.ts';

const TEXT = 1;
const BINARY = 2;

function addAll(assembler: MessageAssembler, parts: readonly Buffer[], opcode: 1 | 2) {
  return parts.map((part, at) => assembler.add(part, opcode, at === parts.length - 1));
}

describe('MessageAssembler', () => {
  it('gives text back whole, cut inside its characters as often as you like', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(50)), (text, offsets) => {
        const parts = cut(Buffer.from(text), offsets);
        const messages = addAll(new MessageAssembler(1000), parts, TEXT);
        assert.deepEqual(messages.pop(), { kind: 'text', text: Buffer.from(text).toString() });
        assert.ok(messages.every((message) => message === undefined));
      }),
    );
  });

  it('gives binary back, and one message after another', () => {
    const assembler = new MessageAssembler(4);
    for (const bytes of [[1, 2, 3, 4], [], [255, 254]]) {
      const parts = cut(Buffer.from(bytes), [1, 3]);
      assert.deepEqual(addAll(assembler, parts, BINARY).pop(), { kind: 'binary', bytes: Buffer.from(bytes) });
    }
  });

  it('keeps a byte order mark', () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61]);
    assert.deepEqual(new MessageAssembler(9).add(bytes, TEXT, true), { kind: 'text', text: '\ufeffa' });
  });

  it('copies: the bytes it was given may be used again, and those it gives stay', () => {
    const assembler = new MessageAssembler(10);
    const shared = Buffer.from('ab');
    assembler.add(shared, BINARY, false);
    shared.fill(0);
    const first = assembler.add(Buffer.from('c'), BINARY, true);
    assembler.add(Buffer.from('xyz'), BINARY, true);
    assert.deepEqual(first, { kind: 'binary', bytes: Buffer.from('abc') });
    const single = Buffer.from('one');
    const message = assembler.add(single, BINARY, true);
    single.fill(0);
    assert.deepEqual(message, { kind: 'binary', bytes: Buffer.from('one') });
  });

  it('refuses a message over the limit, in one fragment or many', () => {
    const tooBig = { code: 'WS_MESSAGE_TOO_BIG', closeCode: 1009 };
    assert.throws(() => new MessageAssembler(3).add(Buffer.alloc(4), BINARY, true), tooBig);
    const assembler = new MessageAssembler(3);
    assembler.add(Buffer.alloc(3), BINARY, false);
    assert.throws(() => assembler.add(Buffer.alloc(1), BINARY, false), tooBig);
  });

  it('keeps no memory for empty fragments, and little for tiny ones', () => {
    const assembler = new MessageAssembler(64 * 1024);
    const before = process.memoryUsage();
    const empty = Buffer.alloc(0);
    for (let sent = 0; sent < 200_000; sent += 1) assembler.add(empty, BINARY, false);
    const one = Buffer.alloc(1);
    for (let sent = 0; sent < 64 * 1024; sent += 1) assembler.add(one, BINARY, false);
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(grown < 8 * 1024 * 1024, `grew by ${grown} bytes`);
    assert.equal(assembler.add(empty, BINARY, true)?.kind, 'binary');
  });

  it('refuses text that is not UTF-8', () => {
    for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80, 0x80, 0x80]]) {
      const invalid = { code: 'WS_INVALID_UTF8', closeCode: 1007 };
      const parts = cut(Buffer.from(bytes), [1]);
      assert.throws(() => addAll(new MessageAssembler(9), parts, TEXT), invalid);
      assert.doesNotThrow(() => addAll(new MessageAssembler(9), parts, BINARY));
    }
  });
});
