/** Hybrid connections, rules and keys through Resource Manager, and that the relay serves what is made at once. */
import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { parseConnectionString } from '../../../src/protocol/connection-string.ts';
import { keyIn } from '../../contract/relay-under-test.ts';
import { token } from '../../contract/tokens.ts';
import {
  closeClientsAfterEach,
  closeOf,
  open,
  refusal,
  start,
  TestListener,
} from '../../contract/ws-clients.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { at, errorIn, useArm, type ArmResponse, type ArmUnderTest } from './arm-under-test.ts';

const VERSION = '?api-version=2017-04-01';

describe('hybrid connections of the local Resource Manager', () => {
  expectNothingLeft();
  const startArm = useArm();
  closeClientsAfterEach();

  const connectionsOf = ({ relay }: ArmUnderTest) => `${relay}/namespaces/local-relay/hybridConnections`;
  const relayOf = ({ emulator }: ArmUnderTest, path: string, listenString: string) => {
    const key = keyIn(listenString);
    const host = 'local-relay.servicebus.localhost';
    const relay = {
      host: 'localhost',
      port: emulator.port,
      ca: emulator.caPem,
      path,
      longerPath: `${path}/x`,
    };
    return { ...relay, listenKey: key, sendKey: key, rootKey: key, hostHeader: host };
  };
  const keysOf = async (under: ArmUnderTest, rule: string) => {
    const answer = await under.ask('POST', `${rule}/listKeys${VERSION}`);
    return answer.body as Record<
      'primaryConnectionString' | 'secondaryConnectionString' | 'primaryKey' | 'secondaryKey' | 'keyName',
      string
    >;
  };

  it('are made without rules, kept as they are by the same PUT, and replaced by another', async () => {
    const under = await startArm();
    const path = `${connectionsOf(under)}/orders${VERSION}`;
    const made = await under.ask('PUT', path, {});
    equal(made.status, 200);
    equal(at(made, 'properties.requiresClientAuthorization'), true);
    equal(at(made, 'properties.userMetadata'), undefined);
    deepEqual((await under.ask('GET', `${connectionsOf(under)}/orders/authorizationRules${VERSION}`)).body, {
      value: [],
    });
    under.clock.advance(1_500);
    deepEqual((await under.ask('PUT', path, { properties: {} })).body, made.body);
    const userMetadata = '[{"key":"endpoint","value":"db:5432"}]';
    const changed = await under.ask('PUT', path, { properties: { userMetadata } });
    equal(at(changed, 'properties.userMetadata'), userMetadata);
    notEqual(at(changed, 'properties.updatedAt'), at(made, 'properties.updatedAt'));
    equal(at(await under.ask('PUT', path, {}), 'properties.userMetadata'), undefined);
    const listed = await under.ask('GET', connectionsOf(under) + VERSION);
    equal((at(listed, 'value') as unknown[]).length, 1);
    equal(listed.headers['x-ms-inline-count'], '');
  });

  it('take names with slashes, and refuse what cannot be one', async () => {
    const under = await startArm();
    const put = (name: string, body: object = {}) =>
      under.ask('PUT', `${connectionsOf(under)}/${encodeURIComponent(name)}${VERSION}`, body);
    const made = await put('a/b/c');
    equal(at(made, 'name'), 'a/b/c');
    match(String(at(made, 'id')), /\/hybridconnections\/a%2Fb%2Fc$/);
    equal((await under.ask('GET', `${connectionsOf(under)}/A%2FB%2Fc${VERSION}`)).status, 200);
    for (const name of ['a b', 'a//b', '-a', 'a-', 'x'.repeat(261)]) {
      equal(errorIn(await put(name)).code, 'BadRequest', name);
    }
    for (const userMetadata of ['x'.repeat(1_025), 1]) {
      equal((await put('meta', { properties: { userMetadata } })).status, 400);
    }
    equal((await put('meta', { properties: { userMetadata: 'x'.repeat(1_024) } })).status, 200);
  });

  it('are gone after DELETE, and a second one answers 204', async () => {
    const under = await startArm();
    const path = `${connectionsOf(under)}/orders${VERSION}`;
    await under.ask('PUT', path, {});
    const removed = await under.ask('DELETE', path);
    deepEqual([removed.status, removed.body, removed.headers['content-type']], [200, undefined, undefined]);
    equal((await under.ask('DELETE', path)).status, 204);
    const missing = await under.ask('GET', path);
    deepEqual([missing.status, errorIn(missing).code], [404, 'NotFound']);
    match(errorIn(missing).message, /^The requested resource orders does not exist\. CorrelationId: /);
  });

  it('serve listeners by their own keys at once, count them, and end them when deleted', async () => {
    const under = await startArm();
    const path = `${connectionsOf(under)}/orders`;
    await under.ask('PUT', path + VERSION, {});
    const rule = `${path}/authorizationRules/defaultListener`;
    await under.ask('PUT', rule + VERSION, { properties: { rights: ['Listen'] } });
    const { primaryConnectionString } = await keysOf(under, rule);
    const relay = relayOf(under, 'orders', primaryConnectionString);
    const tokenFor = (name: string, key: typeof relay.listenKey) =>
      token(`http://local-relay.servicebus.localhost/${name}`, key, {
        expiresAtMs: under.clock.nowMs() + 60_000,
      });
    const listener = await TestListener.open(relay, { token: tokenFor('orders', relay.listenKey) });
    equal(at(await under.ask('GET', path + VERSION), 'properties.listenerCount'), 1);
    const closed = closeOf(listener.webSocket);
    await under.ask('DELETE', path + VERSION);
    equal((await closed).code, 1001);
    equal(under.emulator.listenerCount('orders'), 0);
  });

  // A namespace that is being removed still has its rules; with its group it is gone, and its keys are.
  for (const [what, status, remove] of [
    ['namespace', 404, ({ relay }: ArmUnderTest) => `${relay}/namespaces/local-relay${VERSION}`],
    [
      'group',
      401,
      ({ subscription }: ArmUnderTest) => `${subscription}/resourcegroups/local?api-version=2022-09-01`,
    ],
  ] as const) {
    it(`end with their ${what}, and are not served while it is being removed`, async () => {
      const under = await startArm({ connections: [{ name: 'orders' }] });
      const relay = relayOf(under, 'orders', under.emulator.connectionString);
      const sas = () => {
        const expiresAtMs = under.clock.nowMs() + 60_000;
        return token('http://localhost/orders', relay.rootKey, { expiresAtMs });
      };
      const listener = await TestListener.open(relay, { token: sas() });
      const closed = closeOf(listener.webSocket);
      equal((await under.ask('DELETE', remove(under))).status, 202);
      equal((await closed).code, 1001);
      equal((await refusal(start(relay, 'listen', { token: sas() }))).status, status);
    });
  }

  it('take no key any more that was regenerated, and keep the other one', async () => {
    const under = await startArm();
    const path = `${connectionsOf(under)}/orders`;
    await under.ask('PUT', path + VERSION, {});
    const rule = `${path}/authorizationRules/defaultListener`;
    await under.ask('PUT', rule + VERSION, { properties: { rights: ['Listen'] } });
    const before = await keysOf(under, rule);
    const regenerated = await under.ask('POST', `${rule}/regenerateKeys${VERSION}`, {
      keyType: 'PrimaryKey',
    });
    const after = regenerated.body as typeof before;
    notEqual(after.primaryKey, before.primaryKey);
    equal(after.secondaryKey, before.secondaryKey);
    deepEqual(await keysOf(under, rule), after);
    const listen = (connectionString: string) => {
      const relay = relayOf(under, 'orders', connectionString);
      const expiresAtMs = under.clock.nowMs() + 60_000;
      const sas = token('http://localhost/orders', relay.listenKey, { expiresAtMs });
      return start(relay, 'listen', { token: sas });
    };
    equal((await refusal(listen(before.primaryConnectionString))).status, 401);
    await open(listen(after.primaryConnectionString));
    await open(listen(before.secondaryConnectionString));
  });
});

