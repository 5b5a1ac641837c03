/** Resource Manager's own resources: the cloud's metadata, subscriptions, groups, providers. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { at, errorIn, useArm } from './arm-under-test.ts';

const CORE = '?api-version=2022-09-01';
const RELAY = '?api-version=2017-04-01';

describe('resources of the local Resource Manager', () => {
  expectNothingLeft();
  const startArm = useArm();

  it('begin with a description of the cloud, in the form of each time, for everybody', async () => {
    const { ask, endpoint, emulator } = await startArm();
    const get = (version: string) =>
      ask('GET', `/metadata/endpoints?api-version=${version}`, undefined, { token: null });
    const now = await get('2022-09-01');
    deepEqual(
      [at(now, 'name'), at(now, 'resourceManager'), at(now, 'authentication.loginEndpoint')],
      ['local', `${endpoint}/`, endpoint],
    );
    deepEqual(at(now, 'authentication.audiences'), [
      `${endpoint}/`,
      'https://management.core.windows.net/',
      'https://management.azure.com/',
    ]);
    equal(at(now, 'suffixes.relay'), `servicebus.localhost:${emulator.port}`);
    deepEqual((await get('2019-05-01')).body, [now.body]);
    for (const version of ['2015-01-01', '2018-05-01']) {
      const early = await get(version);
      deepEqual(at(early, 'authentication'), at(now, 'authentication'));
      for (const name of ['galleryEndpoint', 'graphEndpoint', 'portalEndpoint']) {
        equal(typeof at(early, name), 'string');
      }
    }
    equal(errorIn(await get('1999-01-01')).code, 'InvalidApiVersionParameter');
  });

  it('have what azure-cli reads of a cloud', async () => {
    const { ask } = await startArm();
    const { body } = await ask('GET', '/metadata/endpoints?api-version=2019-05-01', undefined, {
      token: null,
    });
    const [cloud] = body as Record<string, unknown>[];
    // azure-cli-core, cloud.py: _arm_to_cli_mapper reads these by name.
    const names = ['name', 'resourceManager', 'sqlManagement', 'batch', 'gallery', 'graphAudience'];
    for (const name of [...names, 'vmImageAliasDoc', 'media']) equal(typeof cloud?.[name], 'string', name);
    for (const name of ['storage', 'keyVaultDns', 'sqlServerHostname']) {
      equal(typeof at({ body: cloud }, `suffixes.${name}`), 'string', name);
    }
  });

  it('are in subscriptions of one tenant', async () => {
    const { ask, subscription, emulator } = await startArm({
      subscriptions: [{ displayName: 'Second', subscriptionId: '22222222-2222-4222-8222-222222222222' }],
    });
    const listed = await ask('GET', `/subscriptions${CORE}`);
    equal(at(listed, 'count.value'), 2);
    const one = await ask('GET', `${subscription}${CORE}`);
    deepEqual(at(listed, 'value.0'), one.body);
    deepEqual(
      [at(one, 'displayName'), at(one, 'state'), at(one, 'tenantId'), at(one, 'id')],
      ['Local', 'Enabled', emulator.state.tenantId, subscription],
    );
    equal(at(await ask('GET', `/tenants${CORE}`), 'value.0.tenantId'), emulator.state.tenantId);
    const locations = at(await ask('GET', `${subscription}/locations${CORE}`), 'value') as { name: string }[];
    equal(
      locations.some(({ name }) => name === 'westeurope'),
      true,
    );
  });

  it('are in groups, which are made, changed, found and removed with all that is in them', async () => {
    const { ask, subscription, relay, clock, emulator } = await startArm({ behaviour: { removalMs: 5_000 } });
    const path = `${subscription}/resourcegroups/Mine${CORE}`;
    equal((await ask('HEAD', path)).status, 404);
    const made = await ask('PUT', path, { location: 'West US 2', tags: { a: 'b' } });
    equal(made.status, 201);
    deepEqual(made.body, {
      id: `${subscription}/resourceGroups/Mine`,
      ...{ name: 'Mine', type: 'Microsoft.Resources/resourceGroups', location: 'westus2', tags: { a: 'b' } },
      properties: { provisioningState: 'Succeeded' },
    });
    equal((await ask('HEAD', path)).status, 204);
    equal((await ask('PUT', path, { location: 'westus2', tags: { a: 'b' } })).status, 200);
    equal(errorIn(await ask('PUT', path, { location: 'eastus' })).code, 'InvalidResourceGroupLocation');
    deepEqual(at(await ask('PATCH', path, { tags: { c: 'd' } }), 'tags'), { c: 'd' });
    deepEqual(
      (at(await ask('GET', `${subscription}/resourcegroups${CORE}`), 'value') as { name: string }[]).map(
        ({ name }) => name,
      ),
      ['local', 'Mine'],
    );

    const namespaces = `${relay.replace('/local/', '/mine/')}/namespaces`;
    await ask('PUT', `${namespaces}/made-here${RELAY}`, { location: 'westus2' });
    const removed = await ask('DELETE', path);
    equal(removed.status, 202);
    const { pathname, search } = new URL(String(removed.headers.location));
    equal((await ask('GET', pathname + search)).status, 202);
    equal(at(await ask('GET', path), 'properties.provisioningState'), 'Deleting');
    equal(
      errorIn(await ask('PUT', `${namespaces}/another${RELAY}`, { location: 'westus2' })).code,
      'ResourceGroupBeingDeleted',
    );
    clock.advance(5_000);
    equal((await ask('GET', pathname + search)).status, 200);
    deepEqual([(await ask('GET', path)).status, (await ask('DELETE', path)).status], [404, 404]);
    deepEqual(
      emulator.state.namespaces.map(({ name }) => name),
      ['local-relay'],
    );
  });

  it('have groups with names and places that can be', async () => {
    const { ask, subscription } = await startArm();
    const put = async (name: string, location: unknown) =>
      errorIn(
        await ask('PUT', `${subscription}/resourcegroups/${encodeURIComponent(name)}${CORE}`, { location }),
      ).code;
    equal(await put('a b', 'westus2'), 'InvalidResourceGroup');
    equal(await put('ends.', 'westus2'), 'InvalidResourceGroup');
    equal(await put('x'.repeat(91), 'westus2'), 'InvalidResourceGroup');
    equal(await put('fine', 'Atlantis'), 'LocationNotAvailableForResourceGroup');
    equal(await put('fine', undefined), 'LocationRequired');
  });

  it('are listed together, by group and by type', async () => {
    const { ask, subscription } = await startArm();
    const typesAt = async (path: string) =>
      (at(await ask('GET', path), 'value') as { type: string }[]).map(({ type }) => type);
    const all = [
      ...['Microsoft.Relay/namespaces', 'Microsoft.Web/serverFarms', 'Microsoft.Web/sites'],
      ...['Microsoft.Web/sites/slots', 'Microsoft.Web/sites'],
    ];
    deepEqual(await typesAt(`${subscription}/resources${CORE}`), all);
    deepEqual(await typesAt(`${subscription}/resourceGroups/LOCAL/resources${CORE}`), all);
    const filter = encodeURIComponent("resourceType eq 'Microsoft.Relay/Namespaces'");
    deepEqual(await typesAt(`${subscription}/resources${CORE}&$filter=${filter}`), [
      'Microsoft.Relay/namespaces',
    ]);
  });

  it('need a registered provider, and registration takes its time', async () => {
    const { ask, subscription, relay, clock } = await startArm({
      registeredProviders: [],
      behaviour: { registrationMs: 70_000 },
    });
    const provider = `${subscription}/providers/Microsoft.Relay`;
    const refused = await ask('PUT', `${relay}/namespaces/made-here${RELAY}`, { location: 'westus2' });
    deepEqual([refused.status, errorIn(refused).code], [409, 'MissingSubscriptionRegistration']);
    equal(
      errorIn(refused).message,
      "The subscription is not registered to use namespace 'Microsoft.Relay'. See https://aka.ms/rps-not-found for how to register subscriptions.",
    );
    const state = async () => at(await ask('GET', provider + CORE), 'registrationState');
    equal(await state(), 'NotRegistered');
    equal(at(await ask('POST', `${provider}/register${CORE}`), 'registrationState'), 'Registering');
    equal(await state(), 'Registering');
    clock.advance(70_000);
    equal(await state(), 'Registered');
    equal((await ask('PUT', `${relay}/namespaces/made-here${RELAY}`, { location: 'westus2' })).status, 200);
    equal(at(await ask('POST', `${provider}/unregister${CORE}`), 'registrationState'), 'Unregistering');
    equal(await state(), 'NotRegistered');
    const listed = at(await ask('GET', `${subscription}/providers${CORE}`), 'value') as {
      namespace: string;
    }[];
    for (const name of ['Microsoft.Relay', 'Microsoft.Web']) {
      equal(
        listed.some(({ namespace }) => namespace === name),
        true,
      );
    }
    match(
      errorIn(await ask('GET', `${subscription}/providers/Microsoft.None${CORE}`)).message,
      /'Microsoft\.None' is invalid/,
    );
  });
});
