/** @azure/arm-appservice against the emulator, used as its documentation does: given the endpoint and the authority. */
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import type { WebSiteManagementClient } from '@azure/arm-appservice';
import { createEmulator, type Emulator } from '../../../src/emulator/create-emulator.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';

const GROUP = 'local';

describe("Microsoft's client for App Service", () => {
  expectNothingLeft();

  let emulator: Emulator;
  let client: WebSiteManagementClient;

  beforeEach(async () => {
    emulator = await createEmulator({ connections: [{ name: 'orders', target: 'db:5432' }] });
    const { ClientSecretCredential } = await import('@azure/identity');
    const appService = await import('@azure/arm-appservice');
    const { tenantId, clientId, clientSecret, subscriptionId } = emulator.state;
    const endpoint = `https://localhost:${emulator.port}`;
    const tlsOptions = { ca: emulator.caPem };
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
      ...{ authorityHost: endpoint, disableInstanceDiscovery: true, tlsOptions },
    });
    client = new appService.WebSiteManagementClient(credential, subscriptionId, { endpoint, tlsOptions });
  });
  afterEach(() => emulator.stop());

  const attachment = (sendKeyValue: string) => ({
    ...{ serviceBusNamespace: 'local-relay', relayName: 'orders', hostname: 'db', port: 5432 },
    relayArmUri: `/subscriptions/${emulator.state.subscriptionId}/resourceGroups/local/providers/Microsoft.Relay/namespaces/local-relay/hybridConnections/orders`,
    ...{ sendKeyName: 'defaultSender', sendKeyValue, serviceBusSuffix: '.servicebus.windows.net' },
  });

  it('attaches, changes, lists and detaches hybrid connections of apps and slots', async () => {
    const { webApps } = client;
    const names = ['local-relay', 'orders'] as const;
    const made = await webApps.createOrUpdateHybridConnection(
      GROUP,
      'local-app',
      ...names,
      attachment('one'),
    );
    deepEqual([made.relayName, made.hostname, made.port, made.sendKeyValue], ['orders', 'db', 5432, '']);
    await webApps.createOrUpdateHybridConnectionSlot(
      GROUP,
      'local-app',
      ...names,
      'staging',
      attachment('one'),
    );
    // Typed as one connection, and a list on the wire.
    const list = (await webApps.listHybridConnections(GROUP, 'local-app')) as { value?: { name: string }[] };
    deepEqual(
      list.value?.map(({ name }) => name),
      ['orders'],
    );
    const changed = await webApps.updateHybridConnection(GROUP, 'local-app', ...names, {
      sendKeyValue: 'two',
    });
    equal(changed.sendKeyName, 'defaultSender');
    equal((await webApps.getHybridConnectionSlot(GROUP, 'local-app', ...names, 'staging')).port, 5432);
    await webApps.deleteHybridConnection(GROUP, 'local-app', ...names);
    await webApps.deleteHybridConnectionSlot(GROUP, 'local-app', ...names, 'staging');
    await rejects(webApps.getHybridConnection(GROUP, 'local-app', ...names), { statusCode: 404 });
  });

  it("reads a plan's connections, their keys, their users and the limit", async () => {
    const { appServicePlans, webApps } = client;
    const names = ['local-relay', 'orders'] as const;
    await webApps.createOrUpdateHybridConnection(GROUP, 'local-func', ...names, attachment('secret'));
    const limit = await appServicePlans.getHybridConnectionPlanLimit(GROUP, 'local-plan');
    deepEqual([limit.current, limit.maximum], [1, 25]);
    const relays = await collect(appServicePlans.listHybridConnections(GROUP, 'local-plan'));
    deepEqual(
      relays.map(({ relayName }) => relayName),
      ['orders'],
    );
    const keys = await appServicePlans.listHybridConnectionKeys(GROUP, 'local-plan', ...names);
    deepEqual([keys.sendKeyName, keys.sendKeyValue], ['defaultSender', 'secret']);
    const users = await collect(appServicePlans.listWebAppsByHybridConnection(GROUP, 'local-plan', ...names));
    match(users[0] ?? '', /"name":"local-func"/);
    await appServicePlans.deleteHybridConnection(GROUP, 'local-plan', ...names);
    equal(emulator.state.sites.find(({ name }) => name === 'local-func')?.relays.length, 0);
  });

  it('makes plans, apps and slots, lists and deletes them', async () => {
    const { appServicePlans, webApps } = client;
    const location = 'North Europe';
    const plan = await appServicePlans.beginCreateOrUpdateAndWait(GROUP, 'plan', {
      location,
      sku: { name: 'P1v3' },
    });
    deepEqual([plan.sku?.tier, plan.provisioningState], ['PremiumV3', 'Succeeded']);
    const site = { location, serverFarmId: plan.id ?? '', kind: 'functionapp' };
    const app = await webApps.beginCreateOrUpdateAndWait(GROUP, 'app-a', site);
    deepEqual([app.kind, app.state, app.serverFarmId], ['functionapp', 'Running', plan.id]);
    const slot = await webApps.beginCreateOrUpdateSlotAndWait(GROUP, 'app-a', 'blue', { location });
    equal(slot.name, 'app-a/blue');
    const apps = await collect(webApps.list());
    deepEqual(
      apps.map(({ name }) => name),
      ['local-app', 'local-func', 'app-a'],
    );
    equal((await collect(webApps.listSlots(GROUP, 'app-a'))).length, 1);
    equal((await webApps.getConfiguration(GROUP, 'app-a')).minTlsVersion, '1.2');
    await webApps.deleteSlot(GROUP, 'app-a', 'blue');
    await webApps.delete(GROUP, 'app-a', { deleteEmptyServerFarm: false });
    await appServicePlans.delete(GROUP, 'plan');
    await appServicePlans.delete(GROUP, 'plan');
    equal((await collect(appServicePlans.listByResourceGroup(GROUP))).length, 1);
  });

  it("gets App Service's own errors and ARM's, and is not told to wait at a lock", async () => {
    const { webApps, appServicePlans } = client;
    const names = ['local-relay', 'orders'] as const;
    emulator.faults.arm.exclusiveLocks = 1;
    const attach = (app: string) =>
      webApps.createOrUpdateHybridConnection(GROUP, app, ...names, attachment('one'));
    await rejects(attach('local-app'), (error: { statusCode: number; message: string }) => {
      equal(error.statusCode, 429);
      match(error.message, /"Code":"429","Message":"Cannot acquire exclusive lock/);
      return true;
    });
    await rejects(attach('nobody'), (error: { details: { Code: string; Message: string } }) => {
      deepEqual(
        [error.details.Code, error.details.Message],
        ['NotFound', 'Cannot find WebSite with name nobody.'],
      );
      return true;
    });
    await rejects(appServicePlans.delete(GROUP, 'local-plan'), { statusCode: 409 });
    await rejects(webApps.get(GROUP, 'nobody'), { statusCode: 404, code: 'ResourceNotFound' });
    await rejects(webApps.get('nowhere', 'nobody'), { statusCode: 404, code: 'ResourceGroupNotFound' });
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
