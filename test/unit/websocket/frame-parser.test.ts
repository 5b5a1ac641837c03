import assert from 'node:assert/strict';
import fc from 'fast-check';
import { joinMessages, parse } from '../../helpers/frame-collector.ts';
import { cut, rawFrame, slices } from '../../helpers/frames.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const HELLO = Buffer.from('Hello').toString('hex');
const fromServer = { expectMasked: false };
const fromClient = { expectMasked: true };
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

describe('FrameParser reads the examples of RFC 6455 section 5.7', () => {
  const whole = (payload: string, opcode: number) => [
    { kind: 'fragment', opcode, first: true, last: true, hex: payload },
  ];

  it('a single-frame unmasked text message', () => {
    assert.deepEqual(parse([hex('81 05 48 65 6c 6c 6f')], fromServer).events, whole(HELLO, 1));
  });

  it('a single-frame masked text message', () => {
    const bytes = hex('81 85 37 fa 21 3d 7f 9f 4d 51 58');
    assert.deepEqual(parse([bytes], fromClient).events, whole(HELLO, 1));
  });

  it('a fragmented unmasked text message', () => {
    assert.deepEqual(parse([hex('01 03 48 65 6c'), hex('80 02 6c 6f')], fromServer).events, [
      { kind: 'fragment', opcode: 1, first: true, last: false, hex: '48656c' },
      { kind: 'fragment', opcode: 1, first: false, last: true, hex: '6c6f' },
    ]);
  });

  it('an unmasked Ping and its masked Pong', () => {
    assert.deepEqual(parse([hex('89 05 48 65 6c 6c 6f')], fromServer).events, [
      { kind: 'control', opcode: 9, hex: HELLO },
    ]);
    assert.deepEqual(parse([hex('8a 85 37 fa 21 3d 7f 9f 4d 51 58')], fromClient).events, [
      { kind: 'control', opcode: 10, hex: HELLO },
    ]);
  });

  it('256 bytes of binary in a frame with a 16-bit length', () => {
    const payload = Buffer.alloc(256, 7);
    const bytes = Buffer.concat([hex('82 7e 01 00'), payload]);
    assert.deepEqual(parse([bytes], fromServer).events, whole(payload.toString('hex'), 2));
  });

  it('64 KiB of binary in a frame with a 64-bit length', () => {
    const payload = Buffer.alloc(65536, 9);
    const bytes = Buffer.concat([hex('82 7f 00 00 00 00 00 01 00 00'), payload]);
    assert.deepEqual(parse([bytes], fromServer).events, whole(payload.toString('hex'), 2));
  });
});

