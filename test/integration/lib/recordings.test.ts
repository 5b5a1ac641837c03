// Three recorded sessions of azure-cli with Azure, with hcm in its place: every answer of Azure is understood.
import assert from 'node:assert/strict';
import { getPlan } from '../../../src/lib/arm/plans.ts';
import { getResourceGroup } from '../../../src/lib/arm/resource-groups.ts';
import {
  findNamespace,
  getNamespace,
  isActive,
  isRemoving,
  listNamespaces,
} from '../../../src/lib/arm/namespaces.ts';
import { listKeys } from '../../../src/lib/arm/rules.ts';
import { readAppConnections } from '../../../src/lib/services/apps.ts';
import { attachConnection, detachConnection } from '../../../src/lib/services/attach.ts';
import {
  createConnection,
  deleteConnection,
  listConnections,
  showConnection,
} from '../../../src/lib/services/connections.ts';
import { updateConnection } from '../../../src/lib/services/connection-update.ts';
import { planRotation, rotateKeys } from '../../../src/lib/services/keys.ts';
import { checkName, createNamespace, deleteNamespace } from '../../../src/lib/services/namespaces.ts';
import { findOwner, type WantedOwner } from '../../../src/lib/services/owners.ts';
import { createRule, deleteRule } from '../../../src/lib/services/rules.ts';
import { RecordedAzure, type Answer } from '../../helpers/recorded-azure.ts';

const WAITING = { wait: true, timeoutMs: 600_000 };
const AGREED = () => Promise.resolve();
const RULE = 'cliAutho000003';
const EMPTY: Answer = { body: { value: [] } };
const NAME_IS_FREE: Answer = { body: { nameAvailable: true, reason: 'None', message: null } };
const NONE: Answer = { status: 404, body: { error: { code: 'ResourceNotFound', message: 'Not made yet.' } } };

/** Answers that hcm has no use for, with the reason. */
const UNUSED: Record<string, Record<number, string>> = {
  'relay-namespace-2023': {},
  'relay-hyco-2023': {},
  'webapp-hybridconnection-e2e-2023': {
    2: 'hcm makes no plans',
    4: 'hcm makes no apps: it need not know which of their names are free',
    6: 'hcm makes no apps',
    22: "hcm has no use for an app's configuration",
    27: 'hcm does not write a rule that is there',
  },
};

function assertAllUsed(recorded: RecordedAzure, recording: string): void {
  assert.deepEqual(recorded.unused, Object.keys(UNUSED[recording] ?? {}).map(Number));
}

/** A rule of either kind through its whole life; resolves with the rights that it was seen to have. */
async function useRule(
  { azure }: RecordedAzure,
  owner: WantedOwner,
  rights: readonly ['Listen' | 'Send', 'Listen' | 'Send'],
) {
  const [first, second] = rights;
  const made = await createRule(azure, { owner, rule: RULE, rights: [first], replace: false });
  const changed = await createRule(azure, { owner, rule: RULE, rights: [second], replace: true });
  const found = await findOwner(azure, owner);
  const before = await listKeys(azure, found, RULE);
  const request = { owner: found, rule: RULE, moveApps: false };
  await rotateKeys(azure, await planRotation(azure, { ...request, keys: ['primary', 'secondary'] }));
  const deleted = await deleteRule(azure, { owner, rule: RULE, confirm: AGREED });
  assert.deepEqual(
    [made.created, changed.created, changed.changed, deleted.changed],
    [true, false, true, true],
  );
  return { before, rights: [made.rule.rights, changed.rule.rights] };
}

