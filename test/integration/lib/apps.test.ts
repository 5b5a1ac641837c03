// Apps, plans and their limits: hcm's services against the emulator's Resource Manager.
import assert from 'node:assert/strict';
import type { PlanState } from '../../../src/emulator/web-state.ts';
import { appName } from '../../../src/lib/arm/apps.ts';
import { findAttachments, listAppConnections } from '../../../src/lib/services/apps.ts';
import { attachConnection } from '../../../src/lib/services/attach.ts';
import { showPlan } from '../../../src/lib/services/plans.ts';
import { AzureBed } from '../../helpers/azure-bed.ts';

describe('apps and plans', () => {
  let bed: AzureBed;
  before(async () => {
    bed = await AzureBed.start({
      connections: [
        { name: 'db', target: 'db:5432' },
        { name: 'web', target: 'web:80' },
      ],
    });
    for (const [app, name, slot] of [
      ['local-app', 'db', undefined],
      ['local-app', 'web', undefined],
      ['local-app', 'db', 'staging'],
    ] as const) {
      const connection = { namespace: 'local-relay', name };
      await attachConnection(bed.azure, { app, slot, connection });
    }
  });
  after(() => bed.stop());
  afterEach(() => {
    bed.emulator.faults.arm.clear();
    plan().sku = { name: 'S1', tier: 'Standard', size: 'S1', family: 'S', capacity: 1 };
  });

  const plan = (): PlanState => {
    const [found] = bed.emulator.state.plans;
    assert.ok(found);
    return found;
  };
  const listed = async (filter?: Parameters<typeof listAppConnections>[1]) =>
    (await listAppConnections(bed.azure, filter)).map(
      ({ app, connections }) =>
        `${appName(app)}: ${connections.map(({ connection }) => connection).join(' ')}`,
    );

  it('are listed with their slots, Functions apps too, and what is attached', async () => {
    assert.deepEqual(await listed(), ['local-app: db web', 'local-app (slot staging): db', 'local-func: ']);
    assert.deepEqual(await listed({ resourceGroup: 'LOCAL' }), await listed());
  });

  it('only those that use a namespace, by its name or its host', async () => {
    const wanted = ['local-app: db web', 'local-app (slot staging): db'];
    assert.deepEqual(await listed({ namespace: 'Local-Relay' }), wanted);
    assert.deepEqual(await listed({ namespace: 'local-relay.servicebus.localhost:1' }), wanted);
    assert.deepEqual(await listed({ namespace: 'other' }), []);
  });

  it('without slots and connections where an app runs in no plan, or in a Free one', async () => {
    const [, func] = bed.emulator.state.sites;
    assert.ok(func);
    const { planId } = func;
    func.planId = '';
    bed.refuse({ status: 500, path: /\/(?:slots|hybridConnectionRelays)/ });
    await assert.rejects(listed(), { code: 'HCM_AZURE_UNAVAILABLE' });
    plan().sku = { name: 'F1', tier: 'Free', size: 'F1', family: 'F', capacity: 0 };
    assert.deepEqual(await listed(), ['local-app: ', 'local-func: ']);
    func.planId = planId;
  });

  it('the apps of one connection are found, whatever the case of its name', async () => {
    const found = await findAttachments(bed.azure, { name: 'LOCAL-relay', connection: 'DB' });
    assert.deepEqual(
      found.map(({ app, relay }) => [appName(app), relay.target.port]),
      [
        ['local-app', 5432],
        ['local-app (slot staging)', 5432],
      ],
    );
  });

  it('a Standard plan shows how much of its limit is used, each connection counted once', async () => {
    const report = await showPlan(bed.azure, { plan: 'LOCAL-PLAN' });
    const { scope, maximum, used, connections, apps } = report;
    assert.deepEqual([scope, maximum, used, connections.length, apps.length], ['plan', 25, 2, 2, 3]);
    assert.deepEqual(await showPlan(bed.azure, { app: 'local-func' }), report);
  });

  it('a Premium plan counts by app, and a Free one has none', async () => {
    plan().sku = { name: 'P1v3', tier: 'PremiumV3', size: 'P1v3', family: 'Pv3', capacity: 1 };
    const { scope, maximum, used } = await showPlan(bed.azure, { app: 'local-app' });
    assert.deepEqual([scope, maximum, used], ['app', 220, 2]);
    plan().sku = { name: 'F1', tier: 'Free', size: 'F1', family: 'F', capacity: 0 };
    const free = await showPlan(bed.azure, { app: 'local-app' });
    assert.deepEqual([free.scope, free.maximum, free.plan.tier], ['none', 0, 'Free']);
  });

  it('an unknown plan, app and resource group are told apart', async () => {
    await assert.rejects(showPlan(bed.azure, { plan: 'nope' }), /no App Service plan "nope"/);
    await assert.rejects(showPlan(bed.azure, { app: 'nope' }), /no app "nope"/);
    await assert.rejects(showPlan(bed.azure, { plan: 'local-plan', resourceGroup: 'nope' }), {
      code: 'HCM_RESOURCE_NOT_FOUND',
    });
  });

  it('two plans of one name need a resource group', async () => {
    const { state } = bed.emulator;
    const twin = { ...plan(), resourceGroup: 'other' };
    state.resourceGroups.push({ ...twin, name: 'other', tags: {} });
    state.plans.push(twin);
    await assert.rejects(showPlan(bed.azure, { plan: 'local-plan' }), {
      code: 'HCM_RESOURCE_AMBIGUOUS',
      message: 'There are 2 plans "local-plan", in the resource groups local, other.',
    });
    const { plan: found } = await showPlan(bed.azure, { plan: 'local-plan', resourceGroup: 'other' });
    assert.equal(found.resourceGroup, 'other');
    state.plans.pop();
  });

  it('who may not list apps hears so', async () => {
    bed.refuse({ status: 403, code: 'AuthorizationFailed', path: /Microsoft\.Web\/sites$/i });
    await assert.rejects(listed(), { code: 'HCM_AZURE_FORBIDDEN' });
  });
});
