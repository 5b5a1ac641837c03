import assert from 'node:assert/strict';
import { ConnectionCell } from '../../../dashboard/src/state/connection-cell.ts';
import type { ConnectionView } from '../../../src/manager/control/operations.ts';

const REFUSED = {
  state: 'degraded',
  since: '2026-01-02T03:04:05.678Z',
  reason: { code: 'HCM_TARGET_NOT_ALLOWED', message: 'another target' },
  unconfirmedTarget: 'db2:5432',
} as ConnectionView;
const told = { state: 'online', since: '2026-01-02T03:05:05.678Z', reason: undefined } as const;

describe('what the page knows of a connection', () => {
  it('has nothing of the state before when another is told, whatever an older answer says', () => {
    const cell = new ConnectionCell(REFUSED);
    const shown = () => {
      const { state, reason, unconfirmedTarget } = cell.view.get();
      return [state, reason, unconfirmedTarget];
    };
    cell.become(told, 7);
    assert.deepEqual(shown(), ['online', undefined, undefined]);
    cell.update(REFUSED, { atMs: 0, knows: 6 });
    assert.deepEqual(shown(), ['online', undefined, undefined]);
    cell.update(REFUSED, { atMs: 0, knows: 7 });
    assert.deepEqual(shown(), ['degraded', REFUSED.reason, 'db2:5432']);
  });
});
