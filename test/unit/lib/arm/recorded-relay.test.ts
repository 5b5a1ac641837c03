// Azure's own answers, recorded in 2023, as hcm understands them: every one about a relay in two recordings.
import assert from 'node:assert/strict';
import type { Wait } from '../../../../src/lib/arm/long-operation.ts';
import {
  deleteConnection,
  getConnection,
  listConnections,
  putConnection,
} from '../../../../src/lib/arm/connections.ts';
import {
  checkNamespaceName,
  getNamespace,
  isActive,
  isRemoving,
  listNamespaces,
  putNamespaceTags,
  startNamespaceCreate,
  startNamespaceDelete,
} from '../../../../src/lib/arm/namespaces.ts';
import { deleteRule, listKeys, listRules, putRule, regenerateKey } from '../../../../src/lib/arm/rules.ts';
import { targetFromUserMetadata } from '../../../../src/protocol/user-metadata.ts';
import { FakeArm } from '../../../helpers/fake-arm.ts';
import { recordedInteractions, type Interaction } from '../../../integration/emulator/recording.ts';

const WAIT: Wait = { about: 'it', timeoutMs: 600_000, resume: 'hcm' };

/** Serves the interactions in their order, each once. `renamed`: the method that hcm uses where az used another. */
function replay(name: string, numbers: readonly number[], renamed: Record<number, string> = {}) {
  const all = recordedInteractions(name);
  const left = numbers.map((n) => {
    const found = all.find((interaction) => interaction.n === n);
    assert.ok(found, `no interaction ${n}`);
    return found;
  });
  const arm = new FakeArm(({ method, url }) => {
    const next = left.shift();
    assert.ok(next, `${method} ${url} was not recorded`);
    assert.equal(
      `${method} ${pathOf(url)}`,
      `${renamed[next.n] ?? next.request.method} ${pathOf(next.request.url)}`,
    );
    return { status: next.response.status, headers: headersOf(next), body: next.response.body ?? undefined };
  });
  const subscriptionId = /\/subscriptions\/([^/]+)/.exec(all[0]?.request.url ?? '')?.[1] ?? '';
  const put = all.find(({ request }) => request.method === 'PUT')?.request.url ?? '';
  const [, resourceGroup = '', namespace = ''] =
    /resourceGroups\/([^/]+)\/.*\/namespaces\/([^/?]+)/i.exec(put) ?? [];
  return {
    arm,
    azure: arm.azure.in(subscriptionId),
    left,
    ref: { subscriptionId, resourceGroup, name: namespace },
  };
}

function pathOf(url: string): string {
  return new URL(url).pathname.toLowerCase();
}

/** Only what a client acts on. */
function headersOf({ response }: Interaction): Record<string, string> {
  const { headers } = response as { headers?: Record<string, string | string[]> };
  const location = headers?.['location'];
  return location === undefined ? {} : { location: String(location) };
}

