import assert from 'node:assert/strict';
import type { Wait } from '../../../../src/lib/arm/long-operation.ts';
import { waitUntil } from '../../../../src/lib/arm/long-operation.ts';
import { startNamespaceCreate, startNamespaceDelete } from '../../../../src/lib/arm/namespaces.ts';
import type { AzureOptions } from '../../../../src/lib/arm/azure.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';
import {
  armError,
  FakeArm,
  SUBSCRIPTION,
  wireNamespace,
  type Answering,
  type FakeAnswer,
} from '../../../helpers/fake-arm.ts';

const REF = { subscriptionId: SUBSCRIPTION, resourceGroup: 'g', name: 'my-relay' };
const WAIT: Wait = {
  about: 'creating the namespace "my-relay"',
  timeoutMs: 60_000,
  resume: 'hcm namespace create my-relay',
};
const OPERATION =
  'https://management.azure.com/operations/1?t=signed%2Fto%2Bthe+letter&api-version=2026-07-01';

/** Creation as of 2026: 201, an operation that runs twice and then is as given, and the namespace. */
function createdIn2026(end: FakeAnswer): Answering {
  let polls = 0;
  return ({ method, url }) => {
    if (method === 'PUT') {
      return {
        ...{ status: 201, headers: { 'azure-asyncoperation': OPERATION, location: `${OPERATION}&l` } },
        body: wireNamespace('my-relay', { status: 'Creating', state: 'Creating' }),
      };
    }
    if (!url.includes('/operations/')) return { body: wireNamespace('my-relay') };
    polls += 1;
    return polls <= 2 ? { body: { name: '1', status: 'Running' } } : end;
  };
}

async function create(answer: Answering, { wait = WAIT, ...options }: AzureOptions & { wait?: Wait } = {}) {
  const arm = new FakeArm(answer, options);
  const outcome = await startNamespaceCreate(arm.azure, REF, { location: 'westeurope', tags: { a: 'b' } })
    .then((operation) => operation.wait(wait))
    .catch((error: unknown) => error);
  return { arm, outcome };
}

function assertError(error: unknown, code: string): asserts error is HcmError {
  assert.ok(error instanceof HcmError, String(error));
  assert.equal(error.code, code, error.message);
}

describe('long operations', () => {
  it('of today: an operation to poll, at its address to the letter', async () => {
    const { arm, outcome } = await create(createdIn2026({ body: { name: '1', status: 'Succeeded' } }));
    assert.equal(outcome, undefined);
    const polls = arm.requests.filter(({ url }) => url.includes('/operations/'));
    assert.deepEqual(
      polls.map(({ url }) => url),
      [OPERATION, OPERATION, OPERATION],
    );
    assert.deepEqual(arm.requests[0]?.body, {
      ...{ location: 'westeurope', tags: { a: 'b' } },
      sku: { name: 'Standard', tier: 'Standard' },
    });
    assert.deepEqual(arm.reports, ['creating the namespace "my-relay": Running']);
  });

  it('of before: the resource itself, until it is Succeeded', async () => {
    const { arm, outcome } = await create(({ method }, count) =>
      method === 'PUT' || count < 4
        ? { body: wireNamespace('my-relay', { status: 'Activating', state: 'Created' }) }
        : { body: wireNamespace('my-relay') },
    );
    assert.equal(outcome, undefined);
    assert.deepEqual(arm.reports, ['creating the namespace "my-relay": Activating']);
  });

  it('asks when Azure says, else first soon and then less often', async () => {
    const { arm } = await create(createdIn2026({ body: { name: '1', status: 'Succeeded' } }));
    assert.deepEqual(arm.sleepsMs, [500, 750]);
    const told = createdIn2026({ body: { name: '1', status: 'Succeeded' } });
    const patient = await create(async (request, count) => {
      const answer = await told(request, count);
      return { ...answer, headers: { ...answer?.headers, 'retry-after': '7' } };
    });
    assert.deepEqual(patient.arm.sleepsMs, [7_000, 7_000]);
  });

  it('that Azure fails are HCM_OPERATION_FAILED, with its words', async () => {
    const { outcome } = await create(
      createdIn2026({
        body: { name: '1', status: 'Failed', error: { code: 'Capacity', message: 'No room.' } },
      }),
    );
    assertError(outcome, 'HCM_OPERATION_FAILED');
    assert.match(outcome.message, /^Creating the namespace "my-relay": .*No room/);
  });

  it('that Azure refuses at once keep its error', async () => {
    const { outcome } = await create(() => ({ status: 403, body: armError('AuthorizationFailed', 'No.') }));
    assertError(outcome, 'HCM_AZURE_FORBIDDEN');
  });

  it('last no longer than one waits: HCM_WAIT_TIMEOUT, and Azure goes on', async () => {
    const creating = { body: wireNamespace('my-relay', { status: 'Activating', state: 'Created' }) };
    const { arm, outcome } = await create(() => creating);
    assertError(outcome, 'HCM_WAIT_TIMEOUT');
    assert.match(outcome.message, /after 60 s \(Activating\)\. It goes on in Azure/);
    assert.equal(outcome.details['next'], WAIT.resume);
    const slept = arm.sleepsMs.reduce((sum, ms) => sum + ms, 0);
    assert.equal(slept, WAIT.timeoutMs);
  });

  it('are not waited for after Ctrl-C: at once, and it is said how to go on', async () => {
    const controller = new AbortController();
    const reason = new HcmError('HCM_INTERRUPTED', 'Interrupted.', { details: { signal: 'SIGTERM' } });
    let sleeping: (() => void) | undefined;
    const asleep = new Promise<void>((resolve) => (sleeping = resolve));
    const { clock } = new FakeArm(() => ({}));
    const hanging = {
      ...clock,
      sleep: (_: number, signal?: AbortSignal) =>
        new Promise<void>((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
          sleeping?.();
        }),
    };
    const running = create(createdIn2026({}), { signal: controller.signal, clock: hanging });
    await asleep;
    controller.abort(reason);
    const { arm, outcome } = await running;
    assertError(outcome, 'HCM_INTERRUPTED');
    assert.equal(outcome.message, 'Stopped waiting: creating the namespace "my-relay" goes on in Azure.');
    assert.deepEqual(outcome.details, { signal: 'SIGTERM', next: WAIT.resume });
    assert.equal(arm.requests.length, 2, 'PUT and the first look, and nothing after Ctrl-C');
  });

  it('a deletion of what is gone is none', async () => {
    const arm = new FakeArm(() => ({ status: 404, body: armError('ResourceNotFound', 'gone') }));
    assert.equal(await startNamespaceDelete(arm.azure, REF), undefined);
  });

  it('a deletion ends with 200 or 204', async () => {
    for (const status of [200, 204]) {
      const arm = new FakeArm(({ method }) =>
        method === 'DELETE'
          ? { status: 202, headers: { location: OPERATION } }
          : { status, ...(status === 200 ? { body: '' } : {}) },
      );
      const operation = await startNamespaceDelete(arm.azure, REF);
      await operation?.wait(WAIT);
    }
  });

  it('a look that fails ends the wait with its error', async () => {
    const { azure } = new FakeArm(() => ({}));
    const failed = new HcmError('HCM_AZURE_FORBIDDEN', 'No.');
    await assert.rejects(
      waitUntil(azure, WAIT, () => Promise.reject(failed)),
      failed,
    );
  });
});
