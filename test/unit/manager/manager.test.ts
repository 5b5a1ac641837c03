import assert from 'node:assert/strict';
import type { ConnectionState } from '../../../src/manager/connection-record.ts';
import { Manager } from '../../../src/manager/manager.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import {
  checkedSpec,
  FakeTargets,
  FakeTunnels,
  failure,
  reasonOf,
  specOf,
} from '../../helpers/fake-tunnels.ts';

const DB = 'listen my-relay/db';
const WEB = 'listen my-relay/web';
const SQL = 'forward my-relay/sql';

describe('the manager', () => {
  let clock: FakeClock;
  let tunnels: FakeTunnels;
  let targets: FakeTargets;
  let states: [string, ConnectionState['name']][];
  let manager: Manager;

  beforeEach(() => {
    clock = new FakeClock();
    tunnels = new FakeTunnels();
    targets = new FakeTargets();
    states = [];
    manager = new Manager({
      clock,
      random: () => 0,
      open: tunnels.open,
      targets,
      graceMs: 10_000,
      listener: { onState: (id, state) => states.push([id, state.name]), onEvent: () => undefined },
    });
  });

  afterEach(() => manager.stop(0));

  const settle = () => clock.advanceAsync(0);
  const stateOf = (id: string) => manager.get(id)?.record.state;

  it('starts what is wanted, and knows a forward online when it is bound', async () => {
    assert.deepEqual(manager.follow([specOf(DB), specOf(SQL)]), {
      started: [DB, SQL],
      reopened: [],
      stopped: [],
    });
    await settle();
    assert.equal(tunnels.opened.length, 2);
    assert.equal(stateOf(SQL)?.name, 'online');
    assert.equal(stateOf(DB)?.name, 'connecting');
  });

  it('touches only what has changed', async () => {
    manager.follow([specOf(DB), specOf(WEB), specOf(SQL)]);
    await settle();
    const changes = manager.follow([specOf(DB), specOf(WEB, { fingerprint: 'two' })]);
    await settle();
    assert.deepEqual(changes, { started: [], reopened: [WEB], stopped: [SQL] });
    assert.deepEqual(tunnels.of(DB)[0]?.stops, []);
    assert.equal(tunnels.of(DB).length, 1);
    assert.deepEqual(tunnels.of(WEB)[0]?.stops, [10_000]);
    assert.equal(tunnels.of(WEB).length, 2);
    assert.deepEqual(tunnels.of(SQL)[0]?.stops, [10_000]);
    assert.equal(manager.get(SQL), undefined);
  });

  it('opens a changed listener before the streams of the old one are over, and a changed port after', async () => {
    tunnels.holdsStreams = true;
    manager.follow([specOf(DB), specOf(SQL)]);
    await settle();
    manager.follow([specOf(DB, { fingerprint: 'two' }), specOf(SQL, { fingerprint: 'two' })]);
    await settle();
    assert.equal(tunnels.of(DB).length, 2);
    assert.equal(tunnels.of(SQL).length, 1);
    tunnels.of(SQL)[0]?.drained();
    await settle();
    assert.equal(tunnels.of(SQL).length, 2);
  });

  it('tries again what cannot be opened, says when, and leaves the others alone', async () => {
    tunnels.failures.push(failure('HCM_PORT_IN_USE', '127.0.0.1:1433 is in use already'));
    manager.follow([specOf(SQL), specOf(DB)]);
    await settle();
    assert.deepEqual(stateOf(SQL), {
      name: 'waiting',
      reason: reasonOf('HCM_PORT_IN_USE', '127.0.0.1:1433 is in use already'),
      retryAtMs: clock.nowMs() + 1_000,
      sinceMs: clock.nowMs(),
    });
    assert.equal(tunnels.of(DB).length, 1);
    await clock.advanceAsync(1_000);
    assert.equal(stateOf(SQL)?.name, 'online');
  });

  it('tells listeners that wait for their relay that it is back, and ports nothing', async () => {
    manager.follow([specOf(DB), specOf(WEB), specOf(SQL)]);
    await settle();
    const [db, web, sql] = [DB, WEB, SQL].map((id) => tunnels.of(id)[0]!);
    for (const lost of [db, web])
      lost?.emit({ event: 'reconnecting', retryInMs: 30_000, attempt: 9, error: failure() });
    db?.emit({ event: 'online' });
    await clock.advanceAsync(2_000);
    assert.deepEqual([db?.hurried, web?.hurried, sql?.hurried], [0, 1, 0]);
  });

  it('opens a tunnel again that ended by itself', async () => {
    manager.follow([specOf(DB)]);
    await settle();
    tunnels.last.end(failure());
    await settle();
    assert.equal(stateOf(DB)?.name, 'waiting');
    await clock.advanceAsync(1_000);
    assert.equal(tunnels.of(DB).length, 2);
  });

  it('hears nothing about the state from a tunnel that is only draining', async () => {
    manager.follow([specOf(DB)]);
    await settle();
    const [old] = tunnels.opened;
    manager.get(DB)?.restart();
    await settle();
    tunnels.last.emit({ event: 'online' });
    old?.emit({ event: 'offline' });
    assert.equal(stateOf(DB)?.name, 'online');
  });

  it('restarts at once even while it waits', async () => {
    tunnels.failures.push(failure('HCM_ENTITY_NOT_FOUND', 'gone'));
    manager.follow([specOf(DB)]);
    await settle();
    assert.equal(stateOf(DB)?.name, 'waiting');
    manager.get(DB)?.restart();
    await settle();
    assert.equal(tunnels.opened.length, 1);
  });

  it('drains on stop, cuts on a second stop without grace, and leaves no timer', async () => {
    tunnels.holdsStreams = true;
    manager.follow([checkedSpec(DB, 'db:5432'), specOf(SQL)]);
    await settle();
    let over = false;
    const stopping = manager.stop(10_000).then(() => (over = true));
    await settle();
    assert.equal(over, false);
    assert.deepEqual(tunnels.of(DB)[0]?.stops[0], 10_000);
    for (const tunnel of tunnels.opened) tunnel.drained();
    await stopping;
    assert.equal(clock.timers, 0);
    assert.equal(stateOf(DB)?.name, 'stopped');
  });
});