describe('a recorded namespace', () => {
  const NAME = 'relay-namespace-2023';

  it('its name is free', async () => {
    const { azure, ref } = replay(NAME, [1]);
    assert.deepEqual(await checkNamespaceName(azure, ref.name), {
      available: true,
      reason: 'None',
      message: '',
    });
  });

  it('is created: 200 without a word of an operation, Created until it is Succeeded', async () => {
    const { azure, ref, left, arm } = replay(NAME, [2, 3, 4, 5, 6]);
    const operation = await startNamespaceCreate(azure, ref, { location: 'westus2', tags: {} });
    await operation.wait(WAIT);
    const namespace = await getNamespace(azure, ref);
    assert.ok(namespace);
    assert.ok(isActive(namespace));
    const { name, resourceGroup, host, location, status } = namespace;
    assert.deepEqual(
      [name, resourceGroup, host, location, status],
      [ref.name, ref.resourceGroup, `${ref.name}.servicebus.windows.net`, 'West US 2', 'Active'],
    );
    assert.deepEqual(left, []);
    assert.deepEqual(arm.reports, ['it: Activating']);
  });

  it('gets other tags', async () => {
    const { azure, ref } = replay(NAME, [8], { 8: 'PATCH' });
    await putNamespaceTags(azure, ref, { a: 'b' });
  });

  it('is listed, in the group and in the subscription', async () => {
    const { azure, ref } = replay(NAME, [12, 11]);
    const inGroup = await listNamespaces(azure, ref.resourceGroup);
    assert.deepEqual(
      inGroup.map(({ name }) => name),
      [ref.name],
    );
    const all = await listNamespaces(azure);
    assert.ok(all.some(({ name }) => name === ref.name));
    assert.ok(all.every(({ subscriptionId, host }) => subscriptionId !== '' && host !== ''));
  });

  it('has rules with keys', async () => {
    const { azure, ref } = replay(NAME, [13, 17, 18, 19, 20]);
    const rule = 'cliAutho000003';
    await putRule(azure, ref, { name: rule, rights: ['Send'] });
    const keys = await listKeys(azure, ref, rule);
    assert.equal(keys.rule, rule);
    assert.match(keys.primaryConnectionString, /^Endpoint=sb:\/\/relay-nscli000002\.servicebus/);
    await regenerateKey(azure, { owner: ref, rule, key: 'primary' });
    await regenerateKey(azure, { owner: ref, rule, key: 'secondary' });
    assert.equal(await deleteRule(azure, ref, rule), true);
  });

  it('is deleted: 202, and polls at the Location that Azure names', async () => {
    const { azure, ref, left } = replay(NAME, [21, 22, 23]);
    const operation = await startNamespaceDelete(azure, ref);
    await operation?.wait(WAIT);
    assert.deepEqual(left, []);
  });

  it('while it is being deleted, Succeeded does not mean that it is there', async () => {
    const { response } = recordedInteractions(NAME).find(({ n }) => n === 22) ?? {};
    const arm = new FakeArm(() => ({ body: response?.body }));
    const ref = { subscriptionId: 's', resourceGroup: 'g', name: 'relay-nscli000002' };
    const namespace = await getNamespace(arm.azure, ref);
    assert.ok(namespace);
    assert.equal(namespace.provisioningState, 'Succeeded');
    assert.deepEqual([isActive(namespace), isRemoving(namespace)], [false, true]);
  });
});

describe('a recorded hybrid connection', () => {
  const NAME = 'relay-hyco-2023';
  const refIn = (ref: { subscriptionId: string; resourceGroup: string; name: string }) => ({
    ...ref,
    connection: 'relay-hycocli000004',
  });

  it('is made, read, changed and listed', async () => {
    const { azure, ref, left } = replay(NAME, [6, 7, 9, 10]);
    const made = await putConnection(azure, refIn(ref), {
      ...{ requiresClientAuthorization: true, userMetadata: undefined },
    });
    assert.equal(made.connection, 'relay-hycocli000004');
    const read = await getConnection(azure, refIn(ref));
    assert.deepEqual([read?.listenerCount, read?.requiresClientAuthorization], [0, true]);
    await putConnection(azure, refIn(ref), { requiresClientAuthorization: true, userMetadata: '[]' });
    const listed = await listConnections(azure, ref);
    assert.deepEqual(
      listed.map(({ connection, name }) => `${name}/${connection}`),
      [`${ref.name}/relay-hycocli000004`],
    );
    assert.deepEqual(left, []);
  });

  it('has rules with keys, and is deleted', async () => {
    const { azure, ref } = replay(NAME, [11, 15, 16, 17, 18, 19]);
    const owner = refIn(ref);
    const rule = 'cliAutho000003';
    await putRule(azure, owner, { name: rule, rights: ['Listen'] });
    assert.match(
      (await listKeys(azure, owner, rule)).primaryConnectionString,
      /;EntityPath=relay-hycocli000004$/,
    );
    await regenerateKey(azure, { owner, rule, key: 'primary' });
    await regenerateKey(azure, { owner, rule, key: 'secondary' });
    assert.equal(await deleteRule(azure, owner, rule), true);
    assert.equal(await deleteConnection(azure, owner), true);
  });

  it('of an App Service app names its target, and has no rules at first', async () => {
    const { azure, ref } = replay('webapp-hybridconnection-e2e-2023', [13, 15, 16, 17, 18]);
    const connection = {
      ...{ ...ref, resourceGroup: 'clitest.rg000001', name: 'hcnamespace000004' },
      connection: 'hcname000005',
    };
    const target = '[{"key":"endpoint","value":"vmsq1:80"}]';
    const made = await putConnection(azure, connection, {
      ...{ requiresClientAuthorization: true, userMetadata: target },
    });
    assert.ok(targetFromUserMetadata(made.userMetadata));
    assert.ok((await getConnection(azure, connection))?.userMetadata);
    assert.deepEqual(await listRules(azure, connection), []);
    await putRule(azure, connection, { name: 'defaultSender', rights: ['Send'] });
    assert.notEqual((await listKeys(azure, connection, 'defaultSender')).primaryKey, '');
  });
});
