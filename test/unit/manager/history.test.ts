import assert from 'node:assert/strict';
import { History, type Measured } from '../../../src/manager/history.ts';
import { SetUpTimes } from '../../../src/manager/set-up-times.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const EVERY_MS = 5_000;
const HOUR = 720;

describe("the manager's history", () => {
  let clock: FakeClock;
  let history: History;
  let measured: Measured[];

  beforeEach(() => {
    clock = new FakeClock(Date.UTC(2026, 0, 1));
    measured = [];
    history = new History({ clock, measure: () => measured });
    history.start();
  });
  afterEach(() => history.stop());

  const LIFE = {};
  const one = (id: string, more: Partial<Measured> = {}): Measured => ({
    ...{ id, life: LIFE, bytesIn: 0, bytesOut: 0, openStreams: 0, setUp: new SetUpTimes() },
    ...more,
  });
  const take = (...now: Measured[]) => {
    measured = now;
    clock.advance(EVERY_MS);
  };
  const series = (id: string) => {
    const found = history.samples().connections[id];
    assert.ok(found, `there is a series of ${id}`);
    return found;
  };

  it('takes a sample each five seconds, oldest first', () => {
    take(one('a', { bytesIn: 1, bytesOut: 10, openStreams: 2 }));
    take(one('a', { bytesIn: 5, bytesOut: 20, openStreams: 0 }));
    const { everyMs, times } = history.samples();
    assert.equal(everyMs, EVERY_MS);
    assert.deepEqual(times, ['2026-01-01T00:00:05.000Z', '2026-01-01T00:00:10.000Z']);
    const { bytesIn, bytesOut, openStreams, setUpMs } = series('a');
    assert.deepEqual(
      [bytesIn, bytesOut, openStreams, setUpMs],
      [
        [1, 5],
        [10, 20],
        [2, 0],
        [null, null],
      ],
    );
  });

  it('keeps an hour and no more, whatever comes', () => {
    for (let sample = 0; sample < HOUR + 3; sample += 1) take(one('a', { bytesIn: sample }));
    const { times } = history.samples();
    assert.deepEqual([times.length, times[0]], [HOUR, '2026-01-01T00:00:20.000Z']);
    const { bytesIn } = series('a');
    assert.deepEqual([bytesIn.length, bytesIn[0], bytesIn.at(-1)], [HOUR, 3, HOUR + 2]);
  });

  it('has nothing where a connection did not exist, before and after', () => {
    take();
    take(one('a', { openStreams: 1 }));
    take();
    take(one('a', { openStreams: 2 }));
    assert.deepEqual(series('a').openStreams, [null, 1, null, 2]);
  });

  it('forgets what is gone for an hour, and shows no number that is older', () => {
    take(one('a', { openStreams: 7 }), one('b', { openStreams: 7 }));
    for (let sample = 0; sample < HOUR - 1; sample += 1) take(one('b'));
    assert.equal(series('a').openStreams[0], 7);
    take(one('b'));
    assert.deepEqual(Object.keys(history.samples().connections), ['b']);
    assert.ok(series('b').openStreams.every((value) => value === 0));
  });

  it('shows nothing that is older than the hour of one that was seen later, too', () => {
    take(one('a', { openStreams: 7 }));
    take(one('a', { openStreams: 8 }));
    for (let sample = 0; sample < HOUR - 1; sample += 1) take();
    const { openStreams } = series('a');
    assert.deepEqual([openStreams[0], openStreams.at(-1)], [8, null]);
  });

  it('is bounded however many connections come and go', () => {
    for (let sample = 0; sample < 30; sample += 1)
      take(...Array.from({ length: 50 }, (_, at) => one(`${sample} ${at}`)));
    const ids = Object.keys(history.samples().connections);
    assert.equal(ids.length, 1_000);
    assert.ok(ids.includes('29 49') && !ids.includes('0 0'));
  });

  it('shows the median of the openings since the sample before', () => {
    const setUp = new SetUpTimes();
    setUp.note(1_000);
    take(one('a', { setUp }));
    for (const ms of [30, 10, 20]) setUp.note(ms);
    take(one('a', { setUp }));
    take(one('a', { setUp }));
    assert.deepEqual(series('a').setUpMs, [1_000, 20, null]);
  });

  it('lets totals go on where a connection is opened anew and counts from 0, and never fall', () => {
    take(one('a', { bytesIn: 100 }));
    take(one('a', { bytesIn: 60 }));
    take(one('a', { bytesIn: 110 }));
    take(one('a', { bytesIn: 5, life: {} }));
    assert.deepEqual(series('a').bytesIn, [100, 100, 110, 115]);
  });

  it('gives only what is newer than a time, when it is told one', () => {
    for (const bytesIn of [1, 2, 3]) take(one('a', { bytesIn }));
    const { times, connections } = history.samples(Date.parse('2026-01-01T00:00:10.000Z'));
    assert.deepEqual([times, connections['a']?.bytesIn], [['2026-01-01T00:00:15.000Z'], [3]]);
  });

  it('leaves no timer behind', () => {
    take();
    history.stop();
    assert.equal(clock.timers, 0);
  });
});