describe('FrameParser', () => {
  it('reads each length field at its bounds, and a length longer than it need be', () => {
    for (const [length, lengthBits] of [
      [0, 7],
      [125, 7],
      [126, 16],
      [65535, 16],
      [65536, 64],
      [5, 16],
      [5, 64],
    ] as const) {
      const payload = Buffer.alloc(length, 0x61);
      const { events, insideMessage } = parse([rawFrame({ opcode: 2, payload, lengthBits })], fromServer);
      assert.deepEqual(joinMessages(events), [`binary ${payload.toString('hex')}`]);
      assert.equal(insideMessage, false);
    }
  });

  it('gives controls between the fragments of a message', () => {
    const bytes = Buffer.concat([
      rawFrame({ opcode: 1, fin: false, payload: 'a' }),
      rawFrame({ opcode: 9, payload: 'p' }),
      rawFrame({ opcode: 0, fin: false, payload: '' }),
      rawFrame({ opcode: 10 }),
      rawFrame({ opcode: 0, payload: 'b' }),
    ]);
    assert.deepEqual(parse([bytes], fromServer).events, [
      { kind: 'fragment', opcode: 1, first: true, last: false, hex: '61' },
      { kind: 'control', opcode: 9, hex: '70' },
      { kind: 'fragment', opcode: 1, first: false, last: false, hex: '' },
      { kind: 'control', opcode: 10, hex: '' },
      { kind: 'fragment', opcode: 1, first: false, last: true, hex: '62' },
    ]);
  });

  it('passes an empty message on', () => {
    for (const bytes of [hex('82 00'), hex('82 80 01 02 03 04')]) {
      const { events } = parse(slices(bytes, 1), { expectMasked: bytes.length > 2 });
      assert.deepEqual(joinMessages(events), ['binary ']);
    }
  });

  it('gives a frame of at most wholeFrameBytes in one piece, wherever the reads end', () => {
    const size = 300;
    const payload = Buffer.from(Array.from({ length: size }, (_, at) => at & 0xff));
    const bytes = rawFrame({ opcode: 2, payload, mask: MASK });
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), fc.boolean(), (offsets, two) => {
        const stream = two ? Buffer.concat([bytes, bytes]) : bytes;
        const { events } = parse(cut(stream, offsets), { ...fromClient, wholeFrameBytes: size });
        assert.deepEqual(
          events.map((event) => event.hex),
          Array<string>(two ? 2 : 1).fill(payload.toString('hex')),
        );
      }),
    );
  });

  it('gives a longer frame as it arrives, and a control always in one piece', () => {
    const data = rawFrame({ opcode: 2, payload: Buffer.alloc(301, 1), mask: MASK });
    const control = rawFrame({ opcode: 9, payload: Buffer.alloc(125, 2), mask: MASK });
    const pieces = [...slices(data, 100), ...slices(control, 50)];
    const { events } = parse(pieces, { ...fromClient, wholeFrameBytes: 0 });
    const bytes = events.map((event) => `${event.kind} ${event.hex.length / 2}`);
    assert.deepEqual(bytes, ['fragment 92', 'fragment 100', 'fragment 100', 'fragment 9', 'control 125']);
  });

  it('keeps the place in the mask over pieces of any length', () => {
    const mask = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const payloads = fc.uint8Array({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(payloads, mask, fc.array(fc.nat(220)), (payload, key, offsets) => {
        const pieces = cut(rawFrame({ opcode: 2, payload, mask: Buffer.from(key) }), offsets);
        // wholeFrameBytes is never under 125, so the payload is repeated to be over it.
        const long = Buffer.concat([payload, Buffer.alloc(126, 5)]);
        const longPieces = cut(rawFrame({ opcode: 2, payload: long, mask: Buffer.from(key) }), offsets);
        for (const [stream, expected] of [
          [pieces, Buffer.from(payload)],
          [longPieces, long],
        ] as const) {
          const { events } = parse(stream, { ...fromClient, wholeFrameBytes: 0 });
          assert.deepEqual(joinMessages(events), [`binary ${expected.toString('hex')}`]);
        }
      }),
    );
  });

  it('allocates nothing for what a header only announces', () => {
    const header = rawFrame({ opcode: 2, mask: MASK, announcedBytes: 2n ** 40n });
    const before = process.memoryUsage().arrayBuffers;
    const { events, error, insideMessage } = parse([header, Buffer.alloc(10)], fromClient);
    assert.equal(error, undefined);
    assert.equal(insideMessage, true);
    assert.equal(events[0]?.hex.length, 20);
    assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  });

  it('discards what follows a Close frame (RFC 6455 section 1.4)', () => {
    const bytes = Buffer.concat([
      rawFrame({ opcode: 8 }),
      rawFrame({ opcode: 2, payload: 'x' }),
      hex('ff ff ff ff'),
    ]);
    for (const size of [1, 2, 100]) {
      const { events, error } = parse(slices(bytes, size), fromServer);
      assert.deepEqual([joinMessages(events), error], [['control 8 '], undefined]);
    }
  });

  it('tells whether the stream ended inside a message', () => {
    const inside = (text: string) => parse([hex(text)], fromServer).insideMessage;
    assert.equal(inside('82'), true);
    assert.equal(inside('82 02 00'), true);
    assert.equal(inside('02 01 00'), true);
    assert.equal(inside('82 01 00'), false);
    assert.equal(inside('89 00'), false);
  });
});
