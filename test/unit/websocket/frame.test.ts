import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  HEADER_MAX_BYTES,
  headerBytes,
  isSendableCloseCode,
  writeHeader,
} from '../../../src/websocket/frame.ts';
import { parse } from '../../helpers/frame-collector.ts';
import { rawFrame } from '../../helpers/frames.ts';

const EDGES = [0, 1, 125, 126, 127, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40];

describe('writeHeader', () => {
  const lengths = fc.oneof(fc.constantFrom(...EDGES), fc.nat(70_000), fc.maxSafeNat());
  const masks = fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined });

  it('writes the bytes of the RFC, as many as headerBytes says, behind the offset', () => {
    fc.assert(
      fc.property(
        lengths,
        masks,
        fc.boolean(),
        fc.constantFrom(0, 1, 2, 8, 9, 10),
        (length, key, fin, opcode) => {
          const mask = key && Buffer.from(key);
          const out = Buffer.alloc(3 + HEADER_MAX_BYTES, 0xee);
          const end = writeHeader(out, 3, { opcode, fin, payloadBytes: length, mask });
          assert.equal(end - 3, headerBytes(length, mask !== undefined));
          const expected = rawFrame({ opcode, fin, mask, announcedBytes: BigInt(length) });
          assert.deepEqual(out.subarray(3, end), expected);
          assert.ok(
            out.subarray(0, 3).every((byte) => byte === 0xee) &&
              out.subarray(end).every((byte) => byte === 0xee),
          );
        },
      ),
    );
  });

  it('is read back by the parser', () => {
    for (const payloadBytes of [0, 1, 125, 126, 65535, 65536]) {
      for (const mask of [undefined, Buffer.alloc(4)]) {
        const out = Buffer.alloc(HEADER_MAX_BYTES + payloadBytes);
        const end = writeHeader(out, 0, { opcode: 2, fin: true, payloadBytes, mask });
        const { events, error } = parse([out.subarray(0, end + payloadBytes)], { expectMasked: !!mask });
        assert.equal(error, undefined);
        assert.equal(events[0]?.hex.length, 2 * payloadBytes);
      }
    }
  });
});

describe('isSendableCloseCode', () => {
  it('follows RFC 6455 section 7.4 and the registry', () => {
    const sendable = Array.from({ length: 5100 }, (_, code) => code).filter(isSendableCloseCode);
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
    assert.deepEqual(sendable, [...range(1000, 1003), ...range(1007, 1014), ...range(3000, 4999)]);
  });
});
