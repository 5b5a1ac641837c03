import assert from 'node:assert/strict';
import { listAll, openAzure } from '../../../../src/lib/arm/azure.ts';
import { shareTokens } from '../../../../src/lib/arm/shared-tokens.ts';
import { BUILT_IN_CLOUDS } from '../../../../src/lib/auth/cloud.ts';
import type { HcmError } from '../../../../src/protocol/errors.ts';
import { FakeArm, SUBSCRIPTION } from '../../../helpers/fake-arm.ts';

const REQUEST = { method: 'GET', path: '/x', apiVersion: '2020-01-01' } as const;

describe('the way to Azure', () => {
  it('plain calls and all clients share one token, for the scope of the cloud', async () => {
    const arm = new FakeArm(() => ({ body: { value: [] } }));
    const { azure } = arm;
    await azure.send(REQUEST);
    await (await azure.relay()).namespaces.list().next();
    await (await azure.in('other').web()).webApps.list().next();
    assert.deepEqual(arm.tokenScopes, ['https://management.azure.com/.default']);
    assert.deepEqual(
      arm.requests.map(({ headers }) => headers['authorization']),
      ['Bearer token', 'Bearer token', 'Bearer token'],
    );
    assert.match(arm.requests[2]?.path ?? '', /^\/subscriptions\/other\//);
  });

  it('tells Azure who calls', async () => {
    const arm = new FakeArm(() => ({ body: { value: [] } }), { userAgent: 'hcm/1.2.3' });
    await arm.azure.send(REQUEST);
    await (await arm.azure.relay()).namespaces.list().next();
    for (const { headers } of arm.requests) assert.match(headers['user-agent'] ?? '', /^hcm\/1\.2\.3 /);
  });

  it('sends JSON, and adds the api-version', async () => {
    const arm = new FakeArm(() => ({ status: 201, headers: { etag: 'e' }, body: { b: 2 } }));
    const answer = await arm.azure.send({ ...REQUEST, method: 'PUT', body: { a: 1 } });
    assert.deepEqual([answer.status, answer.headers['etag'], answer.body], [201, 'e', { b: 2 }]);
    const [request] = arm.requests;
    assert.equal(request?.url, 'https://management.azure.com/x?api-version=2020-01-01');
    assert.deepEqual(request?.body, { a: 1 });
  });

  it('the same subscription has the same clients', () => {
    const { azure } = new FakeArm(() => ({}));
    assert.equal(azure.in(SUBSCRIPTION), azure);
    assert.equal(azure.in('other'), azure.in('other'));
    assert.equal(azure.in('other').relay(), azure.in('other').relay());
  });

  it('reads all pages of a list', async () => {
    const next = 'https://management.azure.com/things?page=2&api-version=2020-01-01';
    const arm = new FakeArm(({ url }) =>
      url === next ? { body: { value: [3], nextLink: null } } : { body: { value: [1, 2], nextLink: next } },
    );
    assert.deepEqual(await listAll(arm.azure, { path: '/things', apiVersion: '2020-01-01' }), [1, 2, 3]);
  });

  it('takes its token nowhere else, whatever a nextLink says', async () => {
    const arm = new FakeArm(() => ({ body: { value: [], nextLink: 'https://evil.example/things' } }));
    const listed = listAll(arm.azure, { path: '/things', apiVersion: '2020-01-01' });
    await assert.rejects(listed, (error: HcmError) => error.code === 'HCM_AZURE_REJECTED');
    assert.equal(arm.requests.length, 1);
  });

  it('misses the subscription only where one is needed', async () => {
    const [cloud] = BUILT_IN_CLOUDS;
    assert.ok(cloud);
    const httpClient = { sendRequest: () => Promise.reject(new Error('unused')) };
    const credential = { getToken: () => Promise.resolve(null) };
    const azure = openAzure({ cloud, httpClient, credential, method: 'cli' });
    assert.equal(azure.in('s').subscriptionId, 's');
    assert.throws(
      () => azure.subscriptionId,
      (error: HcmError) => error.code === 'HCM_SUBSCRIPTION_MISSING',
    );
    await assert.rejects(
      async () => azure.relay(),
      (error: HcmError) => error.code === 'HCM_SUBSCRIPTION_MISSING',
    );
  });
});

describe('shared tokens', () => {
  const HOUR_MS = 3_600_000;
  const counting = () => {
    const asked: (string | undefined)[] = [];
    const credential = {
      getToken: (_: string | string[], options?: { claims?: string }) => {
        asked.push(options?.claims);
        return Promise.resolve({ token: String(asked.length), expiresOnTimestamp: HOUR_MS });
      },
    };
    return { asked, credential };
  };

  it('are asked for once, also by two at the same time, until shortly before their end', async () => {
    const { asked, credential } = counting();
    let nowMs = 0;
    const shared = shareTokens(credential, () => nowMs);
    await Promise.all([shared.getToken('a'), shared.getToken('a')]);
    await shared.getToken('b');
    assert.equal(asked.length, 2);
    nowMs = HOUR_MS - 299_000;
    await shared.getToken('a');
    assert.equal(asked.length, 3);
  });

  it('are asked for anew when Azure wants more claims, and then that one counts', async () => {
    const { asked, credential } = counting();
    const shared = shareTokens(credential, () => 0);
    await shared.getToken('a');
    assert.equal((await shared.getToken('a', { claims: '{}' }))?.token, '2');
    assert.equal((await shared.getToken('a'))?.token, '2');
    assert.deepEqual(asked, [undefined, '{}']);
  });

  it('a failure is not kept', async () => {
    let count = 0;
    const shared = shareTokens({
      getToken: () =>
        count++ === 0
          ? Promise.reject(new Error('no'))
          : Promise.resolve({ token: 't', expiresOnTimestamp: HOUR_MS }),
    });
    await assert.rejects(async () => shared.getToken('a'));
    assert.equal((await shared.getToken('a'))?.token, 't');
  });
});
