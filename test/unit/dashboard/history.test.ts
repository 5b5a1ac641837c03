import assert from 'node:assert/strict';
import { Grid, medianOf, ratesOf, timelineOf, type Point } from '../../../dashboard/src/model/history.ts';
import { RateMeter } from '../../../dashboard/src/model/rate-meter.ts';

const point = (bytesIn: number, setUpMs: number | null = null): Point => ({
  bytesIn,
  bytesOut: bytesIn * 2,
  openStreams: 1,
  setUpMs,
});

describe('rates in the page', () => {
  it('are what lies between two totals, by the time between them', () => {
    assert.deepEqual(ratesOf([0, 1_000, 3_000], [0, 500, 2_500]), [null, 500, 1_000]);
  });

  it('are unknown where a total is missing or the counting began anew', () => {
    assert.deepEqual(ratesOf([0, 1_000, 2_000, 3_000], [null, 100, 50, 80]), [null, null, null, 30]);
  });

  it('of now look back a few seconds, and start again when totals shrink', () => {
    const meter = new RateMeter();
    const push = (atMs: number, bytes: number) => meter.push({ atMs, bytesIn: bytes, bytesOut: 0 })?.in;
    assert.deepEqual([push(0, 0), push(1_000, 300), push(2_000, 300)], [undefined, 300, 150]);
    assert.deepEqual([push(5_000, 300), push(9_000, 300)], [0, 0], 'what flowed long ago does not count');
    assert.deepEqual([push(10_000, 10), push(11_000, 110)], [undefined, 100]);
  });

  it('of now begin anew when the clock is set back', () => {
    const meter = new RateMeter();
    const push = (atMs: number, bytes: number) => meter.push({ atMs, bytesIn: bytes, bytesOut: 0 })?.in;
    assert.deepEqual([push(3_600_000, 0), push(0, 100), push(1_000, 600)], [undefined, undefined, 500]);
  });
});

describe('the past of connections, in the page', () => {
  it('goes on without a gap from what the manager kept to what the page saw', () => {
    const coarse = new Grid(100);
    const fine = new Grid(100);
    coarse.append(0, new Map([['a', point(0)]]));
    coarse.append(5_000, new Map([['a', point(500)]]));
    fine.append(10_000, new Map([['a', point(1_000)]]));
    coarse.append(10_000, new Map([['a', point(1_000)]]));
    fine.append(11_000, new Map([['a', point(2_000)]]));
    const { times, bytesIn, bytesOut } = timelineOf(coarse, fine, ['a'], 0);
    assert.deepEqual(times, [0, 5, 10, 11]);
    assert.deepEqual(bytesIn, [null, 100, 100, 1_000]);
    assert.deepEqual(bytesOut, [null, 200, 200, 2_000]);
  });

  it('adds connections up, and leaves out who was not there', () => {
    const grid = new Grid(100);
    grid.append(0, new Map([['a', point(0)]]));
    grid.append(1_000, new Map([['a', point(10)], ['b', point(0)]])); // prettier-ignore
    grid.append(2_000, new Map([['a', point(20)], ['b', point(5)]])); // prettier-ignore
    const { bytesIn, setUpMs } = timelineOf(new Grid(1), grid, ['a', 'b'], 0);
    assert.deepEqual(bytesIn, [null, 10, 15]);
    assert.deepEqual(setUpMs, [null, null, null]);
  });

  it('keeps so many points, and forgets who is gone from all of them', () => {
    const grid = new Grid(2);
    grid.append(0, new Map([['gone', point(1)]]));
    for (const time of [1, 2, 3]) grid.append(time, new Map([['a', point(time)]]));
    assert.deepEqual([grid.times, grid.ids], [[2, 3], ['a']]);
  });

  it('goes on when the clock is set back, without what was noted for later', () => {
    const grid = new Grid(100);
    for (const time of [1_000, 2_000, 3_000]) grid.append(time, new Map([['a', point(time)]]));
    grid.append(1_500, new Map([['a', point(3_500)]]));
    grid.append(2_500, new Map([['a', point(4_500)]]));
    const { times, bytesIn } = timelineOf(new Grid(1), grid, ['a'], 0);
    assert.deepEqual([times, bytesIn], [[1, 1.5, 2.5], [null, 5_000, 1_000]]); // prettier-ignore
  });

  it('is what the manager remembers, at first', () => {
    const series = { bytesIn: [null, 5], bytesOut: [null, 6], openStreams: [null, 1], setUpMs: [null, null] };
    const times = ['1970-01-01T00:00:05.000Z', '1970-01-01T00:00:10.000Z'];
    const grid = Grid.of({ everyMs: 5_000, times, connections: { a: series } }, 100);
    assert.deepEqual([grid.times, grid.column('a')], [[5_000, 10_000], series]);
  });

  it('knows the median of openings, and that there were none', () => {
    assert.deepEqual([medianOf([]), medianOf([9, 1, 5]), medianOf([4, 1])], [null, 5, 1]);
  });
});
