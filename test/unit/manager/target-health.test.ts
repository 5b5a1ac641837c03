import assert from 'node:assert/strict';
import { TargetHealth } from '../../../src/manager/target-health.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { failure } from '../../helpers/fake-tunnels.ts';

describe("a target's health", () => {
  let clock: FakeClock;
  let answers: boolean[];
  let probes: number;
  let told: (string | undefined)[];
  let health: TargetHealth;

  beforeEach(() => {
    clock = new FakeClock();
    answers = [];
    probes = 0;
    told = [];
    health = new TargetHealth({
      clock,
      intervalMs: 10_000,
      probe: () => {
        probes += 1;
        const isDown = answers.shift() === false;
        return isDown ? Promise.reject(failure('HCM_TARGET_REFUSED', 'db:5432 refused')) : Promise.resolve();
      },
      onChange: (down) => told.push(down?.code),
    });
  });

  afterEach(() => health.stop());

  it('is told at once when the target is down from the start', async () => {
    answers = [false];
    health.checkNow();
    await clock.advanceAsync(0);
    assert.deepEqual(told, ['HCM_TARGET_REFUSED']);
  });

  it('takes one failure for chance and two in a row for an outage', async () => {
    answers = [true, false, true, false, false];
    health.checkNow();
    await clock.advanceAsync(21_000);
    assert.deepEqual(told, [undefined]);
    await clock.advanceAsync(1_000);
    assert.deepEqual(told, [undefined, 'HCM_TARGET_REFUSED']);
  });

  it('asks more often while the target is down, and is told at once when it is back', async () => {
    answers = [false, false, true];
    health.checkNow();
    await clock.advanceAsync(2_000);
    assert.equal(probes, 3);
    assert.deepEqual(told, ['HCM_TARGET_REFUSED', undefined]);
  });

  it('asks at once when there is a reason to, and not twice at a time', async () => {
    answers = [true, false, false];
    health.checkNow();
    health.checkNow();
    await clock.advanceAsync(5_000);
    assert.equal(probes, 1);
    assert.equal(health.nextInMs, 5_000);
    health.checkNow();
    await clock.advanceAsync(1_000);
    assert.deepEqual(told, [undefined, 'HCM_TARGET_REFUSED']);
    assert.equal(clock.timers, 1);
  });

  it('leaves no timer behind when it is stopped', async () => {
    health.checkNow();
    await clock.advanceAsync(0);
    health.stop();
    assert.equal(clock.timers, 0);
  });
});
