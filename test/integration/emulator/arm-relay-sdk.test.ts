/** @azure/arm-relay against the emulator, used as its documentation does: given the endpoint and the authority. */
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import type { RelayAPI } from '@azure/arm-relay';
import {
  createEmulator,
  type Emulator,
  type EmulatorOptions,
} from '../../../src/emulator/create-emulator.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { signingKey } from '../../helpers/signing-key.ts';

const GROUP = 'local';

describe("Microsoft's client for Azure Relay", () => {
  expectNothingLeft();

  let emulator: Emulator | undefined;
  afterEach(() => emulator?.stop());

  async function start(options: EmulatorOptions = {}, apiVersion?: string): Promise<RelayAPI> {
    emulator = await createEmulator(options);
    const { state, port, caPem } = emulator;
    state.signingKey = await signingKey();
    const [{ ClientSecretCredential }, { RelayAPI: Client }] = await Promise.all([
      import('@azure/identity'),
      import('@azure/arm-relay'),
    ]);
    const endpoint = `https://localhost:${port}`;
    const tlsOptions = { ca: caPem };
    const { tenantId, clientId, clientSecret, subscriptionId } = state;
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
      ...{ authorityHost: endpoint, disableInstanceDiscovery: true, tlsOptions },
    });
    return new Client(credential, subscriptionId, {
      ...{ endpoint, tlsOptions, retryOptions: { maxRetries: 0 } },
      ...(apiVersion !== undefined && { apiVersion }),
    });
  }

  for (const apiVersion of [undefined, '2021-11-01']) {
    it(`waits for namespaces to be made and removed, ${apiVersion ?? 'by its own api-version'}`, async () => {
      const { namespaces } = await start({ behaviour: { provisioningMs: 5, removalMs: 5 } }, apiVersion);
      const sku = { name: 'Standard' as const, tier: 'Standard' as const };
      const parameters = { location: 'westus2', tags: { a: 'b' }, sku };
      const options = { updateIntervalInMs: 5 };
      const made = await namespaces.beginCreateOrUpdate(GROUP, 'made-here', parameters, options);
      while (!made.isDone()) await made.poll();
      const namespace = await namespaces.get(GROUP, 'made-here');
      deepEqual([namespace.provisioningState, namespace.tags], ['Succeeded', { a: 'b' }]);
      match(namespace.serviceBusEndpoint ?? '', /^https:\/\/made-here\.servicebus\.localhost:\d+\/$/);
      equal((await namespaces.update(GROUP, 'made-here', { tags: { c: 'd' } })).tags?.['c'], 'd');
      const removed = await namespaces.beginDelete(GROUP, 'made-here', options);
      while (!removed.isDone()) await removed.poll();
      await rejects(namespaces.get(GROUP, 'made-here'), { statusCode: 404, code: 'ResourceNotFound' });
    });
  }

  it('makes, lists, reads and removes connections, rules and keys', async () => {
    const { namespaces, hybridConnections } = await start();
    const names = [GROUP, 'local-relay'] as const;
    const userMetadata = '[{"key":"endpoint","value":"db:5432"}]';
    const made = await hybridConnections.createOrUpdate(...names, 'a/b', { userMetadata });
    deepEqual(
      [made.name, made.userMetadata, made.requiresClientAuthorization, made.listenerCount],
      ['a/b', userMetadata, true, 0],
    );
    equal(made.createdAt instanceof Date, true);
    const rights = ['Listen' as const];
    await hybridConnections.createOrUpdateAuthorizationRule(...names, 'a/b', 'mine', { rights });
    const rules = [];
    for await (const rule of hybridConnections.listAuthorizationRules(...names, 'a/b')) rules.push(rule.name);
    deepEqual(rules, ['mine']);
    const keys = await hybridConnections.listKeys(...names, 'a/b', 'mine');
    match(keys.primaryConnectionString ?? '', /;EntityPath=a\/b$/);
    const next = await hybridConnections.regenerateKeys(...names, 'a/b', 'mine', { keyType: 'PrimaryKey' });
    equal(next.secondaryKey, keys.secondaryKey);
    await hybridConnections.deleteAuthorizationRule(...names, 'a/b', 'mine');
    await hybridConnections.delete(...names, 'a/b');
    await hybridConnections.delete(...names, 'a/b');
    const left = [];
    for await (const connection of hybridConnections.listByNamespace(...names)) left.push(connection.name);
    deepEqual(left, []);
    const root = await namespaces.listKeys(...names, 'RootManageSharedAccessKey');
    equal(root.keyName, 'RootManageSharedAccessKey');
    const known = await namespaces.getAuthorizationRule(...names, 'RootManageSharedAccessKey');
    deepEqual(known.rights, ['Listen', 'Manage', 'Send']);
    const name = await namespaces.checkNameAvailability({ name: 'local-relay' });
    deepEqual([name.nameAvailable, name.reason], [false, 'NameInUse']);
  });

  it('follows pages, and gets errors with their codes', async () => {
    const connections = ['a', 'b', 'c'].map((name) => ({ name }));
    const { hybridConnections, namespaces } = await start({ connections, behaviour: { armPageSize: 2 } });
    const names = [];
    for await (const { name } of hybridConnections.listByNamespace(GROUP, 'local-relay')) names.push(name);
    deepEqual(names, ['a', 'b', 'c']);
    await rejects(namespaces.get('none', 'local-relay'), { statusCode: 404, code: 'ResourceGroupNotFound' });
    emulator?.faults.arm.throttle({ times: 1 });
    await rejects(namespaces.get(GROUP, 'local-relay'), {
      ...{ statusCode: 429, code: 'SubscriptionRequestsThrottled' },
    });
  });
});
