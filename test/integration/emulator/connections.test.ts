/** Connections of the emulator that come, change and go; namespaces and their hosts; what can be configured. */
import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { createRule, createState, putConnection } from '../../../src/emulator/state.ts';
import { token } from '../../contract/tokens.ts';
import {
  closeClientsAfterEach,
  closeOf,
  dial,
  open,
  openStream,
  refusal,
  start,
  TestListener,
} from '../../contract/ws-clients.ts';
import { closeRawClientsAfterEach, RawClient } from '../../contract/raw-client.ts';
import { useEmulators, type EmulatorUnderTest } from './emulator-under-test.ts';

describe('connections of the emulator', () => {
  const startEmulator = useEmulators();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const listenerOf = ({ relay, tokenFor }: EmulatorUnderTest) =>
    TestListener.open(relay, { token: tokenFor('listen') });

  it('end their listeners and streams with 1001 when they are deleted, and are not there afterwards', async () => {
    const under = await startEmulator();
    const { emulator, relay, tokenFor } = under;
    const listener = await listenerOf(under);
    const { sender, rendezvous } = await openStream(relay, listener, { token: tokenFor('connect') });
    const waiting = refusal(start(relay, 'connect', { token: tokenFor('connect') }));
    await listener.nextAccept();
    const closes = Promise.all([listener.webSocket, sender, rendezvous].map(closeOf));
    equal(emulator.removeConnection('ONE'), true);
    for (const { code, reason } of await closes) {
      equal(code, 1001);
      match(reason, /one/);
    }
    equal((await waiting).status, 404);
    equal(emulator.removeConnection('one'), false);
    const root = token('http://localhost/', relay.rootKey, { expiresAtMs: under.clock.nowMs() + 60_000 });
    match((await refusal(start(relay, 'connect', { token: root }))).reason, /^Endpoint does not exist/);
  });

  it('can be added while it runs, and adding one again changes nothing', async () => {
    const under = await startEmulator();
    const { emulator } = under;
    const seen: number[] = [];
    emulator.onStateChange(({ namespaces }) => seen.push(namespaces[0]?.connections.length ?? 0));
    const added = emulator.addConnection({ name: 'two/b', target: 'db:5432' });
    deepEqual(seen, [2]);
    deepEqual(emulator.addConnection({ name: 'TWO/B' }), added);
    match(
      added.listenerConnectionString,
      /^Endpoint=sb:\/\/localhost:\d+\/;SharedAccessKeyName=defaultListener;SharedAccessKey=[^;]+;EntityPath=two\/b$/,
    );
    match(added.senderConnectionString, /;SharedAccessKeyName=defaultSender;.*;EntityPath=two\/b$/);
    equal(
      emulator.state.namespaces[0]?.connections[1]?.userMetadata,
      '[{"key":"endpoint","value":"db:5432"}]',
    );
    throws(() => emulator.addConnection('a b'), { code: 'HCM_CONNECTION_INVALID' });
    throws(() => emulator.addConnection({ name: 'c', target: 'no port' }), { code: 'HCM_TARGET_INVALID' });
    equal(emulator.connections.length, 2);
  });

  it('let anonymous senders in where they say so, and look at no token then', async () => {
    const under = await startEmulator({ connections: [{ name: 'one', requiresClientAuthorization: false }] });
    const listener = await listenerOf(under);
    for (const sas of [null, 'rubbish']) {
      const sender = open(start(under.relay, 'connect', { token: sas, tokenIn: 'query' }));
      const message = await listener.nextAccept();
      equal(message.address.includes('rubbish'), false);
      await listener.accept(message);
      await sender;
    }
    equal((await refusal(start(under.relay, 'listen', { token: null }))).status, 401);
  });

  it('are found by the host of their namespace, or by localhost where only one has the name', async () => {
    const state = createState();
    const second = {
      ...structuredClone(state.namespaces[0]!),
      name: 'second-ns',
      rules: [createRule('root', ['Manage'])],
    };
    state.namespaces.push(second);
    putConnection(second, { name: 'one' }, Date.now());
    putConnection(second, { name: 'only-here' }, Date.now());
    const { relay, clock } = await startEmulator({ state });
    const expiresAtMs = clock.nowMs() + 60_000;
    const root = { name: 'root', key: second.rules[0]!.primaryKey };
    const ask = async (host: string, path: string, audience: string) => {
      const client = await RawClient.connect(relay);
      const sas = token(`http://${audience}/`, root, { expiresAtMs });
      client.ask(`/$hc/${path}?sb-hc-action=listen`, [`ServiceBusAuthorization: ${sas}`], host);
      return (await client.answer()).status;
    };
    const own = 'second-ns.servicebus.localhost';
    equal(await ask(`${own}:${relay.port}`, 'one', own), 101);
    equal(await ask(own, 'one', 'localhost'), 101);
    equal(await ask('localhost', 'only-here', own), 101);
    equal(await ask('[::1]', 'only-here', '127.0.0.1'), 101);
    equal(await ask('localhost', 'one', 'localhost'), 404);
    equal(await ask('local-relay.servicebus.localhost', 'only-here', own), 401);
    equal(await ask('nobody.servicebus.localhost', 'one', own), 401);
  });

  it('take the secondary key, and a rule of the namespace that has the name of one of theirs', async () => {
    const state = createState();
    const { emulator, relay, clock } = await startEmulator({ state });
    const rules = emulator.state.namespaces[0]?.connections[0]?.rules ?? [];
    state.namespaces[0]?.rules.push(createRule('defaultListener', ['Listen']));
    const shared = state.namespaces[0]?.rules.at(-1);
    const expiresAtMs = clock.nowMs() + 60_000;
    for (const key of [rules[0]?.secondaryKey, shared?.primaryKey, shared?.secondaryKey]) {
      const sas = token(
        'http://localhost/one/',
        { name: 'defaultListener', key: key ?? '' },
        { expiresAtMs },
      );
      await open(start(relay, 'listen', { token: sas }));
    }
    equal(emulator.listenerCount('one'), 3);
  });

  it("answer with the statuses that are asked for where Azure's are doubtful", async () => {
    const behaviour = {
      statuses: { 'no-listener': 502, 'right-missing': 401 },
      connectMinValidityMs: 60_000,
    };
    const { relay, tokenFor } = await startEmulator({ behaviour });
    const status = async (sas: string) => (await refusal(start(relay, 'connect', { token: sas }))).status;
    equal(await status(tokenFor('connect')), 502);
    equal(await status(tokenFor('listen')), 401);
    const { reason } = await refusal(start(relay, 'connect', { token: tokenFor('connect', 50_000) }));
    match(reason, /^ExpiredToken/);
  });

  it('cut a stream that stays half open for longer than they are told', async () => {
    const under = await startEmulator({ behaviour: { halfOpenLimitMs: 1 } });
    const listener = await listenerOf(under);
    const sender = start(under.relay, 'connect', { token: under.tokenFor('connect') });
    const rendezvous = await RawClient.connect(under.relay);
    const { pathname, search } = new URL((await listener.nextAccept()).address);
    rendezvous.ask(`${pathname}${search}`);
    await open(sender);
    await rendezvous.answer();
    rendezvous.send({ opcode: 8 });
    await rendezvous.end();
  });

  it('tell their story in events that hold no secret', async () => {
    const under = await startEmulator();
    const listener = await listenerOf(under);
    const { sender, message } = await openStream(under.relay, listener, {
      token: under.tokenFor('connect'),
      id: 'me',
    });
    const closed = closeOf(sender);
    sender.close(1000);
    await closed;
    await refusal(dial(under.relay, `${message.address}&sb-hc-statusCode=0`));
    await listener.close();
    const names = under.events.map(({ event }) => event).filter((event) => event !== 'closed');
    deepEqual(names, ['listener-online', 'connect', 'accept', 'refused', 'listener-offline']);
    const text = JSON.stringify(under.events);
    for (const secret of [message.id, 'SharedAccessSignature', under.relay.listenKey.key]) {
      equal(text.includes(secret), false);
    }
  });
});
