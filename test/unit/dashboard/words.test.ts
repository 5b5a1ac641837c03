import assert from 'node:assert/strict';
import type { ConnectionView } from '../../../src/manager/control/operations.ts';
import { logLineOf, wants } from '../../../dashboard/src/model/log-lines.ts';
import { countsOf, passes, sentenceOf, type State } from '../../../dashboard/src/model/states.ts';

const view = (state: State, target = 'db.corp:5432') =>
  ({
    id: 'listen ns/db',
    role: 'listener',
    connection: 'ns/db',
    state,
    target,
    binds: [],
  }) as unknown as ConnectionView;

describe('states in the words of the page', () => {
  it('counts as trouble what is neither online nor on its way', () => {
    const states: State[] = [
      'online',
      'connecting',
      'degraded',
      'waiting',
      'target-down',
      'failed',
      'stopped',
    ];
    assert.deepEqual(countsOf(states), { all: 7, online: 1, trouble: 5 });
  });

  it('finds connections by what is shown of them', () => {
    assert.ok(passes(view('online'), 'all', ' CORP '));
    assert.ok(!passes(view('online'), 'trouble', ''));
    assert.ok(!passes(view('waiting'), 'trouble', 'elsewhere'));
  });

  it('names a few changes, and counts many', () => {
    const changes = (count: number) =>
      new Map(
        Array.from({ length: count }, (_, at) => [
          `${at}`,
          { connection: `ns/${at}`, state: at === 0 ? ('waiting' as const) : ('online' as const) },
        ]),
      );
    assert.equal(sentenceOf(changes(2)), 'ns/0 is waiting. ns/1 is online.');
    assert.equal(sentenceOf(changes(12)), '12 connections changed: 1 waiting, 11 online.');
  });
});

describe('lines of the log in the page', () => {
  const line = logLineOf(1, {
    event: 'rejected',
    time: '2026-01-02T03:04:05.000Z',
    id: 'listen ns/db',
    connection: 'ns.servicebus.windows.net/db',
    stream: 's1',
    error: { code: 'HCM_TARGET_REFUSED', message: 'db.corp:5432 refused' },
  });

  it('say the error by its code, and that it is bad', () => {
    assert.equal(line.about, 'stream=s1 error=HCM_TARGET_REFUSED "db.corp:5432 refused"');
    assert.equal(line.level, 'bad');
  });

  it('are found by connection and by text', () => {
    assert.ok(wants(line, 'listen ns/db', 'REFUSED'));
    assert.ok(!wants(line, 'listen ns/web', ''));
    assert.ok(!wants(line, undefined, 'accepted'));
  });
});
