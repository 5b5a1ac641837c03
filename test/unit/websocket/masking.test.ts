import assert from 'node:assert/strict';
import fc from 'fast-check';
import { applyMask, loadNativeMask, nextMask, pureMask, type Mask } from '../../../src/websocket/masking.ts';
import { masked } from '../../helpers/frames.ts';

const GUARD = 0xee;
const native = loadNativeMask();

const implementations: [string, Mask][] = [
  ['pure', pureMask],
  ['chosen', applyMask],
  ...(native ? ([['native', native]] as [string, Mask][]) : []),
];

/** Memory at a chosen distance from a word boundary, so that every alignment comes up. */
function at(alignment: number, bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes + 16), alignment, bytes).fill(GUARD);
}

for (const [name, mask] of implementations) {
  describe(`Masking, ${name}`, () => {
    const key = Buffer.from([0x11, 0x82, 0xf3, 0x4c]);

    it('gives the bytes of the RFC for each length from 0 to 200 and each alignment', () => {
      for (let length = 0; length <= 200; length += 1) {
        const payload = Buffer.from(Array.from({ length }, (_, index) => (index * 7) & 0xff));
        const expected = masked(payload, key);
        for (let alignments = 0; alignments < 16; alignments += 1) {
          const source = at(alignments & 3, length);
          payload.copy(source);
          const out = at(alignments >> 2, length + 2);
          mask(source, key, out, 1, length);
          assert.ok(
            out.subarray(1, length + 1).equals(expected),
            `length ${length}, alignments ${alignments}`,
          );
          assert.deepEqual(
            [out[0], out[length + 1]],
            [GUARD, GUARD],
            'nothing is written beside the payload',
          );
          assert.ok(source.equals(payload), 'the source is left alone');
          mask(source, key, source, 0, length);
          assert.ok(source.equals(expected), `in place: length ${length}, alignment ${alignments & 3}`);
        }
      }
    });

    it('gives them for random lengths, alignments, offsets and masks', () => {
      const masks = fc.uint8Array({ minLength: 4, maxLength: 4 });
      const small = fc.nat(9);
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 5000 }),
          masks,
          small,
          small,
          small,
          (payload, bits, a, b, offset) => {
            const source = at(a, payload.length);
            source.set(payload);
            const out = at(b & 7, payload.length + offset);
            mask(source, Buffer.from(bits), out, offset, payload.length);
            assert.ok(out.subarray(offset).equals(masked(payload, bits)));
          },
        ),
      );
    });
  });
}

describe('The native addon', () => {
  it('is in use where it is installed, as it is for these tests', () => {
    assert.ok(native, 'bufferutil is an optional dependency, but the tests want both ways');
  });
});

describe('nextMask', () => {
  it('gives other bytes each time, over more than one filling of its pool', () => {
    const seen = new Set<number>();
    const count = 3 * 2048;
    for (let made = 0; made < count; made += 1) {
      const mask = nextMask();
      assert.equal(mask.length, 4);
      seen.add(mask.readUInt32BE());
    }
    // By chance alone two of 6,144 are equal once in 230 runs.
    assert.ok(seen.size >= count - 2, `${count - seen.size} masks came twice`);
  });
});
