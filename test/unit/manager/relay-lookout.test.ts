import assert from 'node:assert/strict';
import type { ConnectionState } from '../../../src/manager/connection-record.ts';
import { RelayLookout, type Waiter } from '../../../src/manager/relay-lookout.ts';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const ONLINE: ConnectionState = { name: 'online', sinceMs: 0 };
const STOPPED: ConnectionState = { name: 'stopped', sinceMs: 0 };

describe('the lookout for a relay', () => {
  let clock: FakeClock;
  let lookout: RelayLookout;
  let chance: number;
  let hurried: string[];

  beforeEach(() => {
    clock = new FakeClock();
    chance = 0.5;
    lookout = new RelayLookout({ clock, random: () => chance });
    hurried = [];
  });

  afterEach(() => {
    lookout.stop();
    assert.equal(clock.timers, 0);
  });

  function waiter(connection: string): Waiter {
    return { spec: { connection }, hurry: () => hurried.push(connection) };
  }

  function waiting(...connections: string[]): Waiter[] {
    return connections.map((connection) => {
      const one = waiter(connection);
      loses(one);
      return one;
    });
  }

  function loses(one: Waiter, code: ErrorCode = 'HCM_CONNECTION_LOST'): void {
    lookout.onState(one, {
      name: 'waiting',
      sinceMs: 0,
      reason: { code, message: '' },
      retryAtMs: clock.nowMs() + 30_000,
    });
  }

  it('calls all who wait once one has got through and stays', () => {
    const [first, ...others] = waiting('a/1', 'a/2', 'a/3');
    lookout.onState(first!, ONLINE);
    clock.advance(499);
    assert.deepEqual(hurried, []);
    clock.advance(501);
    assert.deepEqual(hurried, ['a/2', 'a/3']);
    assert.equal(others.length, 2);
  });

  it('does not call when the relay hangs up again', () => {
    const [first] = waiting('a/1', 'a/2');
    lookout.onState(first!, ONLINE);
    loses(first!);
    clock.advance(1_500);
    assert.deepEqual(hurried, []);
  });

  it('calls nobody of another relay, and nobody who waits for something else', () => {
    const [first] = waiting('a/1', 'b/1');
    loses(waiter('a/2'), 'HCM_TOKEN_SIGNATURE');
    lookout.onState(first!, ONLINE);
    clock.advance(60_000);
    assert.deepEqual(hurried, []);
  });

  it('knows a relay by its short and by its whole name', () => {
    const [first] = waiting('a/1', 'A.servicebus.windows.net/2');
    lookout.onState(first!, ONLINE);
    clock.advance(2_000);
    assert.deepEqual(hurried, ['A.servicebus.windows.net/2']);
  });

  it('does not call one that tries by itself already, or has gone', () => {
    const [first, second, third] = waiting('a/1', 'a/2', 'a/3');
    lookout.onState(first!, ONLINE);
    clock.advance(600);
    lookout.onState(second!, { name: 'connecting', sinceMs: 0 });
    lookout.onState(third!, STOPPED);
    clock.advance(5_000);
    assert.deepEqual(hurried, []);
  });

  it('calls again who failed while the others came back, and pauses in between', () => {
    const [first, second] = waiting('a/1', 'a/2');
    lookout.onState(first!, ONLINE);
    clock.advance(1_000);
    lookout.onState(second!, { name: 'connecting', sinceMs: 0 });
    loses(second!, 'HCM_CONNECT_TIMEOUT');
    clock.advance(2_400);
    assert.deepEqual(hurried, ['a/2']);
    clock.advance(1_000);
    assert.deepEqual(hurried, ['a/2', 'a/2']);
  });

  it('leaves one that fails long after the return to itself', () => {
    const [first, second] = waiting('a/1', 'a/2');
    lookout.onState(first!, ONLINE);
    lookout.onState(second!, ONLINE);
    clock.advance(30_000);
    loses(second!);
    clock.advance(60_000);
    assert.deepEqual(hurried, []);
  });

  it('lets one look for all while nobody is registered: of many each 2 s, of few more seldom', () => {
    waiting(...Array.from({ length: 50 }, (_, at) => `a/${at}`));
    waiting('b/1', 'b/2');
    clock.advance(10_000);
    assert.equal(hurried.length, 5);
    clock.advance(20_000);
    assert.equal(hurried.filter((name) => name.startsWith('b')).length, 2);
  });

  it('does not let one alone look more often than it does by itself', () => {
    waiting('a/1');
    clock.advance(120_000);
    assert.deepEqual(hurried, []);
  });

  it('comes back with many at a rate that a relay can bear', () => {
    const [first] = waiting(...Array.from({ length: 501 }, (_, at) => `a/${at}`));
    let turn = 0;
    lookout.stop();
    lookout = new RelayLookout({ clock, random: () => (turn++ % 500) / 500 });
    waiting(...Array.from({ length: 500 }, (_, at) => `a/${at}`));
    lookout.onState(first!, ONLINE);
    clock.advance(500 + 5_000);
    assert.ok(hurried.length > 240 && hurried.length < 260, String(hurried.length));
  });
});
