// NAMESPACE/NAME to a tunnel, by key and by Entra ID, and the app's side of what is attached to it.
import assert from 'node:assert/strict';
import { createKey, createRule } from '../../../src/emulator/state.ts';
import { openAppConnections } from '../../../src/lib/services/app-forward.ts';
import { attachConnection } from '../../../src/lib/services/attach.ts';
import {
  accessByEntra,
  accessByKey,
  endpointByName,
  pickRule,
  type RelayRight,
} from '../../../src/lib/services/connection-access.ts';
import { BUILT_IN_CLOUDS } from '../../../src/lib/auth/cloud.ts';
import { HybridConnectionListener } from '../../../src/tunnel/listener.ts';
import type { Connection } from '../../../src/tunnel/options.ts';
import { Sender } from '../../../src/tunnel/sender.ts';
import { AzureBed } from '../../helpers/azure-bed.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const RELAY = 'local-relay';
const MINUTE_MS = 60_000;

describe('access to a hybrid connection', () => {
  let bed: AzureBed;
  before(async () => (bed = await AzureBed.start()));
  after(() => bed.stop());
  beforeEach(() => {
    bed.emulator.faults.arm.clear();
    namespace().connections = [];
    for (const name of ['db', 'web']) bed.emulator.addConnection({ name, target: `${name}:5432` });
  });

  const namespace = () => {
    const [found] = bed.emulator.state.namespaces;
    assert.ok(found);
    return found;
  };
  const db = () => {
    const found = namespace().connections.find(({ name }) => name === 'db');
    assert.ok(found);
    return found;
  };
  const access = (right: RelayRight, name = 'db') =>
    accessByKey(bed.azure, { namespace: RELAY, name }, right);
  /** The rule that signed the token. */
  const ruleOf = async ({ endpoint, path, tokens }: Connection) =>
    /skn=([^&]+)/.exec((await tokens?.token({ host: endpoint.host, path }))?.text ?? '')?.[1];

  /** A stream comes as far as the listener's target, which refuses it. */
  async function meet(listening: Connection | undefined, sending: Connection | undefined): Promise<void> {
    assert.ok(listening && sending);
    const options = { loopbackCa: bed.emulator.caPem };
    const listener = new HybridConnectionListener(listening, {
      ...options,
      target: { host: '127.0.0.1', port: 1 },
    });
    listener.start();
    await listener.online();
    await assert.rejects(new Sender(sending, options).open(), { code: 'HCM_TARGET_REFUSED' });
    await listener.stop({ graceMs: 0 });
  }

  it('takes the key of the rule made for the right', async () => {
    const [listen, send] = await Promise.all([access('Listen'), access('Send')]);
    assert.deepEqual(listen.endpoint, { host: `${RELAY}.servicebus.localhost`, port: bed.emulator.port });
    assert.deepEqual(await Promise.all([listen, send].map(ruleOf)), ['defaultListener', 'defaultSender']);
  });

  it('else the rule with the fewest rights, and the namespace as the last resort', async () => {
    db().rules = [createRule('all', ['Listen', 'Send', 'Manage']), createRule('both', ['Listen', 'Send'])];
    assert.equal(await ruleOf(await access('Listen')), 'both');
    db().rules = [];
    assert.equal(await ruleOf(await access('Listen')), 'RootManageSharedAccessKey');
    const both = { name: 'both', rights: ['Listen', 'Send'] } as const;
    const made = { name: 'DefaultSender', rights: ['Listen', 'Send', 'Manage'] } as const;
    assert.equal(pickRule([both, made], 'Send'), made);
    assert.equal(pickRule([both], 'Listen'), both);
    assert.equal(pickRule([{ name: 'defaultSender', rights: ['Listen'] }], 'Send'), undefined);
  });

  it('no rule at all: an anonymous sender needs none, others hear how to make one', async () => {
    db().rules = [];
    const { rules } = namespace();
    namespace().rules = [];
    try {
      await assert.rejects(access('Listen'), (error: { code?: string; details?: { next?: string } }) => {
        assert.equal(error.code, 'HCM_RIGHT_MISSING');
        assert.equal(error.details?.next, `hcm rule create ${RELAY}/db defaultListener --rights Listen`);
        return true;
      });
      await assert.rejects(access('Send'), { code: 'HCM_RIGHT_MISSING' });
      db().requiresClientAuthorization = false;
      assert.equal((await access('Send')).tokens, undefined);
    } finally {
      namespace().rules = rules;
    }
  });

  it('says what is not there, and which right is missing', async () => {
    await assert.rejects(access('Send', 'gone'), /no hybrid connection "local-relay\/gone"/);
    await assert.rejects(accessByKey(bed.azure, { namespace: 'gone', name: 'db' }, 'Send'), {
      code: 'HCM_RESOURCE_NOT_FOUND',
    });
    bed.refuse({ status: 403, code: 'AuthorizationFailed', path: /listKeys$/i });
    await assert.rejects(access('Send'), (error: { code?: string; details?: { next?: string } }) => {
      assert.equal(error.code, 'HCM_AZURE_FORBIDDEN');
      assert.match(error.details?.next ?? '', /--entra/);
      return true;
    });
  });

  it('a listener and a sender whose key was renewed ask Azure for the new one', async () => {
    const clock = new FakeClock(Date.now());
    const wanted = { namespace: RELAY, name: 'db' };
    const connections = await Promise.all(
      (['Listen', 'Send'] as const).map((right) => accessByKey(bed.azure, wanted, right, clock)),
    );
    for (const rule of db().rules)
      Object.assign(rule, { primaryKey: createKey(), secondaryKey: createKey() });
    // A key that was read a moment ago would not be asked for again.
    clock.advance(MINUTE_MS);
    await meet(connections[0], connections[1]);
  });

  it('with Entra ID both sides meet, and no key is read', async () => {
    bed.refuse({ status: 403, path: /listKeys$/i });
    const { credential, cloud } = bed.session;
    const getToken = async () => {
      const token = await credential.getToken(cloud.relayScope);
      return { text: token?.token ?? '', expiresAtMs: token?.expiresOnTimestamp ?? 0 };
    };
    const connection = accessByEntra(cloud, { namespace: RELAY, name: 'db' }, getToken);
    await meet(connection, connection);
  });

  it('the name of a namespace gets the suffix of its cloud; a host is one already', () => {
    const [cloud] = BUILT_IN_CLOUDS;
    assert.ok(cloud);
    const hosts = ['My-Relay', 'r.servicebus.windows.net', 'localhost:99', '[::1]:99'].map((name) =>
      endpointByName(name, cloud),
    );
    assert.deepEqual(hosts, [
      { host: 'my-relay.servicebus.windows.net', port: 443 },
      { host: 'r.servicebus.windows.net', port: 443 },
      { host: 'localhost', port: 99 },
      { host: '::1', port: 99 },
    ]);
    assert.equal(
      endpointByName('r', { ...cloud, relaySuffix: 'servicebus.localhost', relayPort: 9 }).port,
      9,
    );
  });

  describe('of an app', () => {
    const open = (app = 'local-app') => openAppConnections(bed.azure, { app });
    const site = () => {
      const [found] = bed.emulator.state.sites;
      assert.ok(found);
      return found;
    };
    beforeEach(async () => {
      site().relays = [];
      for (const name of ['db', 'web'])
        await attachConnection(bed.azure, { app: 'local-app', connection: { namespace: RELAY, name } });
    });

    it('is what it has attached, with the rule that it uses', async () => {
      const { connections, failures } = await open();
      assert.deepEqual(failures, []);
      assert.deepEqual(
        connections.map(({ connection: { endpoint, path }, target }) => [endpoint, path, target]),
        ['db', 'web'].map((name) => [
          { host: `${RELAY}.servicebus.localhost`, port: bed.emulator.port },
          name,
          { host: name, port: 5432 },
        ]),
      );
      assert.deepEqual(await Promise.all(connections.map(({ connection }) => ruleOf(connection))), [
        'defaultSender',
        'defaultSender',
      ]);
    });

    it('a rule of the namespace serves, too', async () => {
      for (const relay of site().relays) relay.sendKeyName = 'RootManageSharedAccessKey';
      const { connections } = await open();
      assert.equal(await ruleOf(connections[0]?.connection ?? assert.fail()), 'RootManageSharedAccessKey');
    });

    it('who may not read the rule takes the key from the plan', async () => {
      bed.refuse({ status: 403, path: /authorizationRules\/.*\/listKeys$/i });
      assert.equal((await open()).connections.length, 2);
      bed.refuse({ status: 403, code: 'AuthorizationFailed', path: /listKeys$/i });
      await assert.rejects(open(), { code: 'HCM_AZURE_FORBIDDEN' });
    });

    it('one that is gone is told, and the others open', async () => {
      bed.emulator.removeConnection('db');
      const { connections, failures } = await open();
      assert.deepEqual(
        connections.map(({ connection }) => connection.path),
        ['web'],
      );
      assert.match(failures[0]?.message ?? '', /has "local-relay\/db" attached .* any more/);
      assert.equal(failures[0]?.details['next'], 'hcm app detach local-app local-relay/db');
      bed.emulator.removeConnection('web');
      await assert.rejects(open(), { code: 'HCM_RESOURCE_NOT_FOUND' });
    });

    it('without any is an error that says how to attach one', async () => {
      await assert.rejects(open('local-func'), /No hybrid connection is attached to the app "local-func"/);
    });
  });
});
