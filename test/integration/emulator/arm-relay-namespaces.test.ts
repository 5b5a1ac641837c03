/** Relay namespaces through Resource Manager: made, changed and removed, in both shapes that Azure has been seen in. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { at, errorIn, useArm, type ArmResponse } from './arm-under-test.ts';

const OLD = '?api-version=2017-04-01';
const NEW = '?api-version=2026-07-01-preview';

const words = (answer: ArmResponse) => [
  at(answer, 'properties.provisioningState'),
  at(answer, 'properties.status'),
];
const pathOf = (url: unknown) => {
  const { pathname, search } = new URL(String(url));
  return pathname + search;
};

describe('namespaces of the local Resource Manager', () => {
  expectNothingLeft();
  const startArm = useArm();

  it('are there at first: one, which can be listed and read', async () => {
    const { ask, relay, subscription, emulator } = await startArm();
    const read = await ask('GET', `${relay}/namespaces/LOCAL-RELAY${OLD}`);
    equal(read.status, 200);
    equal(at(read, 'location'), 'West Europe');
    equal(
      at(read, 'properties.serviceBusEndpoint'),
      `https://local-relay.servicebus.localhost:${emulator.port}/`,
    );
    for (const path of [`${relay}/namespaces`, `${subscription}/providers/Microsoft.Relay/namespaces`]) {
      deepEqual((await ask('GET', path + OLD)).body, { value: [read.body] });
    }
  });

  it('are created with 200 and a state to look at, as with 2017-04-01', async () => {
    const { ask, relay, clock } = await startArm();
    const path = `${relay}/namespaces/made-here${OLD}`;
    const created = await ask('PUT', path, { location: 'West US 2', tags: { a: 'b' } });
    equal(created.status, 200);
    deepEqual(words(created), ['Created', 'Activating']);
    for (const header of ['location', 'azure-asyncoperation', 'retry-after']) {
      equal(created.headers[header], undefined);
    }
    deepEqual((await ask('GET', path)).body, created.body);
    clock.advance(50);
    const ready = await ask('GET', path);
    deepEqual(words(ready), ['Succeeded', 'Active']);
    deepEqual([at(ready, 'location'), at(ready, 'tags')], ['West US 2', { a: 'b' }]);
  });

  it('are created with 201 and the address of an operation, as with the newest versions', async () => {
    const { ask, relay, clock } = await startArm({ behaviour: { provisioningMs: 40_000 } });
    const path = `${relay}/namespaces/made-here${NEW}`;
    const created = await ask('PUT', path, { location: 'westus2' });
    equal(created.status, 201);
    deepEqual(words(created), ['Creating', 'Creating']);
    equal(created.headers['retry-after'], '40');
    const operation = pathOf(created.headers['azure-asyncoperation']);
    const result = pathOf(created.headers.location);
    match(operation, /\/locations\/westus2\/namespaceOperationResults\/[0-9a-f-]{36}\?isAsyncHeader=true/);
    equal(at(await ask('GET', operation), 'status'), 'Running');
    equal((await ask('GET', result)).status, 202);
    clock.advance(40_000);
    equal(at(await ask('GET', operation), 'status'), 'Succeeded');
    const ready = await ask('GET', path);
    deepEqual(words(ready), ['Succeeded', 'Active']);
    deepEqual((await ask('GET', result)).body, ready.body);
    deepEqual(
      [at(ready, 'location'), at(ready, 'properties.publicNetworkAccess'), at(ready, 'properties.errors')],
      ['westus2', 'Enabled', []],
    );
  });

  it('are created in the shape that was chosen, whatever the version', async () => {
    const { ask, relay } = await startArm({
      behaviour: { namespaceCreation: 'operation', provisioningMs: 10 },
    });
    const created = await ask('PUT', `${relay}/namespaces/made-here${OLD}`, { location: 'westus2' });
    equal(created.status, 201);
    match(String(created.headers['azure-asyncoperation']), /api-version=2017-04-01/);
  });

  it('take as long as a fault says, or no time at all', async () => {
    const { ask, relay, clock, emulator } = await startArm({ behaviour: { provisioningMs: 0 } });
    const create = (name: string) => ask('PUT', `${relay}/namespaces/${name}${OLD}`, { location: 'westus2' });
    deepEqual(words(await create('at-once')), ['Succeeded', 'Active']);
    emulator.faults.arm.creationMs = 60_000;
    deepEqual(words(await create('slowly')), ['Created', 'Activating']);
    clock.advance(59_999);
    deepEqual(words(await ask('GET', `${relay}/namespaces/slowly${OLD}`)), ['Created', 'Activating']);
    clock.advance(1);
    deepEqual(words(await ask('GET', `${relay}/namespaces/slowly${OLD}`)), ['Succeeded', 'Active']);
  });

  it('cannot be filled or changed before they are ready', async () => {
    const { ask, relay } = await startArm();
    await ask('PUT', `${relay}/namespaces/made-here${OLD}`, { location: 'westus2' });
    const child = await ask('PUT', `${relay}/namespaces/made-here/hybridConnections/a${OLD}`, {});
    equal(child.status, 404);
    match(
      errorIn(child).message,
      /^The namespace made-here in subscription \S+ is not active, its current state is Created\.$/,
    );
    const again = await ask('PUT', `${relay}/namespaces/made-here${OLD}`, { location: 'westus2' });
    deepEqual([again.status, errorIn(again).code], [409, 'Conflict']);
    match(errorIn(again).message, /^Namespace provisioning in transition/);
  });

  it('are changed by another PUT, which replaces the tags, and by a PATCH', async () => {
    const { ask, relay, clock } = await startArm({ behaviour: { provisioningMs: 100 } });
    const path = `${relay}/namespaces/local-relay${OLD}`;
    const put = await ask('PUT', path, { location: 'westeurope', tags: { a: '1' } });
    equal(put.status, 200);
    deepEqual(words(put), ['Updating', 'Activating']);
    clock.advance(10);
    const patched = await ask('PATCH', path, { tags: { b: '2' } });
    equal(patched.status, 200);
    clock.advance(10);
    deepEqual(at(await ask('GET', path), 'tags'), { b: '2' });
    await ask('PUT', path, { location: 'westeurope' });
    deepEqual(at(await ask('GET', path), 'tags'), {});
    const moved = await ask('PUT', path, { location: 'westus2' });
    deepEqual([moved.status, errorIn(moved).code], [409, 'InvalidResourceLocation']);
  });

  it('are removed with 202, and listed as Removing until they are gone', async () => {
    const { ask, relay, clock, emulator } = await startArm({ behaviour: { removalMs: 37_000 } });
    const path = `${relay}/namespaces/local-relay${OLD}`;
    emulator.addConnection('one');
    const removed = await ask('DELETE', path);
    deepEqual([removed.status, removed.body], [202, undefined]);
    const result = pathOf(removed.headers.location);
    equal(result, `${relay}/namespaces/local-relay/operationresults/local-relay${OLD}`);
    const poll = await ask('GET', result);
    deepEqual(
      [poll.status, poll.headers['retry-after'], ...words(poll)],
      [202, '37', 'Succeeded', 'Removing'],
    );
    const listed = await ask('GET', `${relay}/namespaces${OLD}`);
    equal(at(listed, 'value.0.properties.status'), 'Removing');
    deepEqual(emulator.connections, []);
    equal((await ask('DELETE', path)).status, 202);
    clock.advance(37_000);
    deepEqual([(await ask('GET', result)).status, (await ask('GET', path)).status], [200, 404]);
    equal((await ask('DELETE', path)).status, 204);
    emulator.addConnection('two');
    equal(at(await ask('GET', path), 'properties.status'), 'Active');
  });

  it('are removed with both addresses, as with the newest versions', async () => {
    const { ask, relay, clock } = await startArm();
    const removed = await ask('DELETE', `${relay}/namespaces/local-relay${NEW}`);
    equal(removed.status, 202);
    const operation = pathOf(removed.headers['azure-asyncoperation']);
    equal(at(await ask('GET', operation), 'status'), 'Running');
    clock.advance(50);
    equal(at(await ask('GET', operation), 'status'), 'Succeeded');
    equal((await ask('GET', pathOf(removed.headers.location))).status, 204);
  });

  it('have names that are checked, and that nobody else has', async () => {
    const { ask, relay, emulator } = await startArm({ subscriptions: [{ displayName: 'Second' }] });
    const put = (path: string) => ask('PUT', `${path}${OLD}`, { location: 'westus2' });
    for (const name of ['short', '1begins', 'ends-', 'x'.repeat(51), 'under_score', 'taken-mgmt']) {
      const refused = await put(`${relay}/namespaces/${name}`);
      deepEqual([refused.status, errorIn(refused).code], [400, 'BadRequest'], name);
      match(errorIn(refused).message, /^The specified service namespace is invalid\. CorrelationId: /);
    }
    const second = emulator.state.subscriptions[1]?.subscriptionId ?? '';
    const group = `/subscriptions/${second}/resourceGroups/other`;
    await ask('PUT', `${group}?api-version=2022-09-01`, { location: 'westus2' });
    const taken = await put(`${group}/providers/Microsoft.Relay/namespaces/Local-Relay`);
    deepEqual([taken.status, errorIn(taken).code], [400, 'BadRequest']);
    match(errorIn(taken).message, /^The specified name is not available\./);
  });

  it('can be asked for by name before they are made', async () => {
    const { ask, subscription } = await startArm();
    const check = async (name: string, version = OLD, scope = subscription) => {
      const path = `${scope}/providers/Microsoft.Relay/checkNameAvailability${version}`;
      return (await ask('POST', path, { name })).body;
    };
    deepEqual(await check('not-yet-there'), { nameAvailable: true, reason: 'None', message: null });
    deepEqual(await check('not-yet-there', NEW, ''), {
      ...{ nameAvailable: true, reason: 'None', message: 'Namespace name available' },
    });
    deepEqual(await check('LOCAL-relay'), {
      ...{ nameAvailable: false, reason: 'NameInUse', message: 'The specified name is not available.' },
    });
    equal(((await check('no')) as { reason: string }).reason, 'InvalidName');
  });

  it('take locations and SKUs that there are, and network settings of newer versions', async () => {
    const { ask, relay } = await startArm();
    const put = (body: object, version = OLD) => ask('PUT', `${relay}/namespaces/made-here${version}`, body);
    equal(errorIn(await put({})).code, 'LocationRequired');
    const elsewhere = await put({ location: 'Atlantis' });
    equal(errorIn(elsewhere).code, 'LocationNotAvailableForResourceType');
    match(
      errorIn(elsewhere).message,
      /'Atlantis' is not available for resource type 'Microsoft\.Relay\/namespaces'.*westeurope/,
    );
    equal((await put({ location: 'westus2', sku: { name: 'Premium' } })).status, 400);
    equal((await put({ location: 'westus2', tags: { a: {} } })).status, 400);
    const properties = { publicNetworkAccess: 'Disabled', minimumTlsVersion: '1.1' };
    const made = await put({ location: 'westus2', sku: { name: 'Standard' }, properties }, NEW);
    deepEqual(
      [at(made, 'properties.publicNetworkAccess'), at(made, 'properties.minimumTlsVersion')],
      ['Disabled', '1.1'],
    );
  });

  it('have network rules from 2021-11-01 on', async () => {
    const { ask, relay } = await startArm();
    const path = `${relay}/namespaces/local-relay/networkRuleSets`;
    const version = '?api-version=2021-11-01';
    equal((await ask('GET', path + OLD)).status, 404);
    deepEqual(at(await ask('GET', path + version), 'value.0.properties'), {
      ...{ publicNetworkAccess: 'Enabled', defaultAction: 'Allow', ipRules: [] },
    });
    const rules = { defaultAction: 'Deny', ipRules: [{ ipMask: '1.2.3.4', action: 'Allow' }] };
    equal((await ask('PUT', `${path}/default${version}`, { properties: rules })).status, 200);
    deepEqual(at(await ask('GET', `${path}/default${version}`), 'properties'), {
      publicNetworkAccess: 'Enabled',
      ...rules,
    });
    deepEqual(
      (await ask('GET', `${relay}/namespaces/local-relay/privateEndpointConnections${version}`)).body,
      {
        value: [],
      },
    );
  });
});
