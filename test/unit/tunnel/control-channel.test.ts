import assert from 'node:assert/strict';
import { ControlChannel } from '../../../src/tunnel/control-channel.ts';
import { RelayDialer } from '../../../src/tunnel/relay-dialer.ts';
import { sasKeyTokens, type TokenProvider } from '../../../src/tunnel/token-provider.ts';
import type { AcceptCommand, RequestCommand } from '../../../src/protocol/control-messages.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeRelay, type Peer } from '../../helpers/fake-relay.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { EventLog, connectionTo, rejectsWith } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

const HOUR_MS = 3_600_000;
const TEXT = 1;
const BINARY = 2;

describe('control channel', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let relay: FakeRelay;
  let stopping: AbortController;
  let accepts: AcceptCommand[];
  let requests: { command: RequestCommand; body: Buffer | undefined }[];
  let log: EventLog;
  let random: number;
  let keepAlive: 'ping' | 'off';

  beforeEach(async () => {
    clock = new FakeClock();
    relay = await FakeRelay.start();
    stopping = new AbortController();
    accepts = [];
    requests = [];
    log = new EventLog();
    random = 0;
    keepAlive = 'ping';
  });
  afterEach(async () => {
    await relay.stop();
    await until(() => clock.timers === 0, 'the end of all fake timers');
  });

  function open(tokens?: TokenProvider): Promise<ControlChannel> {
    const connection = connectionTo(relay.endpoint, clock);
    return ControlChannel.open({
      connection: { ...connection, tokens: tokens ?? connection.tokens },
      id: 'listener-id',
      dialer: new RelayDialer({ insecureLoopback: true }, clock),
      clock,
      random: () => random,
      keepAlive,
      emit: (body) => log.record({ ...body, time: '', connection: '' }),
      onAccept: (command) => accepts.push(command),
      onRequest: (command, body) => requests.push({ command, body }),
      signal: stopping.signal,
    });
  }

  async function openWithPeer(tokens?: TokenProvider): Promise<{ channel: ControlChannel; peer: Peer }> {
    const opening = open(tokens);
    const peer = (await relay.next('listen')).accept();
    return { channel: await opening, peer };
  }

  function renewals(peer: Peer): string[] {
    return peer.texts
      .map((text) => (JSON.parse(text) as { renewToken?: { token: string } }).renewToken?.token)
      .filter((token) => token !== undefined);
  }

  it('registers with the token in a header and its id in the query, never the token in the URL', async () => {
    const opening = open();
    const request = await relay.next('listen');
    assert.match(request.header('ServiceBusAuthorization') ?? '', /^SharedAccessSignature sr=/);
    assert.equal(request.url.pathname, '/$hc/team/hyco-1');
    assert.equal(request.url.searchParams.get('sb-hc-id'), 'listener-id');
    assert.equal(request.url.searchParams.has('sb-hc-token'), false);
    request.refuse(404, 'Not Found');
    await rejectsWith(opening, 'HCM_ENTITY_NOT_FOUND');
  });

  it('says how far the two clocks are apart', async () => {
    const opening = open();
    (await relay.next('listen')).accept({ date: new Date(clock.nowMs() - 600_000) });
    assert.equal((await opening).skewMs, 600_000);
  });

  it('gives up a registration that is not answered within 30 s', async () => {
    const opening = rejectsWith(open(), 'HCM_CONNECT_TIMEOUT');
    await relay.next('listen');
    clock.advance(30_000);
    await opening;
  });

  it('gives up a token source that never answers, and can be stopped while it waits', async () => {
    const silent: TokenProvider = { renewable: true, token: () => new Promise(() => undefined) };
    const late = rejectsWith(open(silent), 'HCM_CONNECT_TIMEOUT');
    clock.advance(30_000);
    await late;
    const stopped = assert.rejects(open(silent), /stopped/);
    stopping.abort(new Error('stopped'));
    await stopped;
  });

  it('hands accept commands on and ignores what it does not understand', async () => {
    const { peer } = await openWithPeer();
    peer.webSocket.send(Buffer.from('no JSON'), TEXT);
    peer.webSocket.send(Buffer.from('{"injectFault":{}}'), TEXT);
    peer.webSocket.send(Buffer.from([1, 2, 3]));
    peer.webSocket.send(relay.acceptMessage('stream-1_G0'), TEXT);
    await until(() => accepts.length === 1);
    assert.equal(accepts[0]?.id, 'stream-1_G0');
  });

  it('puts a command together that came in pieces', async () => {
    const { peer } = await openWithPeer();
    const message = relay.acceptMessage('stream-1');
    peer.webSocket.sendFragment(message.subarray(0, 20), TEXT, false);
    peer.webSocket.ping(Buffer.from('between'));
    peer.webSocket.sendFragment(message.subarray(20), TEXT, true);
    await until(() => accepts.length === 1);
  });

  const request = (fields: object) =>
    Buffer.from(JSON.stringify({ request: { address: 'wss://x/?y', ...fields } }));

  it('hands a request on with the binary message behind it, both in any pieces', async () => {
    const { peer } = await openWithPeer();
    const message = request({ id: 'a', method: 'POST', requestTarget: '/hyco', body: true });
    peer.webSocket.sendFragment(message.subarray(0, 7), TEXT, false);
    peer.webSocket.ping(Buffer.from('between'));
    peer.webSocket.sendFragment(message.subarray(7), TEXT, true);
    peer.webSocket.sendFragment(Buffer.from('bo'), BINARY, false);
    peer.webSocket.sendFragment(Buffer.from('dy'), BINARY, false);
    peer.webSocket.sendFragment(Buffer.alloc(0), BINARY, true);
    await until(() => requests.length === 1);
    assert.equal(requests[0]?.command.id, 'a');
    assert.equal(requests[0]?.body?.toString(), 'body');
  });

  it('takes a body of 64 KiB, and commands of that size', async () => {
    const { peer } = await openWithPeer();
    const requestHeaders = { 'X-Long': 'x'.repeat(64_000) };
    peer.webSocket.send(request({ id: 'a', method: 'POST', body: true, requestHeaders }), TEXT);
    peer.webSocket.send(Buffer.alloc(65_536, 7));
    await until(() => requests.length === 1);
    assert.equal(requests[0]?.body?.length, 65_536);
  });

  it('hands requests without a body on at once, and takes no stray binary message for one', async () => {
    const { peer } = await openWithPeer();
    peer.webSocket.send(Buffer.from('stray'));
    peer.webSocket.send(request({ id: 'a', method: 'GET', body: false }), TEXT);
    peer.webSocket.send(Buffer.from('stray'));
    peer.webSocket.send(request({}), TEXT);
    await until(() => requests.length === 2);
    assert.deepEqual(
      requests.map(({ body }) => body),
      [undefined, undefined],
    );
  });

  it('does not take a command for the body that did not come', async () => {
    const { peer } = await openWithPeer();
    peer.webSocket.send(request({ id: 'a', method: 'POST', body: true }), TEXT);
    peer.webSocket.send(relay.acceptMessage('stream-1_G0'), TEXT);
    await until(() => accepts.length === 1);
    assert.equal(requests[0]?.body, undefined);
  });

  it('sends a response and its body with nothing between, whatever else is sent', async () => {
    const { channel, peer } = await openWithPeer();
    const sent = ['1', '2', '3'].map((id) => channel.respond(id, Buffer.from(id)));
    channel.refresh();
    const last = channel.respond('4', undefined);
    assert.deepEqual(await Promise.all([...sent, last]), [true, true, true, true]);
    await until(() => peer.messages.length === 8);
    const responses = peer.messages.filter(({ bytes }) => bytes.length === 1);
    assert.deepEqual(
      responses.map(({ kind, bytes }) => `${kind} ${bytes.toString()}`),
      ['text 1', 'binary 1', 'text 2', 'binary 2', 'text 3', 'binary 3', 'text 4'],
    );
  });

  it('keeps responses back while the relay reads nothing, and gives them back when it dies', async () => {
    keepAlive = 'off';
    const { channel, peer } = await openWithPeer();
    peer.webSocket.pause();
    const body = Buffer.alloc(65_536);
    const sent = Array.from({ length: 400 }, (_, at) => channel.respond(String(at), body));
    let settled = 0;
    for (const one of sent) void one.then(() => (settled += 1));
    await turns(50);
    assert.ok(settled < 400, `${settled} of 400 were sent`);
    peer.webSocket.destroy();
    const results = await Promise.all(sent);
    assert.ok(results.includes(true));
    assert.equal(results.at(-1), false);
    assert.equal(await channel.respond('late', undefined), false);
  });

  it('renews the token at 75 % of its life, and then again', async () => {
    keepAlive = 'off'; // no Pong comes while the clock leaps
    const { peer } = await openWithPeer();
    await clock.advanceAsync(0.75 * HOUR_MS - 1_000);
    assert.deepEqual(renewals(peer), []);
    await clock.advanceAsync(1_000);
    await until(() => renewals(peer).length === 1);
    await clock.advanceAsync(0.75 * HOUR_MS);
    await until(() => renewals(peer).length === 2);
    assert.equal(new Set(renewals(peer)).size, 2, 'two different tokens');
    assert.equal(log.of('token-renewed').length, 2);
  });

  it('renews up to a tenth earlier, by jitter', async () => {
    keepAlive = 'off'; // no Pong comes while the clock leaps
    random = 0.999;
    const { peer } = await openWithPeer();
    await clock.advanceAsync(0.674 * HOUR_MS);
    assert.deepEqual(renewals(peer), []);
    await clock.advanceAsync(0.002 * HOUR_MS);
    await until(() => renewals(peer).length === 1);
  });

  it('renews at once after a jump of the clock, and asks whether the relay is alive', async () => {
    const { channel, peer } = await openWithPeer();
    clock.jumpWallClock(2 * HOUR_MS);
    channel.refresh();
    await until(() => renewals(peer).length === 1);
    const { expiresAt } = log.of('token-renewed')[0] ?? {};
    assert.equal(expiresAt, new Date(clock.nowMs() + HOUR_MS).toISOString());
    peer.webSocket.pause();
    clock.advance(10_000);
    assert.equal(peer.closed, undefined);
  });

  it('finds a relay that died during the sleep within 10 s', async () => {
    const { channel, peer } = await openWithPeer();
    peer.webSocket.pause();
    channel.refresh();
    clock.advance(10_000);
    assert.equal((await channel.ended).code, 'HCM_KEEPALIVE_TIMEOUT');
  });

  it('asks a failing token source again after 30 s', async () => {
    keepAlive = 'off'; // no Pong comes while the clock leaps
    let fails = false;
    const good = sasKeyTokens({ keyName: 'rule', key: 'secret' }, clock);
    const tokens: TokenProvider = {
      renewable: true,
      token: (entity) => (fails ? Promise.reject(new Error('no network')) : good.token(entity)),
    };
    const { peer } = await openWithPeer(tokens);
    fails = true;
    await clock.advanceAsync(0.75 * HOUR_MS);
    fails = false;
    await clock.advanceAsync(29_000);
    assert.deepEqual(renewals(peer), []);
    await clock.advanceAsync(1_000);
    await until(() => renewals(peer).length === 1);
  });

  it('does not renew a ready-made token', async () => {
    keepAlive = 'off'; // no Pong comes while the clock leaps
    const ready: TokenProvider = {
      renewable: false,
      token: () => Promise.resolve({ text: 'ready', expiresAtMs: clock.nowMs() + HOUR_MS }),
    };
    const { channel, peer } = await openWithPeer(ready);
    channel.refresh();
    await clock.advanceAsync(2 * HOUR_MS);
    assert.deepEqual(renewals(peer), []);
  });

  const closes: [number | undefined, string, string][] = [
    [1011, 'NameRenewalFailed', 'HCM_RELAY_FAULT'],
    [1001, 'deleted', 'HCM_ENTITY_NOT_FOUND'],
    [1008, 'ExpiredToken: The token is expired', 'HCM_TOKEN_EXPIRED'],
    [1000, '', 'HCM_CONNECTION_LOST'],
    [undefined, '', 'HCM_CONNECTION_LOST'],
  ];
  for (const [code, reason, expected] of closes) {
    it(`ends with ${expected} when the relay closes with ${code ?? 'no code'}, and answers the Close`, async () => {
      const { channel, peer } = await openWithPeer();
      peer.webSocket.close(code, reason);
      assert.equal((await channel.ended).code, expected);
      await until(() => peer.over !== undefined);
      assert.equal(peer.closed?.code, 1000);
      assert.equal(peer.over?.error, undefined, 'both sides closed');
    });
  }

  it('ends when the relay dies without a Close', async () => {
    const { channel, peer } = await openWithPeer();
    peer.webSocket.destroy();
    assert.equal((await channel.ended).code, 'HCM_CONNECTION_LOST');
  });

  it('ends when the relay breaks the WebSocket protocol, and says so', async () => {
    const opening = open();
    const request = await relay.next('listen');
    const peer = request.accept();
    const channel = await opening;
    request.socket.write(Buffer.from([0xff, 0x00]));
    await until(() => peer.closed !== undefined);
    assert.equal(peer.closed?.code, 1002);
    peer.webSocket.close(1002);
    assert.equal((await channel.ended).code, 'HCM_WEBSOCKET_PROTOCOL');
  });

  it('deregisters with a Close, and waits 5 s at most for the answer', async () => {
    const { channel, peer } = await openWithPeer();
    channel.close();
    await until(() => peer.closed !== undefined);
    assert.deepEqual(peer.closed, { code: 1000, reason: 'Normal Closure' });
    clock.advance(5_000);
    await channel.ended;
  });
});
