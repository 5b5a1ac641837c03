import assert from 'node:assert/strict';
import type { Clock } from '../../../src/tunnel/clock.ts';
import { watchClock } from '../../../src/tunnel/clock-watch.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('clock watch', () => {
  let clock: FakeClock;
  let jumps: number;
  let stop: () => void;

  beforeEach(() => {
    clock = new FakeClock();
    jumps = 0;
    stop = watchClock(clock, () => (jumps += 1));
  });
  afterEach(() => {
    stop();
    assert.equal(clock.timers, 0, 'a timer is left');
  });

  it('says nothing while both clocks go on together', () => {
    clock.advance(3_600_000);
    assert.equal(jumps, 0);
  });

  it('notices within 10 s that the wall clock went ahead, as after a sleep, and says it once', () => {
    clock.jumpWallClock(8 * 3_600_000);
    clock.advance(10_000);
    assert.equal(jumps, 1);
    clock.advance(600_000);
    assert.equal(jumps, 1);
  });

  it('notices that the wall clock was set back', () => {
    clock.jumpWallClock(-600_000);
    clock.advance(10_000);
    assert.equal(jumps, 1);
  });

  it('lets a correction of a few seconds pass', () => {
    clock.jumpWallClock(4_000);
    clock.advance(10_000);
    clock.jumpWallClock(-4_000);
    clock.advance(60_000);
    assert.equal(jumps, 0);
  });

  it('notices each of two jumps', () => {
    clock.jumpWallClock(60_000);
    clock.advance(10_000);
    clock.jumpWallClock(60_000);
    clock.advance(10_000);
    assert.equal(jumps, 2);
  });
});

describe('clock watch where elapsed time includes the sleep', () => {
  it('takes a timer that fires far too late for a sleep', () => {
    let nowMs = 0;
    let due: () => void = () => undefined;
    const clock: Clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      setTimer: (_delayMs, act) => {
        due = act;
        return () => undefined;
      },
    };
    let jumps = 0;
    watchClock(clock, () => (jumps += 1));
    nowMs += 10_100;
    due();
    assert.equal(jumps, 0);
    nowMs += 3_600_000;
    due();
    assert.equal(jumps, 1);
  });
});
