import assert from 'node:assert/strict';
import { withNotice, type Notice } from '../../../dashboard/src/model/notices.ts';

const good = (key: number): Notice => ({ key, tone: 'good', text: `${key} is removed` });
const bad = (key: number): Notice => ({ key, tone: 'bad', text: `${key} could not be removed` });
const keysOf = (...notices: Notice[]) => {
  let shown: readonly Notice[] = [];
  for (const notice of notices) shown = withNotice(shown, notice);
  return shown.map(({ key }) => key);
};

describe('the notices of the page', () => {
  it('are four at most, the newest last', () => {
    assert.deepEqual(keysOf(good(1), good(2)), [1, 2]);
    assert.deepEqual(keysOf(good(1), good(2), good(3), good(4), good(5)), [2, 3, 4, 5]);
  });

  it('let go of good news before errors', () => {
    assert.deepEqual(keysOf(bad(1), good(2), bad(3), good(4), good(5), good(6)), [1, 3, 5, 6]);
    assert.deepEqual(keysOf(bad(1), good(2), bad(3), bad(4), bad(5)), [1, 3, 4, 5]);
  });

  it('let go of the oldest error only where there are but errors', () => {
    assert.deepEqual(keysOf(bad(1), bad(2), bad(3), bad(4), good(5)), [2, 3, 4, 5]);
  });
});
