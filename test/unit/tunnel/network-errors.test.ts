import assert from 'node:assert/strict';
import { HcmError } from '../../../src/protocol/errors.ts';
import { errorFromNetwork, nodeCode, withDeadline } from '../../../src/tunnel/network-errors.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';
import type { CancelSignal } from '../../../src/websocket/cancel-signal.ts';

function nodeError(code: string, message = `${code} happened`): Error {
  return Object.assign(new Error(message), { code });
}

/** As net.connect gives it when every address of a name failed. */
function failedAddresses(...codes: string[]): Error {
  return Object.assign(new AggregateError(codes.map((code) => nodeError(code))), { code: codes[0] });
}

describe('network errors', () => {
  const cases: [string, string][] = [
    ['ENOTFOUND', 'HCM_DNS_FAILED'],
    ['EAI_AGAIN', 'HCM_DNS_FAILED'],
    ['ECONNREFUSED', 'HCM_CONNECT_REFUSED'],
    ['ETIMEDOUT', 'HCM_CONNECT_TIMEOUT'],
    ['EHOSTUNREACH', 'HCM_CONNECT_FAILED'],
    ['ECONNRESET', 'HCM_CONNECT_FAILED'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'HCM_TLS_UNTRUSTED'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'HCM_TLS_UNTRUSTED'],
    ['CERT_SIGNATURE_FAILURE', 'HCM_TLS_UNTRUSTED'],
    ['INVALID_PURPOSE', 'HCM_TLS_UNTRUSTED'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'HCM_TLS_FAILED'],
    ['EPROTO', 'HCM_TLS_FAILED'],
  ];
  for (const [seen, code] of cases) {
    it(`calls ${seen} ${code}, and keeps what was seen`, () => {
      const error = errorFromNetwork(nodeError(seen), 'relay.example', 443);
      assert.equal(error.code, code);
      assert.deepEqual(error.details, { host: 'relay.example', port: 443, seen });
      assert.match(error.message, /relay\.example/);
    });
  }

  it('does not take an untrusted certificate for something that passes', () => {
    assert.equal(errorFromNetwork(nodeError('CERT_HAS_EXPIRED'), 'h', 1).retryable, false);
    assert.equal(errorFromNetwork(nodeError('ECONNREFUSED'), 'h', 1).retryable, true);
  });

  it('passes an HcmError on', () => {
    const error = new HcmError('HCM_ABORTED', 'stopped');
    assert.equal(errorFromNetwork(error, 'h', 1), error);
  });

  it('of several addresses tells the one that somebody answered', () => {
    assert.equal(nodeCode(failedAddresses('ENETUNREACH', 'ECONNREFUSED')), 'ECONNREFUSED');
    assert.equal(nodeCode(failedAddresses('ECONNREFUSED', 'ETIMEDOUT')), 'ECONNREFUSED');
    assert.equal(nodeCode(failedAddresses('EHOSTUNREACH', 'ENETUNREACH')), 'EHOSTUNREACH');
  });

  it('has words for several failed addresses, whose own message is empty', () => {
    const error = errorFromNetwork(failedAddresses('ENETUNREACH', 'EHOSTUNREACH'), 'h', 1);
    assert.match(error.message, /ENETUNREACH happened/);
  });
});

describe('deadline', () => {
  const late = () => new HcmError('HCM_CONNECT_TIMEOUT', 'too late');
  const untilAborted = (signal: CancelSignal) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });

  it('gives the result, and leaves no timer', async () => {
    const clock = new FakeClock();
    const result = await withDeadline({ clock, limitMs: 1000, late }, () => Promise.resolve(7));
    assert.equal(result, 7);
    assert.equal(clock.timers, 0);
  });

  it('fires at its time with the error that was asked for', async () => {
    const clock = new FakeClock();
    const failed = rejectsWith(
      withDeadline({ clock, limitMs: 1000, late }, untilAborted),
      'HCM_CONNECT_TIMEOUT',
    );
    clock.advance(1000);
    await failed;
    assert.equal(clock.timers, 0);
  });

  it('passes the signal of the caller on with its reason', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const limit = { clock, limitMs: 1000, late, signal: controller.signal };
    const failed = rejectsWith(withDeadline(limit, untilAborted), 'HCM_ABORTED');
    controller.abort(new HcmError('HCM_ABORTED', 'stopped'));
    await failed;
    await rejectsWith(withDeadline(limit, untilAborted), 'HCM_ABORTED');
    assert.equal(clock.timers, 0);
  });
});
