import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ERROR_CODES, type ErrorCode } from '../../../src/protocol/errors.ts';
import { ReconnectPolicy, isFinal } from '../../../src/tunnel/reconnect-policy.ts';

const withoutJitter = () => 0;
const mostJitter = () => 0.999_999;

function delays(policy: ReconnectPolicy, count: number, code: ErrorCode = 'HCM_CONNECT_REFUSED'): number[] {
  return Array.from({ length: count }, () => policy.next(code, 0));
}

describe('reconnect policy', () => {
  it('doubles from 1 s to 30 s and stays there', () => {
    assert.deepEqual(
      delays(new ReconnectPolicy(withoutJitter), 8),
      [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000],
    );
  });

  it('takes at most a quarter away as jitter, and never adds', () => {
    assert.deepEqual(
      delays(new ReconnectPolicy(mostJitter), 7),
      [750, 1500, 3000, 6000, 12000, 22500, 22500],
    );
  });

  it('never gives up: a thousand failures still give a delay of at most 30 s', () => {
    const policy = new ReconnectPolicy(withoutJitter);
    assert.ok(delays(policy, 2000).every((delay) => delay > 0 && delay <= 30_000));
    assert.equal(policy.failures, 2000);
  });

  it('starts again from 1 s after a channel that was healthy', () => {
    const policy = new ReconnectPolicy(withoutJitter);
    delays(policy, 6);
    assert.equal(policy.next('HCM_CONNECTION_LOST', 5_000), 1000);
    assert.equal(policy.next('HCM_CONNECTION_LOST', 0), 2000);
  });

  it('goes on doubling when channels die as soon as they are online', () => {
    const policy = new ReconnectPolicy(withoutJitter);
    const flapping = [1, 2, 3, 4].map(() => policy.next('HCM_CONNECTION_LOST', 4_999));
    assert.deepEqual(flapping, [1000, 2000, 4000, 8000]);
  });

  it('waits at least 10 s (less jitter) for what somebody must change in Azure', () => {
    const codes: ErrorCode[] = ['HCM_ENTITY_NOT_FOUND', 'HCM_UNAUTHORIZED', 'HCM_TOKEN_SIGNATURE'];
    for (const code of codes) {
      assert.deepEqual(
        delays(new ReconnectPolicy(withoutJitter), 6, code),
        [10000, 10000, 10000, 10000, 16000, 30000],
      );
      assert.equal(new ReconnectPolicy(mostJitter).next(code, 0), 7500);
    }
  });

  it('is back within 5 s of the end of an outage of 3 s, whatever the jitter', () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (jitter) => {
          const policy = new ReconnectPolicy(() => jitter.next().value as number);
          let atMs = policy.next('HCM_CONNECTION_LOST', 60_000);
          while (atMs < 3_000) atMs += policy.next('HCM_CONNECT_REFUSED', 0);
          assert.ok(atMs <= 3_000 + 5_000, `back only ${atMs - 3_000} ms after the relay`);
        },
      ),
    );
  });

  it('calls final only what waiting cannot mend', () => {
    const final = ERROR_CODES.filter(isFinal);
    assert.ok(final.includes('HCM_ENTITY_NOT_FOUND') && final.includes('HCM_RIGHT_MISSING'));
    const passing: ErrorCode[] = [
      'HCM_NO_LISTENER',
      'HCM_CONNECT_REFUSED',
      'HCM_DNS_FAILED',
      'HCM_RELAY_BUSY',
      'HCM_RELAY_FAULT',
      'HCM_LISTENER_QUOTA',
      'HCM_PROXY_FAILED',
    ];
    assert.deepEqual(passing.filter(isFinal), []);
  });
});