describe('a recorded session with Azure', () => {
  it('about a namespace: made, changed, listed, its rules and keys, deleted', async () => {
    const recording = 'relay-namespace-2023';
    const [name, resourceGroup] = ['relay-nscli000002', 'cli_test_relay_namespace000001'];
    const recorded = new RecordedAzure(recording, {
      // Never asked by the CLI: whether it is there already, and what is in it.
      'GET 000000000000/providers/Microsoft.Relay/namespaces': [EMPTY, 11],
      [`GET /resourceGroups/${resourceGroup}`]: [{ body: { name: resourceGroup, location: 'westus2' } }],
      'GET /hybridConnections': [EMPTY],
      // The CLI wrote all of it anew to change a tag.
      [`PATCH /namespaces/${name}`]: [8],
      // The CLI read rules one by one.
      'GET /authorizationRules': [{ list: [16] }, { list: [16, 14] }],
    });
    const { azure, arm } = recorded;
    const request = { ...WAITING, name, resourceGroup, location: 'westus2' };

    assert.equal((await checkName(azure, name)).available, true);
    const { created, ready, namespace } = await createNamespace(azure, {
      ...request,
      tags: { tag1: 'value1' },
    });
    assert.deepEqual(
      [created, ready, namespace.status, namespace.tags],
      [true, true, 'Active', { tag1: 'value1' }],
    );
    assert.equal(namespace.host, `${name}.servicebus.windows.net`);
    assert.deepEqual(
      arm.reports.filter((text) => text.startsWith('creating')),
      [`creating the namespace "${name}"`, `creating the namespace "${name}": Activating`],
    );
    assert.deepEqual(recorded.sentNow(2), [
      { ...(recorded.sentThen(2) as object), sku: { name: 'Standard', tier: 'Standard' } },
    ]);
    assert.equal((await getNamespace(azure, namespace))?.provisioningState, 'Succeeded');

    const again = await createNamespace(azure, { ...request, tags: { more: 'tags' } });
    assert.deepEqual([again.created, again.changed, again.ready], [false, true, true]);
    assert.deepEqual(
      (await listNamespaces(azure, resourceGroup)).map((one) => one.name),
      [name],
    );
    assert.equal((await findNamespace(azure, name.toUpperCase())).resourceGroup, resourceGroup);

    const { before, rights } = await useRule(recorded, { namespace: name }, ['Send', 'Listen']);
    assert.deepEqual(rights, [['Send'], ['Listen']]);
    assert.match(
      before.primaryConnectionString,
      /^Endpoint=sb:\/\/relay-nscli000002\.servicebus.*SharedAccessKey=[^;]+$/,
    );

    const deleted = await deleteNamespace(azure, { ...WAITING, name, confirm: AGREED });
    assert.deepEqual(deleted, { changed: true, gone: true });
    assert.ok(
      arm.reports.some((text) => text.endsWith(': Removing')),
      arm.reports.join('\n'),
    );
    assertAllUsed(recorded, recording);
  });

  it('about a hybrid connection: made, shown, changed, listed, its rules and keys, deleted', async () => {
    const recording = 'relay-hyco-2023';
    const [namespace, resourceGroup] = ['relay-nscli000002', 'cli_test_relay_hyco000001'];
    const connection = { namespace, name: 'relay-hycocli000004' };
    const rules = '/relay-hycocli000004/authorizationRules';
    const recorded = new RecordedAzure(recording, {
      // Never asked by the CLI: what is there already, and the default rules.
      'GET /providers/Microsoft.Relay/namespaces': [EMPTY, { list: [5] }],
      'POST /checkNameAvailability': [NAME_IS_FREE],
      [`GET /resourceGroups/${resourceGroup}`]: [{ body: { name: resourceGroup, location: 'westus2' } }],
      'GET /hybridConnections/relay-hycocli000004': [NONE, 7, 8],
      [`PUT ${rules}/defaultListener`]: [{ body: {} }],
      [`PUT ${rules}/defaultSender`]: [{ body: {} }],
      'GET /Microsoft.Web/sites': [EMPTY],
      // The CLI read rules one by one.
      [`GET ${rules}`]: [EMPTY, EMPTY, { list: [12] }, EMPTY, { list: [13] }],
    });
    const { azure, arm } = recorded;
    const made = await createNamespace(azure, { ...WAITING, name: namespace, resourceGroup });
    assert.deepEqual([made.ready, made.namespace.status], [true, 'Active']);

    const created = await createConnection(azure, { connection, timeoutMs: WAITING.timeoutMs });
    assert.deepEqual([created.changed, created.connection.name], [true, connection.name]);
    const shown = await showConnection(azure, connection);
    assert.deepEqual(
      [shown.connection.listenerCount, shown.connection.requiresClientAuthorization, shown.connection.target],
      [0, true, undefined],
    );
    assert.deepEqual(shown.rules, [{ name: RULE, rights: ['Listen'] }]);
    const target = { host: 'db', port: 5432 };
    const updated = await updateConnection(azure, { connection, target, confirmReplacement: AGREED });
    assert.deepEqual([updated.changed, updated.connection.name], [true, connection.name]);
    assert.deepEqual(
      (await listConnections(azure, { namespace })).map((one) => `${one.namespace}/${one.name}`),
      [`${namespace}/${connection.name}`],
    );

    const { before, rights } = await useRule(recorded, connection, ['Listen', 'Send']);
    assert.deepEqual(rights, [['Listen'], ['Send']]);
    assert.match(before.primaryConnectionString, /;EntityPath=relay-hycocli000004$/);
    assert.equal((await deleteConnection(azure, { connection, confirm: AGREED })).changed, true);
    const deleted = await deleteNamespace(azure, { ...WAITING, name: namespace, confirm: AGREED });
    assert.deepEqual(deleted, { changed: true, gone: true });
    assert.ok(
      arm.reports.some((text) => text.endsWith(': Removing')),
      arm.reports.join('\n'),
    );
    assertAllUsed(recorded, recording);
  });

  it('about an app and its slot: attached, listed, detached', async () => {
    const recording = 'webapp-hybridconnection-e2e-2023';
    const resourceGroup = 'clitest.rg000001';
    const connection = { namespace: 'hcnamespace000004', name: 'hcname000005' };
    const app = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites/hcwebapp000002`;
    const slot = 'hcwebapp000002-stage';
    const rules = '/hcname000005/authorizationRules';
    const recorded = new RecordedAzure(recording, {
      'GET /providers/Microsoft.Relay/namespaces': [EMPTY, 14, 24],
      'POST /Microsoft.Relay/checkNameAvailability': [NAME_IS_FREE],
      'GET /hybridConnections/hcname000005': [NONE, 15, 25],
      [`PUT ${rules}/defaultListener`]: [{ body: {} }],
      [`GET ${rules}`]: [16, 16, 26],
      // Looked at before something is attached, after that, before it is detached, and in the end.
      [`GET /sites/hcwebapp000002/hybridConnectionRelays`]: [32, 20, 20, 20, 32],
      [`GET /slots/${slot}/hybridConnectionRelays`]: [34, 30, 30, 30, 34],
      // The CLI made the slot and was told what it is.
      [`GET /sites/hcwebapp000002/slots/${slot}`]: [23],
    });
    const { azure, arm } = recorded;
    assert.equal((await getResourceGroup(azure, resourceGroup))?.location, 'westeurope');
    const { namespace } = await createNamespace(azure, {
      ...WAITING,
      name: connection.namespace,
      resourceGroup,
    });
    assert.deepEqual([namespace.status, namespace.location], ['Active', 'West Europe']);
    const target = { host: 'vmsq1', port: 80 };
    const made = await createConnection(azure, { connection, target, timeoutMs: WAITING.timeoutMs });
    assert.equal(made.connection.target, 'vmsq1:80');
    assert.deepEqual(recorded.sentNow(17), [recorded.sentThen(17)]);
    const plan = await getPlan(azure, {
      subscriptionId: azure.subscriptionId,
      resourceGroup,
      name: 'hcplan000003',
    });
    assert.deepEqual([plan.sku, plan.tier], ['S1', 'Standard']);

    for (const [where, put, attachedAs] of [
      [{}, 19, 'hcwebapp000002'],
      [{ slot }, 29, slot],
    ] as const) {
      const attached = await attachConnection(azure, { app, ...where, connection });
      assert.deepEqual([attached.changed, attached.warnings], [true, []]);
      assert.equal(attached.app.slot ?? attached.app.name, attachedAs);
      assert.deepEqual(recorded.sentNow(put), [recorded.sentThen(put)]);
      const listed = await readAppConnections(azure, app, where);
      assert.deepEqual(
        listed.connections.map(({ relayId, ...relay }) => [
          relay,
          relayId.toLowerCase().endsWith('/hybridconnections/hcname000005'),
        ]),
        [
          [
            {
              namespace: connection.namespace,
              connection: connection.name,
              target,
              keyName: 'defaultSender',
              suffix: '.servicebus.windows.net',
            },
            true,
          ],
        ],
      );
      assert.equal((await detachConnection(azure, { app, ...where, connection })).changed, true);
      assert.equal((await detachConnection(azure, { app, ...where, connection })).changed, false);
    }
    assert.ok(
      arm.reports.some((text) => text.includes('"hcplan000003"')),
      'its limit was not recorded',
    );
    assertAllUsed(recorded, recording);
  });

  it('about a namespace that is being deleted: Succeeded does not mean that it is there', async () => {
    const ref = {
      subscriptionId: '00000000-0000-0000-0000-000000000000',
      ...{ resourceGroup: 'cli_test_relay_namespace000001', name: 'relay-nscli000002' },
    };
    const { azure } = new RecordedAzure('relay-namespace-2023', { [`GET /namespaces/${ref.name}`]: [22] });
    const namespace = await getNamespace(azure, ref);
    assert.ok(namespace);
    assert.equal(namespace.provisioningState, 'Succeeded');
    assert.deepEqual([isActive(namespace), isRemoving(namespace)], [false, true]);
  });
});
