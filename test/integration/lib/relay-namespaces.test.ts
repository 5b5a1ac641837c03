// Namespaces: hcm's services against the emulator's Resource Manager.
import assert from 'node:assert/strict';
import { findNamespace, getNamespace } from '../../../src/lib/arm/namespaces.ts';
import { openAzure } from '../../../src/lib/arm/azure.ts';
import { createConnection, listConnections } from '../../../src/lib/services/connections.ts';
import {
  checkName,
  createNamespace,
  deleteNamespace,
  type NamespaceRequest,
} from '../../../src/lib/services/namespaces.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { rejected, TARGET, TIMEOUT_MS, useRelayBed } from './relay-under-test.ts';

describe('relay namespaces', () => {
  const bed = useRelayBed();
  const state = () => bed().emulator.state;
  const namespaceOf = (request: Partial<NamespaceRequest> = {}) =>
    createNamespace(bed().azure, {
      ...{ name: 'my-relay', resourceGroup: 'local', wait: true, timeoutMs: TIMEOUT_MS },
      ...request,
    });

  describe('a namespace', () => {
    const gone = { wait: true, timeoutMs: TIMEOUT_MS, confirm: () => Promise.resolve() };
    afterEach(() => deleteNamespace(bed().azure, { name: 'my-relay', ...gone }));

    it('is made where its group is, is Active then, and a second time nothing happens', async () => {
      const { changed, created, ready, namespace } = await namespaceOf({ tags: { env: 'test' } });
      assert.deepEqual([changed, created, ready, namespace.status], [true, true, true, 'Active']);
      assert.deepEqual([namespace.resourceGroup, namespace.tags], ['local', { env: 'test' }]);
      assert.equal(namespace.host, `my-relay.servicebus.localhost:${bed().emulator.port}`);
      const writes = await bed().writesOf(async () => {
        const again = await namespaceOf({ name: 'MY-RELAY', location: 'West Europe', tags: { env: 'test' } });
        assert.deepEqual([again.changed, again.created], [false, false]);
      });
      assert.equal(writes, 0);
    });

    it('gets the tags that it lacks, and keeps the others', async () => {
      await namespaceOf({ tags: { env: 'test', owner: 'me' } });
      const { changed, created, namespace } = await namespaceOf({ tags: { env: 'prod' } });
      assert.deepEqual([changed, created, namespace.tags], [true, false, { env: 'prod', owner: 'me' }]);
    });

    it('that exists elsewhere is not made again', async () => {
      await namespaceOf();
      await rejected(namespaceOf({ resourceGroup: 'other' }), 'HCM_RESOURCE_CONFLICT');
      await rejected(namespaceOf({ location: 'eastus' }), 'HCM_RESOURCE_CONFLICT');
    });

    it('without waiting is on its way', async () => {
      bed().emulator.faults.arm.creationMs = 150;
      const { ready, namespace } = await namespaceOf({ wait: false });
      assert.equal(ready, false);
      assert.notEqual(namespace.status, 'Active');
      assert.equal((await namespaceOf()).ready, true);
    });

    it('makes its resource group and registers the provider only when asked, or needed', async () => {
      const group = 'new-group';
      const error = await rejected(namespaceOf({ resourceGroup: group }), 'HCM_RESOURCE_NOT_FOUND');
      assert.match(String(error.details['next']), /--create-resource-group/);
      const [subscription] = state().subscriptions;
      assert.ok(subscription);
      const { registeredProviders } = subscription;
      subscription.registeredProviders = registeredProviders.filter((name) => !/relay/i.test(name));
      const { namespace } = await namespaceOf({
        ...{ resourceGroup: group, createResourceGroup: true, location: 'West Europe' },
      });
      assert.equal(namespace.resourceGroup, group);
      assert.ok(bed().reports.some((text) => text.includes('registering Microsoft.Relay')));
      assert.ok(state().resourceGroups.some(({ name }) => name === group));
    });

    it('is not begun with a bad name, place or group; nothing is made', async () => {
      const writes = await bed().writesOf(async () => {
        await rejected(namespaceOf({ name: 'short' }), 'HCM_NAME_INVALID');
        await rejected(namespaceOf({ resourceGroup: 'no.' }), 'HCM_NAME_INVALID');
        await rejected(namespaceOf({ resourceGroup: undefined }), 'HCM_INPUT_NEEDED');
        const { message } = await rejected(namespaceOf({ location: 'atlantis' }), 'HCM_LOCATION_INVALID');
        assert.match(message, /It has them in: .*westeurope/);
      });
      assert.equal(writes, 0);
    });

    it('cannot have a name that somebody has', async () => {
      const answer = await checkName(bed().azure, 'local-relay');
      assert.deepEqual([answer.available, answer.reason], [false, 'NameInUse']);
      assert.equal((await checkName(bed().azure, 'quite-free')).available, true);
      const [other] = state().subscriptions;
      assert.ok(other);
      const taken = {
        ...(state().namespaces[0] ?? assert.fail()),
        name: 'my-taken',
        subscriptionId: 'another',
      };
      state().namespaces.push(taken);
      try {
        await rejected(namespaceOf({ name: 'my-taken' }), 'HCM_NAME_TAKEN');
      } finally {
        state().namespaces.pop();
      }
    });

    it('is deleted to the end, with a question, and a second time that is success, too', async () => {
      await namespaceOf();
      await createConnection(bed().azure, {
        ...{ connection: { namespace: 'my-relay', name: 'db' }, target: TARGET, timeoutMs: TIMEOUT_MS },
      });
      const asked: string[] = [];
      const no = new HcmError('HCM_INTERRUPTED', 'no');
      const confirm = (_: unknown, connections: readonly { connection: string }[]) => {
        asked.push(...connections.map(({ connection }) => connection));
        return Promise.reject(no);
      };
      await rejected(deleteNamespace(bed().azure, { name: 'my-relay', ...gone, confirm }), 'HCM_INTERRUPTED');
      assert.deepEqual(asked, ['db']);
      assert.ok(await findNamespace(bed().azure, 'my-relay'));
      const host = `my-relay.servicebus.localhost:${bed().emulator.port}`;
      assert.deepEqual(await deleteNamespace(bed().azure, { name: host, ...gone }), {
        changed: true,
        gone: true,
      });
      assert.deepEqual(await deleteNamespace(bed().azure, { name: host, ...gone }), {
        changed: false,
        gone: true,
      });
      const group = { name: 'my-relay', resourceGroup: 'nowhere', ...gone };
      assert.equal((await deleteNamespace(bed().azure, group)).changed, false);
    });

    it('that is interrupted says what exists, and goes on when it is made again', async () => {
      bed().emulator.faults.arm.creationMs = 200;
      const controller = new AbortController();
      const azure = openAzure(bed().session, {
        signal: controller.signal,
        report: (text) => {
          if (text.includes('Creating') || text.includes('Activating')) {
            controller.abort(new HcmError('HCM_INTERRUPTED', 'Interrupted.'));
          }
        },
      });
      const error = await rejected(
        createNamespace(azure, {
          ...{
            name: 'my-relay',
            resourceGroup: 'group-2',
            createResourceGroup: true,
            location: 'westeurope',
          },
          ...{ wait: true, timeoutMs: TIMEOUT_MS },
        }),
        'HCM_INTERRUPTED',
      );
      assert.match(error.message, /creating the namespace "my-relay" goes on in Azure/);
      assert.match(error.message, /Done before that: created the resource group "group-2"/);
      assert.equal(error.details['next'], 'hcm namespace create my-relay');
      const again = await namespaceOf({ resourceGroup: undefined });
      assert.deepEqual([again.created, again.ready], [false, true]);
    });

    it('is found by its host, and not by the host of another cloud', async () => {
      const found = await findNamespace(
        bed().azure,
        `local-relay.servicebus.localhost:${bed().emulator.port}`,
      );
      assert.equal(found.name, 'local-relay');
      await rejected(
        findNamespace(bed().azure, 'local-relay.servicebus.windows.net'),
        'HCM_RESOURCE_NOT_FOUND',
      );
      await rejected(findNamespace(bed().azure, 'nobody-has-this'), 'HCM_RESOURCE_NOT_FOUND');
    });
  });

  describe('bad days', () => {
    it('an unknown subscription is called that, and nothing else', async () => {
      const azure = bed().azure.in('11111111-1111-1111-1111-111111111111');
      const error = await rejected(
        createNamespace(azure, {
          ...{ name: 'my-relay', resourceGroup: 'local', wait: true, timeoutMs: TIMEOUT_MS },
        }),
        'HCM_RESOURCE_NOT_FOUND',
      );
      assert.equal(error.details['azureCode'], 'SubscriptionNotFound');
      const ref = { subscriptionId: azure.subscriptionId, resourceGroup: 'local', name: 'local-relay' };
      await rejected(getNamespace(azure, ref), 'HCM_RESOURCE_NOT_FOUND');
    });

    it('no permission is HCM_AZURE_FORBIDDEN, with what Azure said and its correlation id', async () => {
      bed().refuse({ status: 403, code: 'AuthorizationFailed', message: 'The client has no right.' });
      const error = await rejected(listConnections(bed().azure, {}), 'HCM_AZURE_FORBIDDEN');
      assert.match(error.message, /The client has no right\./);
      assert.equal(typeof error.details['correlationId'], 'string');
    });

    it('throttling and a failing Azure are waited for', async () => {
      bed().emulator.faults.arm.throttle({ times: 1 });
      bed().refuse({ status: 500, times: 1 });
      bed().refuse({ status: 503, times: 1, html: '<html>try later</html>' });
      assert.deepEqual(await listConnections(bed().azure, {}), []);
      assert.equal(bed().reports.length, 3);
    });
  });
});
