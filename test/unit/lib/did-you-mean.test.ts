import assert from 'node:assert/strict';
import { editDistance, nearest } from '../../../src/lib/did-you-mean.ts';

describe('did you mean', () => {
  it('counts insertions, deletions, replacements and swaps', () => {
    assert.deepEqual(
      [
        editDistance('listen', 'lisen'),
        editDistance('ab', 'ba'),
        editDistance('a', 'b'),
        editDistance('', 'abc'),
      ],
      [1, 1, 1, 3],
    );
  });

  it('finds a near word, and nothing for a far one', () => {
    const words = ['connect', 'forward', 'listen', 'emulator start'];
    assert.deepEqual(
      ['lsiten', 'foward', 'emu', 'xyzzy'].map((word) => nearest(word, words)),
      ['listen', 'forward', 'emulator start', undefined],
    );
  });
});
