import assert from 'node:assert/strict';
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import { readinessOf } from '../../../src/manager/readiness.ts';

const AT = '2026-01-01T00:00:00.000Z';

function view(
  id: string,
  state: ConnectionView['state'],
  more: Partial<ConnectionView> = {},
): ConnectionView {
  const counts = { openStreams: 0, opened: 0, refused: 0, bytesIn: 0, bytesOut: 0, reconnects: 0 };
  const names = { role: 'listener', connection: 'my-relay/db', source: 'file' } as const;
  return { id, state, since: AT, binds: [], ...names, ...counts, ...more };
}

describe('readiness', () => {
  const RUNS = { stopping: false, unread: false };

  it('is there when every wanted connection is registered or bound, and when none is wanted', () => {
    assert.deepEqual(readinessOf([], RUNS), { ready: true, waitingFor: [] });
    const up = [view('a', 'online'), view('b', 'degraded')];
    assert.deepEqual(readinessOf(up, RUNS), { ready: true, waitingFor: [] });
  });

  for (const state of ['connecting', 'target-down', 'waiting', 'failed', 'stopped'] as const) {
    it(`is not there while one is ${state}, and says which and why, with no text of anybody`, () => {
      const reason = { code: 'HCM_CONNECT_REFUSED', message: 'db.corp.local:5432 says no' } as const;
      assert.deepEqual(readinessOf([view('a', 'online'), view('b', state, { reason })], RUNS), {
        ready: false,
        waitingFor: [{ id: 'b', state, code: 'HCM_CONNECT_REFUSED' }],
      });
    });
  }

  it('is over when the manager stops, and not there before it knows what is wanted', () => {
    assert.deepEqual(readinessOf([], { ...RUNS, stopping: true }), {
      ready: false,
      stopping: true,
      waitingFor: [],
    });
    assert.deepEqual(readinessOf([], { ...RUNS, unread: true }), {
      ready: false,
      unread: true,
      waitingFor: [],
    });
  });
});