describe('authorization rules of the local Resource Manager', () => {
  expectNothingLeft();
  const startArm = useArm();
  const scopes = [
    ['a namespace', (relay: string) => `${relay}/namespaces/local-relay`, undefined],
    ['a connection', (relay: string) => `${relay}/namespaces/local-relay/hybridConnections/one`, 'one'],
  ] as const;

  for (const [what, ownerOf, entityPath] of scopes) {
    it(`of ${what} are made, read, changed without new keys, and removed`, async () => {
      const { ask, relay, emulator } = await startArm({ connections: [{ name: 'one' }] });
      const rule = `${ownerOf(relay)}/authorizationRules/mine`;
      const put = (rights: unknown) => ask('PUT', rule + VERSION, { properties: { rights } });
      deepEqual(at(await put(['Send']), 'properties.rights'), ['Send']);
      const keys = await ask('POST', `${rule}/listKeys${VERSION}`);
      const text = String(at(keys, 'secondaryConnectionString'));
      const parsed = parseConnectionString(text);
      deepEqual(
        [parsed.endpoint.host, parsed.endpoint.port, parsed.entityPath],
        ['local-relay.servicebus.localhost', emulator.port, entityPath],
      );
      match(text, /^Endpoint=sb:[^;]+;SharedAccessKeyName=mine;SharedAccessKey=[^;]+(?:;EntityPath=one)?$/);
      await put(['listen', 'Send', 'Manage']);
      deepEqual(at(await ask('GET', rule + VERSION), 'properties.rights'), ['Listen', 'Send', 'Manage']);
      deepEqual((await ask('POST', `${rule}/listKeys${VERSION}`)).body, keys.body);
      equal((await ask('DELETE', rule + VERSION)).status, 200);
      equal((await ask('DELETE', rule + VERSION)).status, 204);
      const missing: ArmResponse = await ask('POST', `${rule}/listKeys${VERSION}`);
      match(errorIn(missing).message, /^The requested resource mine does not exist\./);
    });

    it(`of ${what} refuse rights that make no sense, and a thirteenth rule`, async () => {
      const { ask, relay } = await startArm({ connections: [{ name: 'one' }] });
      const put = (name: string, rights: unknown) =>
        ask('PUT', `${ownerOf(relay)}/authorizationRules/${name}${VERSION}`, { properties: { rights } });
      for (const rights of [[], ['Fly'], ['Manage'], ['Manage', 'Send'], 'Send', undefined]) {
        equal((await put('mine', rights)).status, 400, JSON.stringify(rights));
      }
      const statuses = [];
      for (let count = 0; count < 13; count += 1) statuses.push((await put(`rule${count}`, ['Send'])).status);
      deepEqual([statuses[0], statuses[12]], [200, 400]);
    });
  }

  it('have connection strings with the host that was chosen', async () => {
    const { ask, relay, emulator } = await startArm({ behaviour: { namespaceHost: 'localhost' } });
    const rule = `${relay}/namespaces/local-relay/authorizationRules/RootManageSharedAccessKey`;
    equal(
      at(await ask('POST', `${rule}/listKeys${VERSION}`), 'primaryConnectionString'),
      emulator.connectionString,
    );
  });

  it('take a key that is given, if it is one', async () => {
    const { ask, relay } = await startArm();
    const rule = `${relay}/namespaces/local-relay/authorizationRules/RootManageSharedAccessKey`;
    const regenerate = (body: object) => ask('POST', `${rule}/regenerateKeys${VERSION}`, body);
    const key = Buffer.alloc(32, 7).toString('base64');
    equal(at(await regenerate({ keyType: 'SecondaryKey', key }), 'secondaryKey'), key);
    equal((await regenerate({ keyType: 'SecondaryKey', key: 'short' })).status, 400);
    equal((await regenerate({ keyType: 'ThirdKey' })).status, 400);
    equal((await ask('POST', `${rule}/regenerateKeys${VERSION}`)).status, 400);
  });
});
