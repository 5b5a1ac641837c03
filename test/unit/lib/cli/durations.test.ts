import assert from 'node:assert/strict';
import { formatDuration, parseDuration } from '../../../../src/lib/cli/durations.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';

describe('durations', () => {
  for (const [text, ms] of [
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    ['0', 0],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of ['', '10', 's', '-1s', '1w', '1 s', '1e3s']) {
    it(`refuses "${text}"`, () => {
      assert.throws(
        () => parseDuration(text),
        (error) => error instanceof HcmError && error.code === 'HCM_USAGE',
      );
    });
  }

  it('are written with the two units that matter', () => {
    assert.deepEqual([850, 2_000, 65_000, 3_720_000].map(formatDuration), ['850ms', '2s', '1m 5s', '1h 2m']);
  });

  it('are written without a unit of which there is none, as they may be typed', () => {
    const texts = [900_000, 3_600_000, 172_800_000].map(formatDuration);
    assert.deepEqual(texts, ['15m', '1h', '48h']);
    assert.deepEqual(texts.map(parseDuration), [900_000, 3_600_000, 172_800_000]);
  });
});
