import assert from 'node:assert/strict';
import { formatRoute, parseRoute } from '../../../dashboard/src/model/route.ts';

describe('the address of a view of the page', () => {
  it('is read as it was written, whatever the id holds', () => {
    for (const id of ['listen my-relay/db', 'forward ns/a/b 2', 'listen ns/100%']) {
      assert.deepEqual(parseRoute(formatRoute({ view: 'connection', id })), { view: 'connection', id });
    }
    assert.deepEqual(parseRoute(formatRoute({ view: 'log' })), { view: 'log' });
  });

  it('is the list for anything unknown', () => {
    for (const hash of ['', '#', '#/', '#/nothing', '#/connection', '#/connection/%zz'])
      assert.deepEqual(parseRoute(hash), { view: 'connections' }, hash);
  });
});
