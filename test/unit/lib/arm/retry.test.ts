import assert from 'node:assert/strict';
import { retryAfterMs } from '../../../../src/lib/arm/retry.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';
import { armError, FakeArm, type FakeAnswer } from '../../../helpers/fake-arm.ts';

const REQUEST = { method: 'GET', path: '/x', apiVersion: '1' } as const;

/** Answers in turn; the last one for ever. */
function answering(...answers: FakeAnswer[]): FakeArm {
  return new FakeArm((_, count) => answers[Math.min(count, answers.length - 1)]);
}

async function failing(arm: FakeArm): Promise<HcmError> {
  const error = await arm.azure.send(REQUEST).catch((caught: unknown) => caught);
  assert.ok(error instanceof HcmError, String(error));
  return error;
}

describe('trying again', () => {
  it('waits as long as Azure asks, and says so', async () => {
    const arm = answering({ status: 429, headers: { 'retry-after': '5' } }, { body: {} });
    await arm.azure.send(REQUEST);
    assert.deepEqual(arm.sleepsMs, [5_000]);
    assert.deepEqual(arm.reports, ['Azure asks to wait 5 s']);
  });

  it('a 429 that says nothing, as App Service has it for its lock, is tried again, ever later', async () => {
    const locked = { status: 429, body: { Code: '429', Message: 'Cannot acquire exclusive lock' } };
    const arm = answering(locked, locked, locked, { body: {} });
    await arm.azure.send(REQUEST);
    assert.deepEqual(arm.sleepsMs, [1_000, 2_000, 4_000]);
    assert.match(arm.reports[0] ?? '', /another change.*1 s/);
  });

  it('500 and then success is success', async () => {
    const arm = answering({ status: 500 }, { status: 503, body: '<html>' }, { body: { a: 1 } });
    assert.deepEqual((await arm.azure.send(REQUEST)).body, { a: 1 });
    assert.equal(arm.requests.length, 3);
  });

  it('the clients of the SDK do the same, once and not twice over', async () => {
    const arm = answering(
      { status: 429 },
      { status: 503, headers: { 'retry-after': '1' } },
      { body: { value: [] } },
    );
    const relay = await arm.azure.relay();
    await relay.namespaces.list().next();
    assert.equal(arm.requests.length, 3);
    assert.deepEqual(arm.sleepsMs, [1_000, 1_000]);
  });

  it('ends with the last answer when it lasts', async () => {
    const arm = answering({ status: 429, body: armError('SubscriptionRequestsThrottled', 'Too many.') });
    const { code, details } = await failing(arm);
    assert.equal(code, 'HCM_AZURE_THROTTLED');
    assert.equal(details['azureCode'], 'SubscriptionRequestsThrottled');
    const waited = arm.sleepsMs.reduce((sum, ms) => sum + ms, 0);
    assert.ok(waited > 60_000 && waited <= 150_000, String(waited));
  });

  it('gives up at once when it is to wait longer than anybody would', async () => {
    const arm = answering({ status: 429, headers: { 'retry-after': '3600' } });
    assert.equal((await failing(arm)).code, 'HCM_AZURE_THROTTLED');
    assert.deepEqual(arm.sleepsMs, []);
  });

  it('what is final is not tried again', async () => {
    for (const status of [400, 401, 403, 404, 409, 501]) {
      const arm = answering({ status });
      await failing(arm);
      assert.equal(arm.requests.length, 1, String(status));
    }
  });

  it('a connection that broke is tried again, a name that does not resolve is not', async () => {
    for (const [code, requests] of [
      ['ECONNRESET', 2],
      ['ENOTFOUND', 1],
    ] as const) {
      const arm = new FakeArm((_, count) => {
        if (count > 0) return { body: {} };
        throw Object.assign(new Error('no'), { code });
      });
      await arm.azure.send(REQUEST).catch(() => undefined);
      assert.equal(arm.requests.length, requests, code);
    }
  });

  it('Ctrl-C ends the pause', async () => {
    const controller = new AbortController();
    const reason = new HcmError('HCM_INTERRUPTED', 'Interrupted.');
    const arm = new FakeArm(
      () => {
        controller.abort(reason);
        return { status: 429, headers: { 'retry-after': '100' } };
      },
      { signal: controller.signal },
    );
    assert.equal(await failing(arm), reason);
    assert.equal(arm.requests.length, 1);
  });

  it('Ctrl-C ends a call whose sign-in hears nothing of it', async () => {
    const controller = new AbortController();
    const reason = new HcmError('HCM_INTERRUPTED', 'Interrupted.');
    const getToken = () => {
      setImmediate(() => controller.abort(reason));
      return new Promise<never>(() => undefined);
    };
    const arm = new FakeArm(() => ({}), { signal: controller.signal }, { getToken });
    assert.equal(await failing(arm), reason);
    assert.equal(arm.requests.length, 0);
  });

  it('reads seconds, dates and milliseconds', () => {
    const header = (values: Record<string, string>) => retryAfterMs((name) => values[name]);
    assert.equal(header({ 'retry-after': '7' }), 7_000);
    assert.equal(header({ 'retry-after-ms': '70' }), 70);
    assert.equal(header({ 'x-ms-retry-after-ms': '80', 'retry-after': '9' }), 80);
    const inAMinute = header({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
    assert.ok(inAMinute !== undefined && inAMinute > 50_000 && inAMinute <= 60_000);
    assert.equal(header({ 'retry-after': new Date(0).toUTCString() }), undefined);
    assert.equal(header({ 'retry-after': '0' }), undefined, 'nothing is asked, so our own pause counts');
    assert.equal(header({}), undefined);
    assert.equal(header({ 'retry-after': 'soon' }), undefined);
  });
});
