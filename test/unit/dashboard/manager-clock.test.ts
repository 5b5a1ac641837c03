import assert from 'node:assert/strict';
import { ManagerClock } from '../../../dashboard/src/model/manager-clock.ts';

const HOUR_MS = 3_600_000;

describe('the clock of the manager, in the page', () => {
  let ownMs: number;
  let clock: ManagerClock;
  /** An answer that was so long under way. */
  const hear = (managerMs: number, tookMs = 10) => {
    const askedMs = clock.nowMs();
    ownMs += tookMs;
    return clock.hear(managerMs, askedMs);
  };

  beforeEach(() => {
    ownMs = 1_000_000;
    clock = new ManagerClock(() => ownMs);
  });

  it("is this machine's own while they agree, to the second", () => {
    for (const managerMs of [999_000, 1_000_000, 1_001_000]) assert.equal(hear(managerMs), false);
    assert.equal(clock.nowMs(), ownMs);
  });

  it('goes on from what an answer says where they differ, and back when they agree again', () => {
    assert.equal(hear(ownMs + HOUR_MS), true);
    assert.equal(clock.nowMs() - ownMs, HOUR_MS - 10);
    assert.equal(hear(ownMs + HOUR_MS - 900), false, 'it is told to the second');
    assert.equal(hear(ownMs), true);
    assert.equal(clock.nowMs(), ownMs);
  });

  it('is not told by an answer that was long under way, or that tells no time', () => {
    assert.equal(hear(ownMs, 2_500), false);
    assert.equal(hear(Number.NaN), false);
    assert.equal(clock.nowMs(), ownMs);
  });
});
