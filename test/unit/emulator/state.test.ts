/** The document of the emulator: what a fresh one has, how connections get in, and what is not taken for one. */
import { deepEqual, equal, match, notEqual, throws } from 'node:assert/strict';
import { checkState } from '../../../src/emulator/state-check.ts';
import { createState, putConnection, type EmulatorState } from '../../../src/emulator/state.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the state of the emulator', () => {
  it('begins with a made-up tenant, and one namespace with a rule that may do everything', () => {
    const state = createState(0);
    for (const id of [state.tenantId, state.subscriptionId, state.clientId]) match(id, UUID);
    equal(state.clientSecret.length, 40);
    equal(state.resourceGroup, 'local');
    const [namespace] = state.namespaces;
    equal(namespace?.name, 'local-relay');
    equal(namespace?.createdAt, '1970-01-01T00:00:00.000Z');
    deepEqual(
      namespace?.rules.map(({ name, rights }) => [name, rights]),
      [['RootManageSharedAccessKey', ['Listen', 'Manage', 'Send']]],
    );
    notEqual(createState().clientSecret, state.clientSecret);
  });

  it('has keys as Azure makes them, each its own', () => {
    const { primaryKey = '', secondaryKey = '' } = createState().namespaces[0]?.rules[0] ?? {};
    for (const key of [primaryKey, secondaryKey]) equal(Buffer.from(key, 'base64').length, 32);
    notEqual(primaryKey, secondaryKey);
  });

  it('takes a connection with its two rules, and its target as Azure keeps it', () => {
    const [namespace] = createState().namespaces;
    const connection = putConnection(namespace!, { name: 'a/b', target: 'DB:5432' }, 5);
    equal(connection.requiresClientAuthorization, true);
    match(connection.userMetadata, /^\[\{"key":"endpoint","value":"[dD][bB]:5432"\}\]$/);
    deepEqual(
      connection.rules.map(({ name, rights }) => [name, rights]),
      [
        ['defaultListener', ['Listen']],
        ['defaultSender', ['Send']],
      ],
    );
  });

  it('changes of a connection that is there what it is told to, and keeps its keys', () => {
    const [namespace] = createState().namespaces;
    const before = putConnection(namespace!, { name: 'a', target: 'x:1' }, 5);
    const rules = structuredClone(before.rules);
    equal(putConnection(namespace!, { name: 'A' }, 6), before);
    equal(before.updatedAt, new Date(5).toISOString());
    putConnection(namespace!, { name: 'a', target: 'x:2', requiresClientAuthorization: false }, 7);
    match(before.userMetadata, /x:2/);
    equal(before.requiresClientAuthorization, false);
    equal(before.updatedAt, new Date(7).toISOString());
    deepEqual(before.rules, rules);
    equal(namespace?.connections.length, 1);
  });

  it('keeps what others wrote into the metadata', () => {
    const [namespace] = createState().namespaces;
    const connection = putConnection(namespace!, { name: 'a' }, 5);
    connection.userMetadata = '[{"key":"owner","value":"me"}]';
    putConnection(namespace!, { name: 'a', target: 'x:1' }, 6);
    deepEqual(JSON.parse(connection.userMetadata), [
      { key: 'owner', value: 'me' },
      { key: 'endpoint', value: 'x:1' },
    ]);
  });

  it('is read back as it was written', () => {
    const state = createState();
    putConnection(state.namespaces[0]!, { name: 'a', target: 'x:1' }, 5);
    deepEqual(checkState(JSON.parse(JSON.stringify(state))), state);
  });

  it('begins with a subscription, a resource group, a plan and two apps', () => {
    const { subscriptionId, subscriptions, resourceGroups, namespaces, plans, sites } = createState();
    const place = { subscriptionId, resourceGroup: 'local', location: 'westeurope' };
    deepEqual(
      subscriptions.map(({ displayName, state }) => [displayName, state]),
      [['Local', 'Enabled']],
    );
    deepEqual(resourceGroups, [{ subscriptionId, name: 'local', location: 'westeurope', tags: {} }]);
    for (const { subscriptionId, resourceGroup, location } of [...namespaces, ...plans, ...sites]) {
      deepEqual({ subscriptionId, resourceGroup, location }, place);
    }
    deepEqual(
      [...plans, ...sites].map(({ name }) => name),
      ['local-plan', 'local-app', 'local-func'],
    );
  });

  it('of version 1 keeps all it had and gets what is new', () => {
    const fresh = createState(0);
    putConnection(fresh.namespaces[0]!, { name: 'a', target: 'x:1' }, 5);
    const { tenantId, subscriptionId, clientId, clientSecret, resourceGroup } = fresh;
    const namespaces = fresh.namespaces.map(({ name, createdAt, updatedAt, rules, connections }) => ({
      ...{ name, createdAt, updatedAt, rules, connections },
    }));
    const old = { version: 1, tenantId, subscriptionId, clientId, clientSecret, resourceGroup, namespaces };
    const { principals, roleAssignments, plans, sites, ...rest } = checkState(
      JSON.parse(JSON.stringify(old)),
    );
    const expected: Partial<EmulatorState> = { ...fresh };
    for (const seeded of ['principals', 'roleAssignments', 'plans', 'sites'] as const)
      delete expected[seeded];
    deepEqual(rest, expected);
    deepEqual(
      [principals, roleAssignments, plans, sites].map(({ length }) => length),
      [fresh.principals, fresh.roleAssignments, fresh.plans, fresh.sites].map(({ length }) => length),
    );
    equal(principals[0]?.clientId, clientId);
  });

  describe('is corrupt', () => {
    const broken = (change: (state: EmulatorState) => void) => {
      const state = createState();
      putConnection(state.namespaces[0]!, { name: 'a' }, 5);
      change(state);
      return JSON.parse(JSON.stringify(state)) as unknown;
    };
    const cases: [string, unknown][] = [
      ['when it is no document', undefined],
      ['when it is a list', []],
      ['without a version', broken((state) => Object.assign(state, { version: undefined }))],
      ['with the version as text', broken((state) => Object.assign(state, { version: '1' }))],
      ['without a tenant', broken((state) => (state.tenantId = ''))],
      ['without subscriptions', broken((state) => Object.assign(state, { subscriptions: undefined }))],
      ['with a namespace that is nowhere', broken((state) => (state.namespaces[0]!.resourceGroup = ''))],
      [
        'with a namespace that is never ready',
        broken((state) => Object.assign(state.namespaces[0]!, { provisioning: { state: 'Creating' } })),
      ],
      ['with a key missing', broken((state) => (state.namespaces[0]!.rules[0]!.primaryKey = ''))],
      [
        'with a right of another world',
        broken((state) => state.namespaces[0]!.rules[0]!.rights.push('Fly' as 'Send')),
      ],
      [
        'with metadata that is no text',
        broken((state) => Object.assign(state.namespaces[0]!.connections[0]!, { userMetadata: 1 })),
      ],
      [
        'with metadata that is too long',
        broken((state) => (state.namespaces[0]!.connections[0]!.userMetadata = 'x'.repeat(1_025))),
      ],
    ];
    for (const [what, value] of cases) {
      it(what, () => {
        throws(
          () => checkState(value),
          (error: { code: string; details: { reason: string } }) => {
            deepEqual([error.code, error.details.reason], ['HCM_STATE_CORRUPT', 'schema']);
            return true;
          },
        );
      });
    }
  });

  it('of a newer hcm is told apart', () => {
    throws(
      () => checkState({ version: 3 }),
      (error: { code: string; details: { reason: string } }) => {
        deepEqual([error.code, error.details.reason], ['HCM_STATE_CORRUPT', 'newer-version']);
        return true;
      },
    );
  });
});
