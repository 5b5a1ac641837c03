// Whatever happens to a supervised connection, in whatever order: one tunnel at a time, a state that is true, nothing left.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ManagedConnection } from '../../../src/manager/managed-connection.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeTargets, FakeTunnels, checkedSpec, failure, specOf } from '../../helpers/fake-tunnels.ts';

const DOWN = failure('HCM_TARGET_REFUSED', 'db:5432 refused the connection');
const TARGET = 'db:5432';

class World {
  readonly clock = new FakeClock();
  readonly tunnels = new FakeTunnels();
  readonly targets = new FakeTargets();
  readonly connection: ManagedConnection;
  isStopped = false;
  stopping: Promise<void> = Promise.resolve();

  constructor(spec: ReturnType<typeof specOf>) {
    this.connection = new ManagedConnection(spec, {
      clock: this.clock,
      random: () => 0.5,
      open: this.tunnels.open,
      targets: this.targets,
      onEvent: () => undefined,
      onState: () => undefined,
    });
    this.connection.start();
  }

  /** Tunnels that nobody has told to stop. */
  get live() {
    return this.tunnels.opened.filter(({ stops }) => stops.length === 0);
  }

  check(): void {
    const { state, downTargets } = this.connection.record;
    const { role } = this.connection.spec;
    const remaining = this.tunnels.opened.filter(({ isGone }) => !isGone);
    assert.ok(this.live.length <= 1, 'two tunnels at a time');
    if (role === 'forward') assert.ok(remaining.length <= 1, 'two tunnels hold a local port');
    assert.equal(state.name === 'stopped', this.isStopped);
    if (state.name === 'online' || state.name === 'degraded') assert.equal(this.live.length, 1, state.name);
    if (state.name === 'target-down') assert.equal(this.live.length, 0);
    if (this.isStopped) assert.deepEqual([this.live.length, downTargets.length], [0, 0]);
  }
}

type Act = (world: World) => unknown;
const acts: Readonly<Record<string, Act>> = {
  'opening fails': ({ tunnels }) => tunnels.failures.push(failure('HCM_PORT_IN_USE')),
  'opening hangs': ({ tunnels }) => (tunnels.holdsOpening = true),
  'opening works': ({ tunnels }) => ((tunnels.holdsOpening = false), tunnels.letOpen()),
  'streams stay': ({ tunnels }) => (tunnels.holdsStreams = true),
  'streams end': ({ tunnels }) => {
    tunnels.holdsStreams = false;
    for (const tunnel of tunnels.opened) tunnel.drained();
  },
  'the tunnel ends': ({ live }) => live[0]?.end(failure()),
  'the tunnel ends without a word': ({ live }) => live[0]?.end(),
  'it is registered': ({ live }) => live[0]?.emit({ event: 'online', target: TARGET }),
  'the relay is lost': ({ live }) =>
    live[0]?.emit({ event: 'reconnecting', retryInMs: 1_000, attempt: 1, error: failure() }),
  'a stream is rejected': ({ live }) =>
    live[0]?.emit({ event: 'rejected', stream: 's', target: TARGET, error: DOWN }),
  'a stream is accepted': ({ live }) =>
    live[0]?.emit({ event: 'accepted', stream: 's', target: TARGET, setupMs: 1 }),
  'an old tunnel speaks': ({ tunnels }) =>
    tunnels.opened.find(({ stops }) => stops.length > 0)?.emit({ event: 'offline' }),
  'the target goes': ({ targets }) => (targets.down = DOWN),
  'the target comes': ({ targets }) => (targets.down = undefined),
  'Azure names it': ({ targets }) => (targets.named = TARGET),
  'the key changes': ({ connection }) => connection.renewKey(),
  restart: ({ connection }) => connection.restart(),
  hurry: ({ connection }) => connection.hurry(),
  'the clock is set': ({ clock }) => clock.jumpWallClock(-3_600_000),
  'a moment': ({ clock }) => clock.advanceAsync(500),
  'a while': ({ clock }) => clock.advanceAsync(15_000),
  stop: (world) => {
    world.isStopped = true;
    world.stopping = world.connection.stop(10_000);
  },
};

const steps = fc.array(
  fc.tuple(fc.constantFrom(...Object.keys(acts).filter((name) => name !== 'stop')), fc.boolean()),
  { minLength: 1, maxLength: 30 },
);

describe('a supervised connection, whatever happens', function () {
  this.timeout(60_000);

  for (const [what, spec] of [
    ['a listener', () => specOf('listen my-relay/db')],
    ['a listener whose target is checked', () => checkedSpec('listen my-relay/db', TARGET)],
    ['a listener that Azure tells its target', () => checkedSpec('listen my-relay/db')],
    ['a forward', () => specOf('forward my-relay/db')],
  ] as const) {
    it(`${what} has one tunnel, shows what is true, and leaves nothing`, () =>
      fc.assert(
        fc.asyncProperty(steps, fc.nat(30), async (names, stopAt) => {
          const world = new World(spec());
          const run = async (name: string, settles: boolean) => {
            await acts[name]?.(world);
            if (settles) await world.clock.advanceAsync(0);
            if (settles) world.check();
          };
          for (const [name, settles] of names.slice(0, stopAt)) await run(name, settles);
          await run('stop', true);
          for (const [name, settles] of names.slice(stopAt)) await run(name, settles);
          await world.connection.stop(0);
          for (const tunnel of world.tunnels.opened) tunnel.drained();
          await world.stopping;
          const { attempts } = world.tunnels;
          assert.equal(world.clock.timers, 0, 'a timer is left');
          assert.ok(
            world.tunnels.opened.every(({ isGone }) => isGone),
            'a tunnel is left',
          );
          await world.clock.advanceAsync(3_600_000);
          assert.equal(world.tunnels.attempts, attempts, 'it was opened after the stop');
          assert.equal(world.connection.record.state.name, 'stopped');
        }),
        { numRuns: 150 },
      ));
  }
});
