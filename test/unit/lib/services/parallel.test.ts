import assert from 'node:assert/strict';
import { mapAtMost } from '../../../../src/lib/services/parallel.ts';

describe('many calls, a few at a time', () => {
  it('keeps the order of the items, whichever ends first', async () => {
    const ends: (() => void)[] = [];
    const all = mapAtMost(2, ['a', 'b', 'c'], async (item) => {
      await new Promise<void>((resolve) => ends.push(resolve));
      return item.toUpperCase();
    });
    assert.equal(ends.length, 2);
    ends[1]?.();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ends.length, 3);
    for (const end of ends) end();
    assert.deepEqual(await all, ['A', 'B', 'C']);
  });

  it('starts no new one after a failure, and rejects with it', async () => {
    const started: number[] = [];
    const failing = mapAtMost(1, [1, 2, 3], (item) => {
      started.push(item);
      return Promise.reject(new Error(`no ${item}`));
    });
    await assert.rejects(failing, /no 1/);
    assert.deepEqual(started, [1]);
  });

  it('no items are no calls', async () => {
    assert.deepEqual(await mapAtMost(3, [], () => Promise.reject(new Error('called'))), []);
  });
});
