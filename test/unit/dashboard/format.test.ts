import assert from 'node:assert/strict';
import {
  counted,
  formatBytes,
  formatDuration,
  formatMs,
  formatRate,
  formatTime,
} from '../../../dashboard/src/model/format.ts';

describe('numbers in the page', () => {
  it('show bytes with three digits that count', () => {
    const shown = [0, 999, 1_000, 1_234, 12_345, 999_499, 999_600, 5_000_000_000].map(formatBytes);
    assert.deepEqual(shown, [
      '0 B',
      '999 B',
      '1.00 kB',
      '1.23 kB',
      '12.3 kB',
      '999 kB',
      '1.00 MB',
      '5.00 GB',
    ]);
    assert.equal(formatRate(2_500_000), '2.50 MB/s');
  });

  it('show times by their largest units', () => {
    const shown = [0, 59_999, 60_000, 3_599_000, 3_600_000, 7_500_000, 90_000_000].map(formatDuration);
    assert.deepEqual(shown, ['0 s', '59 s', '1 min', '59 min', '1 h', '2 h 5 min', '1 d 1 h']);
    assert.deepEqual([0.42, 7.3, 12.4, 999.7].map(formatMs), ['0.4 ms', '7.3 ms', '12 ms', '1.00 s']);
  });

  it('show a time of another day with its date', () => {
    const noon = new Date(2026, 3, 5, 12, 3, 4);
    assert.equal(formatTime(noon.toISOString(), noon.getTime() + 1_000), '12:03:04');
    assert.equal(formatTime(noon.toISOString(), noon.getTime() + 86_400_000), '2026-04-05 12:03:04');
    assert.equal(formatTime('no time', 0), 'no time');
  });

  it('count in words', () => {
    assert.deepEqual([counted(1, 'stream'), counted(1_234, 'stream')], ['1 stream', '1,234 streams']);
  });
});
