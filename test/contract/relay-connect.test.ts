/** A relay, as a sender sees it until it has its answer, and what the listener is told of it. */
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay } from './relay-under-test.ts';
import { token } from './tokens.ts';
import {
  closeClientsAfterEach,
  dial,
  goodToken,
  open,
  openStream,
  refusal,
  start,
  TestListener,
} from './ws-clients.ts';

const captured = JSON.parse(
  readFileSync(new URL('../fixtures/protocol/control-accept.json', import.meta.url), 'utf8'),
) as { accept: Record<string, unknown> };

describe('a relay, to a sender', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  it('says 404 when nobody listens', async () => {
    const { status, reason } = await refusal(start(relay(), 'connect'));
    equal(status, 404);
    match(reason, /^There are no listeners connected for the endpoint\. TrackingId:/);
    ok(reason.includes(relay().path));
  });

  it('says 401 without a token, also when nobody listens', async () => {
    const { status, reason } = await refusal(start(relay(), 'connect', { token: null }));
    equal(status, 401);
    match(reason, /^MissingToken/);
  });

  it('says 403 to a key that may only listen', async () => {
    const { status, reason } = await refusal(
      start(relay(), 'connect', { token: goodToken(relay(), 'listen') }),
    );
    equal(status, 403);
    match(reason, /^Authorization failed for specified action/);
  });

  it('says 404 for a connection that does not exist', async () => {
    const options = { path: 'nothing', token: token(`http://${relay().host}/`, relay().rootKey) };
    const { status, reason } = await refusal(start(relay(), 'connect', options));
    equal(status, 404);
    match(reason, /^Endpoint does not exist/);
  });

  it('says 400 to an action that it does not know', async () => {
    const url = `wss://${relay().host}:${relay().port}/$hc/${relay().path}?sb-hc-action=dance`;
    equal((await refusal(dial(relay(), url))).status, 400);
  });

  it('holds its handshake until the listener accepts', async () => {
    const listener = await TestListener.open(relay());
    const sender = start(relay(), 'connect');
    const message = await listener.nextAccept();
    listener.webSocket.ping();
    await once(listener.webSocket, 'pong');
    equal(sender.readyState, WebSocket.CONNECTING);
    const isOpen = open(sender);
    await listener.accept(message);
    await isOpen;
  });

  it('passes it on with the fields, and their order, of a captured message', async () => {
    const listener = await TestListener.open(relay());
    const headers = { 'User-Agent': 'example' };
    const sender = start(relay(), 'connect', { id: '0b3c6c1e-8f5f-4d0a-9a51-3f1c2b6d7e80', headers });
    const { address, id, connectHeaders, remoteEndpoint } = await listener.nextAccept();
    const text = listener.texts[0] ?? '';
    deepEqual(Object.keys(JSON.parse(text) as object), ['accept']);
    const fields = (JSON.parse(text) as typeof captured).accept;
    deepEqual(Object.keys(fields), Object.keys(captured.accept));
    ok(text.includes('"address":"wss:\\/\\/'), 'slashes are escaped as captured');
    match(id, /^0b3c6c1e-8f5f-4d0a-9a51-3f1c2b6d7e80_G\d+/);
    const url = new URL(address);
    equal(url.protocol, 'wss:');
    equal(url.pathname, `/$hc/${relay().path}`);
    deepEqual([...url.searchParams.keys()], ['sb-hc-action', 'sb-hc-id']);
    equal(url.searchParams.get('sb-hc-action'), 'accept');
    equal(url.searchParams.get('sb-hc-id'), id);
    for (const name of Object.keys(captured.accept['connectHeaders'] as object)) {
      ok(name in connectHeaders, `connectHeaders has ${name}`);
    }
    equal(connectHeaders['Sec-WebSocket-Version'], '13');
    equal(connectHeaders['Host'], `${relay().host}:${relay().port}`);
    equal(connectHeaders['User-Agent'], 'example');
    match(remoteEndpoint.address, /^(127\.0\.0\.1|::1)$/);
    ok(Number.isInteger(remoteEndpoint.port) && remoteEndpoint.port > 0);
    sender.terminate();
  });

  it('shows the listener all its headers but the token', async () => {
    const listener = await TestListener.open(relay());
    const headers = {
      Authorization: 'Basic abc',
      Cookie: 'a=b',
      'x-custom': 'yes',
      Origin: 'http://page.example',
    };
    start(relay(), 'connect', { headers, protocols: ['one', 'two'] });
    const { connectHeaders } = await listener.nextAccept();
    equal(connectHeaders['Authorization'], 'Basic abc');
    equal(connectHeaders['Cookie'], 'a=b');
    equal(connectHeaders['x-custom'], 'yes');
    equal(connectHeaders['Origin'], 'http://page.example');
    equal(connectHeaders['Sec-WebSocket-Protocol'], 'one,two');
    const names = Object.keys(connectHeaders).map((name) => name.toLowerCase());
    equal(names.includes('servicebusauthorization'), false);
  });

  it('joins headers that are repeated, and is not confused by a header called __proto__', async () => {
    const listener = await TestListener.open(relay());
    const client = await RawClient.connect(relay());
    client.ask(`/$hc/${relay().path}?sb-hc-action=connect`, [
      `ServiceBusAuthorization: ${goodToken(relay(), 'connect')}`,
      ...['X-Two: 1', 'x-two: 2', '__proto__: here'],
    ]);
    const { connectHeaders } = await listener.nextAccept();
    equal(connectHeaders['X-Two'], '1, 2');
    deepEqual(Object.getOwnPropertyDescriptor(connectHeaders, '__proto__')?.value, 'here');
  });

  it('carries path suffix and query in the address, escapes kept, without its own pairs', async () => {
    const listener = await TestListener.open(relay());
    const query = 'a=1&b=%2F%20&sb-hc-undefined=x&flag&sb-hc-flag';
    start(relay(), 'connect', { path: `${relay().path}/more%20of/it`, query, tokenIn: 'query' });
    const { address } = await listener.nextAccept();
    const [before = '', after = ''] = address.split('?');
    ok(before.endsWith(`/$hc/${relay().path}/more%20of/it`), before);
    ok(after.startsWith('a=1&b=%2F%20&flag&sb-hc-flag&sb-hc-action=accept&sb-hc-id='), after);
    equal(address.includes('SharedAccessSignature'), false);
  });

  it('gives each its own address, also to two with one id', async () => {
    const listener = await TestListener.open(relay());
    start(relay(), 'connect', { id: 'constant' });
    start(relay(), 'connect', { id: 'constant' });
    const [first, second] = [await listener.nextAccept(), await listener.nextAccept()];
    notEqual(first.address, second.address);
    for (const { address } of [first, second]) {
      match(new URL(address).searchParams.get('sb-hc-id') ?? '', /^constant_G\d+_[0-9a-f]{32}$/);
    }
  });

  it('takes a request without action and without id for a connect', async () => {
    const listener = await TestListener.open(relay());
    const headers = { ServiceBusAuthorization: goodToken(relay(), 'connect') };
    dial(relay(), `wss://${relay().host}:${relay().port}/$hc/${relay().path}`, { headers });
    match((await listener.nextAccept()).id, /^[0-9a-f-]{36}_G\d+/);
  });

  it('finds the longest entity that the path begins with, in any case', async () => {
    const root = token(`http://${relay().host}/`, relay().rootKey);
    const listener = await TestListener.open(relay());
    const longer = await TestListener.open(relay(), { path: relay().longerPath, token: root });
    start(relay(), 'connect', { path: `${relay().longerPath.toUpperCase()}/x`, token: root });
    start(relay(), 'connect', { path: `${relay().path.toLowerCase()}/longest`, token: root });
    ok((await longer.nextAccept()).address.includes('/x?'));
    ok((await listener.nextAccept()).address.includes('/longest?'));
  });

  it('uses each of two listeners', async () => {
    const listeners = [await TestListener.open(relay()), await TestListener.open(relay())];
    // All forty at one of two: once in 2^39 runs.
    for (let sent = 0; sent < 40; sent += 1) start(relay(), 'connect');
    const told = () => listeners.map(({ texts }) => texts.length);
    for (const listener of listeners) await listener.nextAccept();
    ok(told().every((count) => count > 0));
  });

  it('chooses among the listeners that the sender allows', async () => {
    const ids = ['11111111-aaaa-4bbb-8ccc-000000000001', '11111111-aaaa-4bbb-8ccc-000000000002'];
    const [one, two] = await Promise.all(ids.map((id) => TestListener.open(relay(), { id })));
    for (let sent = 0; sent < 4; sent += 1) {
      start(relay(), 'connect', { headers: { 'Microsoft-Relay-AllowedListeners': ids[0] ?? '' } });
      await one?.nextAccept();
      start(relay(), 'connect', { headers: { 'Microsoft-Relay-DisallowedListeners': ids[0] ?? '' } });
      await two?.nextAccept();
    }
    const headers = { 'Microsoft-Relay-DisallowedListeners': ids.join(',') };
    const { status, reason } = await refusal(start(relay(), 'connect', { headers }));
    equal(status, 404);
    match(reason, /^None of the connected listeners meet the AllowedListeners\/DisallowedListeners criteria/);
  });

  it('goes to another listener when the one it was offered to leaves', async () => {
    const first = await TestListener.open(relay());
    const sender = start(relay(), 'connect');
    await first.nextAccept();
    const second = await TestListener.open(relay());
    await first.close();
    const isOpen = open(sender);
    await second.accept(await second.nextAccept());
    await isOpen;
  });

  it('is refused with 404 when the last listener leaves', async () => {
    const listener = await TestListener.open(relay());
    const refused = refusal(start(relay(), 'connect'));
    await listener.nextAccept();
    await listener.close();
    equal((await refused).status, 404);
  });

  it('keeps its stream when the listener ends its control channel', async () => {
    const listener = await TestListener.open(relay());
    const { sender, rendezvous } = await openStream(relay(), listener);
    await listener.close();
    sender.send('still here');
    const [data] = (await once(rendezvous, 'message')) as [Buffer];
    equal(data.toString(), 'still here');
  });
});
