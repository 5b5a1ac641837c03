// One supervised connection, with tunnels that are opened, broken and ended by hand and targets that are there or not.
import assert from 'node:assert/strict';
import type { ConnectionState } from '../../../src/manager/connection-record.ts';
import { ManagedConnection } from '../../../src/manager/managed-connection.ts';
import type { ConnectionSpec } from '../../../src/manager/tunnel.ts';
import type { TunnelEventBody } from '../../../src/tunnel/events.ts';
import { METADATA_POLL_MS } from '../../../src/tunnel/metadata-watch.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeTargets, FakeTunnels, checkedSpec, failure, specOf } from '../../helpers/fake-tunnels.ts';

const DB = 'listen my-relay/db';
const SQL = 'forward my-relay/sql';
const HOUR_MS = 3_600_000;

describe('a supervised connection', () => {
  let clock: FakeClock;
  let tunnels: FakeTunnels;
  let targets: FakeTargets;
  let states: ConnectionState['name'][];
  let connection: ManagedConnection;

  beforeEach(() => {
    clock = new FakeClock();
    tunnels = new FakeTunnels();
    targets = new FakeTargets();
    states = [];
  });

  afterEach(() => connection.stop(0));

  async function start(spec: ConnectionSpec): Promise<void> {
    connection = new ManagedConnection(spec, {
      clock,
      random: () => 0,
      open: tunnels.open,
      targets,
      onEvent: () => undefined,
      onState: ({ name }) => states.push(name),
    });
    connection.start();
    await settle();
  }

  const settle = () => clock.advanceAsync(0);
  const state = () => connection.record.state;
  const reason = () => {
    const now = state();
    return 'reason' in now ? now.reason.code : undefined;
  };
  const emit = (body: TunnelEventBody) => tunnels.last.emit(body);
  const refused = (target = 'db:5432') => failure('HCM_TARGET_REFUSED', `${target} refused the connection`);

  describe('whose target is checked', () => {
    it('does not listen while it is down, says so and when it asks again, and comes back by itself', async () => {
      targets.down = refused();
      await start(checkedSpec(DB, 'db:5432'));
      assert.deepEqual([tunnels.attempts, state().name, reason()], [0, 'target-down', 'HCM_TARGET_REFUSED']);
      assert.equal(connection.nextCheckAtMs, clock.nowMs() + 1_000);
      targets.down = undefined;
      await clock.advanceAsync(1_000);
      assert.equal(tunnels.opened.length, 1);
      emit({ event: 'online', target: 'db:5432' });
      assert.equal(state().name, 'online');
    });

    it('leaves after two checks that fail, and lets its streams go on', async () => {
      await start(checkedSpec(DB, 'db:5432'));
      tunnels.holdsStreams = true;
      emit({ event: 'online', target: 'db:5432' });
      targets.down = refused();
      await clock.advanceAsync(10_000);
      assert.equal(state().name, 'online', 'one failure may be chance');
      await clock.advanceAsync(1_000);
      assert.equal(state().name, 'target-down');
      assert.deepEqual(tunnels.last.stops, [HOUR_MS]);
      assert.deepEqual(states, ['online', 'target-down']);
      emit({ event: 'closed', stream: 's1', bytesIn: 3, bytesOut: 4 });
      assert.equal(connection.record.totals.bytesIn, 3, 'what its streams carry counts');
    });

    it('is asked at once when a stream finds it down', async () => {
      await start(checkedSpec(DB, 'db:5432'));
      emit({ event: 'online', target: 'db:5432' });
      targets.down = refused();
      emit({ event: 'rejected', stream: 's1', target: 'db:5432', error: refused() });
      assert.equal(state().name, 'degraded');
      await clock.advanceAsync(1_000);
      assert.equal(state().name, 'target-down');
    });

    it('says why it is down now, not why it was first', async () => {
      targets.down = refused();
      await start(checkedSpec(DB, 'db:5432'));
      targets.down = failure('HCM_TARGET_TIMEOUT', 'db:5432 did not answer');
      await clock.advanceAsync(1_000);
      assert.equal(reason(), 'HCM_TARGET_TIMEOUT');
    });

    it('is stopped while it is held back, at once and with nothing left', async () => {
      targets.down = refused();
      await start(checkedSpec(DB, 'db:5432'));
      await connection.stop(10_000);
      assert.deepEqual([state().name, clock.timers, tunnels.attempts], ['stopped', 0, 0]);
    });

    it('is stopped before its target has answered for the first time', async () => {
      targets.probe = () => new Promise(() => undefined);
      await start(checkedSpec(DB, 'db:5432'));
      await connection.stop(0);
      assert.deepEqual([state().name, clock.timers, tunnels.attempts], ['stopped', 0, 0]);
    });

    it('does not wait an hour for its streams when it is stopped just as it leaves', async () => {
      tunnels.holdsStreams = true;
      for (let ticks = 0; ticks < 12; ticks += 1) {
        await start(checkedSpec(DB, 'db:5432'));
        targets.down = refused();
        await clock.advanceAsync(10_000);
        clock.advance(1_000);
        for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
        const stopping = connection.stop(500);
        tunnels.last.drained();
        await stopping;
        assert.equal(tunnels.last.stops.at(-1), 500, `after ${ticks} ticks`);
        targets.down = undefined;
      }
    });

    it('asks Azure first where it was told no target, and asks that target', async () => {
      targets.named = 'db:5432';
      targets.down = refused();
      await start(checkedSpec(DB));
      assert.deepEqual(targets.asked, ['read', 'probe db:5432']);
      assert.deepEqual([state().name, connection.record.target], ['target-down', 'db:5432']);
    });

    it('listens where Azure cannot be asked: the tunnel says what is wrong with that', async () => {
      await start(checkedSpec(DB));
      assert.equal(tunnels.opened.length, 1);
      targets.down = refused();
      emit({ event: 'online', target: 'db:5432' });
      await clock.advanceAsync(1_000);
      assert.equal(state().name, 'target-down', 'asked as soon as it is known');
    });

    it('learns while it is held back that Azure names another target, and follows none that was not confirmed', async () => {
      targets.named = 'db:5432';
      targets.down = refused();
      await start(checkedSpec(DB, undefined, { pinned: { host: 'db', port: 5432 } }));
      assert.equal(state().name, 'target-down');
      targets.named = 'new:5432';
      await clock.advanceAsync(METADATA_POLL_MS);
      assert.equal(connection.record.target, 'new:5432');
      assert.equal(tunnels.opened.length, 1, 'it listens, and the tunnel tells that nothing is forwarded');
      assert.ok(!targets.asked.includes('probe new:5432'), 'it is not asked for anything');
    });

    it('asks Azure at once when it is restarted while it is held back', async () => {
      targets.named = 'db:5432';
      targets.down = refused();
      await start(checkedSpec(DB));
      targets.named = 'new:5432';
      targets.down = undefined;
      connection.restart();
      await settle();
      assert.deepEqual(targets.asked.slice(2), ['read', 'probe new:5432']);
      assert.equal(tunnels.opened.length, 1);
    });
  });

  describe('whose target is not checked', () => {
    it('never asks a target that is well', async () => {
      await start(specOf(DB));
      emit({ event: 'online', target: 'db:5432' });
      emit({ event: 'accepted', stream: 's1', target: 'db:5432', setupMs: 1 });
      await clock.advanceAsync(HOUR_MS);
      assert.deepEqual(targets.asked, []);
    });

    it('asks one that a stream found down until it answers, and is online then', async () => {
      await start(specOf(DB));
      emit({ event: 'online', target: 'db:5432' });
      targets.down = refused();
      emit({ event: 'rejected', stream: 's1', target: 'db:5432', error: refused() });
      assert.equal(state().name, 'degraded');
      await clock.advanceAsync(5_000);
      assert.equal(state().name, 'degraded');
      targets.down = undefined;
      await clock.advanceAsync(1_000);
      assert.equal(state().name, 'online');
      const asked = targets.asked.length;
      await clock.advanceAsync(60_000);
      assert.equal(targets.asked.length, asked);
      assert.equal(clock.timers, 0);
    });

    it('asks none that the listener may not dial, and none for what is wrong on the way', async () => {
      await start(specOf(DB));
      emit({ event: 'online', target: 'db:5432' });
      const error = failure('HCM_TARGET_NOT_ALLOWED', 'db:5432 is not on the allow-list');
      emit({ event: 'rejected', stream: 's1', target: 'db:5432', error });
      emit({ event: 'rejected', stream: 's2', error: failure() });
      await clock.advanceAsync(60_000);
      assert.deepEqual([targets.asked, state().name], [[], 'degraded']);
    });

    it('asks no more once it is not registered, and goes on when it is again', async () => {
      await start(specOf(DB));
      emit({ event: 'online', target: 'db:5432' });
      targets.down = refused();
      emit({ event: 'rejected', stream: 's1', target: 'db:5432', error: refused() });
      emit({ event: 'reconnecting', retryInMs: 1_000, attempt: 1, error: failure() });
      await clock.advanceAsync(60_000);
      assert.deepEqual(targets.asked, []);
      emit({ event: 'online', target: 'db:5432' });
      assert.equal(state().name, 'degraded', 'nobody has said that it is back');
      targets.down = undefined;
      await clock.advanceAsync(1_000);
      assert.equal(state().name, 'online');
    });
  });

  it('shows that Azure names another target, and that it is the confirmed one again', async () => {
    await start(specOf(DB, { pinned: { host: 'db', port: 5432 } }));
    emit({ event: 'online', target: 'db:5432' });
    const error = failure('HCM_TARGET_NOT_ALLOWED', 'Azure names the target x:1 now; db:5432 was confirmed');
    emit({ event: 'target-changed', target: 'x:1', error });
    emit({ event: 'rejected', stream: 's1', target: 'x:1', error });
    assert.deepEqual([state().name, reason(), connection.record.target], ['degraded', error.code, 'x:1']);
    emit({ event: 'target-changed', target: 'db:5432' });
    assert.equal(state().name, 'online');
  });

  it('keeps the first target that was seen over a restart of the relay, and gives it up at its own', async () => {
    await start(specOf(DB));
    emit({ event: 'online', target: 'db:5432' });
    tunnels.last.end(failure());
    await clock.advanceAsync(1_000);
    assert.deepEqual(tunnels.confirmed, [undefined, 'db:5432']);
    connection.restart();
    await settle();
    assert.deepEqual(tunnels.confirmed, [undefined, 'db:5432', undefined]);
  });

  it('takes a new key without opening the tunnel anew', async () => {
    await start(specOf(SQL));
    let renewed = 0;
    tunnels.last.renewKey = () => Promise.resolve(((renewed += 1), true));
    await connection.renewKey();
    await settle();
    assert.deepEqual([renewed, tunnels.opened.length, tunnels.last.stops], [1, 1, []]);
  });

  it('opens the tunnel anew where more than the key has changed, and lets its streams go on', async () => {
    await start(specOf(DB));
    tunnels.last.renewKey = () => Promise.resolve(false);
    await connection.renewKey();
    await settle();
    assert.deepEqual([tunnels.opened.length, tunnels.opened[0]?.stops], [2, [HOUR_MS]]);
  });

  it('goes on with the old key when the new one is no good, and says so to whoever told it', async () => {
    await start(specOf(DB));
    emit({ event: 'online' });
    tunnels.last.renewKey = () => Promise.reject(failure('HCM_CONNECTION_STRING_INVALID', 'no good'));
    await assert.rejects(connection.renewKey(), { code: 'HCM_CONNECTION_STRING_INVALID' });
    assert.deepEqual([state().name, tunnels.last.stops], ['online', []]);
  });

  it('tries a new key at once while it waits', async () => {
    tunnels.failures.push(failure('HCM_FILE_UNREADABLE', 'no file'));
    await start(specOf(DB));
    assert.equal(state().name, 'waiting');
    await connection.renewKey();
    await settle();
    assert.equal(tunnels.opened.length, 1);
  });

  it('does not begin when it is stopped before its predecessor has gone', async () => {
    connection = new ManagedConnection(specOf(SQL), {
      ...{ clock, random: () => 0, open: tunnels.open },
      onEvent: () => undefined,
      onState: () => undefined,
    });
    let leave: () => void = () => undefined;
    connection.start(new Promise<void>((resolve) => (leave = resolve)));
    const stopping = connection.stop(0);
    leave();
    await stopping;
    await settle();
    assert.equal(tunnels.attempts, 0);
  });

  for (const byMs of [HOUR_MS, -HOUR_MS]) {
    it(`does nothing else when the clock is set by ${byMs / HOUR_MS} h`, async () => {
      targets.down = refused();
      tunnels.failures.push(failure());
      await start(specOf(DB));
      clock.jumpWallClock(byMs);
      await clock.advanceAsync(999);
      assert.deepEqual([tunnels.opened.length, state().name], [0, 'waiting']);
      await clock.advanceAsync(1);
      emit({ event: 'online', target: 'db:5432' });
      clock.jumpWallClock(byMs);
      await clock.advanceAsync(HOUR_MS);
      assert.deepEqual([tunnels.opened.length, state().name], [1, 'online']);
      emit({ event: 'rejected', stream: 's1', target: 'db:5432', error: refused() });
      clock.jumpWallClock(-byMs);
      await clock.advanceAsync(3_000);
      assert.equal(targets.asked.length, 3);
    });

    it(`checks its target as before when the clock is set by ${byMs / HOUR_MS} h`, async () => {
      await start(checkedSpec(DB, 'db:5432'));
      emit({ event: 'online', target: 'db:5432' });
      clock.jumpWallClock(byMs);
      await clock.advanceAsync(60_000);
      assert.deepEqual([targets.asked.length, state().name], [7, 'online']);
      assert.equal(connection.nextCheckAtMs, clock.nowMs() + 10_000);
    });
  }
});
