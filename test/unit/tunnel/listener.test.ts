import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { HybridConnectionListener } from '../../../src/tunnel/listener.ts';
import type { ListenerOptions } from '../../../src/tunnel/options.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeRelay, type Peer } from '../../helpers/fake-relay.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { EventLog, connectionTo, rejectsWith } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

const TEXT = 1;

describe('listener', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let relay: FakeRelay;
  let log: EventLog;
  let listener: HybridConnectionListener;
  let target: Server;
  let atTarget: Socket[];

  beforeEach(async () => {
    clock = new FakeClock();
    relay = await FakeRelay.start();
    log = new EventLog();
    atTarget = [];
    target = createServer((socket) => atTarget.push(socket.on('error', () => undefined)));
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
  });
  afterEach(async () => {
    for (const socket of relay.sockets) socket.destroy();
    await listener.stop({ graceMs: 0 });
    for (const socket of atTarget) socket.destroy();
    target.close();
    await relay.stop();
    await until(() => clock.timers === 0, 'the end of all fake timers');
  });

  function start(options: ListenerOptions = {}): void {
    listener = new HybridConnectionListener(connectionTo(relay.endpoint, clock), {
      target: { host: '127.0.0.1', port: (target.address() as AddressInfo).port },
      insecureLoopback: true,
      clock,
      random: () => 0,
      onEvent: log.record,
      ...options,
    });
    listener.start();
  }

  async function online(options: ListenerOptions = {}): Promise<Peer> {
    start(options);
    const peer = (await relay.next('listen')).accept();
    await listener.online();
    return peer;
  }

  async function openStream(peer: Peer, id: string): Promise<Peer> {
    peer.webSocket.send(relay.acceptMessage(id), TEXT);
    const stream = (await relay.next('accept')).accept();
    await until(() => log.of('accepted').some((event) => event.stream === id));
    return stream;
  }

  const finalAnswers: [number, string, string][] = [
    [401, 'InvalidSignature: The token has an invalid signature', 'HCM_TOKEN_SIGNATURE'],
    [401, 'Unauthorized', 'HCM_UNAUTHORIZED'],
    [403, 'Forbidden', 'HCM_FORBIDDEN'],
    [404, 'Endpoint does not exist', 'HCM_ENTITY_NOT_FOUND'],
  ];
  for (const [status, reason, code] of finalAnswers) {
    it(`ends when its first attempt is answered ${status} (${code})`, async () => {
      start();
      (await relay.next('listen')).refuse(status, reason);
      await rejectsWith(listener.online(), code as 'HCM_FORBIDDEN');
      assert.equal(listener.state.name, 'failed');
      assert.equal((await listener.ended)?.code, code);
      clock.advance(600_000);
      await turns(20);
      assert.equal(relay.connections, 1, 'it does not come back by itself');
    });

    it(`goes on after ${status} when it was online before`, async () => {
      const peer = await online();
      peer.webSocket.destroy();
      await until(() => listener.state.name === 'waiting');
      clock.advance(1_000);
      (await relay.next('listen')).refuse(status, reason);
      await until(() => log.of('reconnecting').length === 2);
      assert.equal(log.of('reconnecting')[1]?.retryInMs, 10_000, 'slowly');
      clock.advance(10_000);
      (await relay.next('listen')).accept();
      await until(() => listener.state.name === 'online');
    });
  }

  it('goes on after 401 on its first attempt when it shall keep trying', async () => {
    start({ keepTrying: true });
    (await relay.next('listen')).refuse(401, 'Unauthorized');
    await until(() => listener.state.name === 'waiting');
    clock.advance(10_000);
    (await relay.next('listen')).accept();
    await listener.online();
  });

  for (const status of [500, 503, 429]) {
    it(`goes on after ${status} on its first attempt`, async () => {
      start();
      (await relay.next('listen')).refuse(status, 'Trouble');
      await until(() => listener.state.name === 'waiting');
      clock.advance(1_000);
      await relay.next('listen');
    });
  }

  it('keeps its id over all attempts, and one control channel at a time', async () => {
    const peer = await online();
    peer.webSocket.close(1011, 'NameRenewalFailed');
    await until(() => listener.state.name === 'waiting');
    clock.advance(1_000);
    await relay.next('listen');
    const ids = relay.requests.map(({ url }) => url.searchParams.get('sb-hc-id'));
    assert.equal(ids.length, 2);
    assert.equal(new Set(ids).size, 1);
  });

  it('does not wait out its delay when the machine wakes up', async () => {
    const peer = await online();
    peer.webSocket.destroy();
    await until(() => listener.state.name === 'waiting');
    for (let attempt = 0; attempt < 6; attempt += 1) {
      clock.advance(30_000);
      (await relay.next('listen')).refuse(503, 'Busy');
      await until(() => log.of('reconnecting').length === attempt + 2);
    }
    clock.jumpWallClock(3_600_000);
    clock.advance(10_000); // the watch looks every 10 s; the delay is 30 s
    await relay.next('listen');
  });

  it('tries at once when somebody knows that the relay is back', async () => {
    const peer = await online();
    peer.webSocket.destroy();
    await until(() => listener.state.name === 'waiting');
    listener.hurry();
    await relay.next('listen');
  });

  it('is stopped at once while it waits, and while it connects', async () => {
    start();
    (await relay.next('listen')).refuse(503, 'Busy');
    await until(() => listener.state.name === 'waiting');
    await listener.stop();
    assert.deepEqual(listener.state, { name: 'stopped' });
    start();
    await relay.next('listen');
    await listener.stop();
    assert.equal(await listener.ended, undefined);
    await rejectsWith(listener.online(), 'HCM_ABORTED');
  });

  it('can be stopped before it was started, and is not started again', async () => {
    listener = new HybridConnectionListener(connectionTo(relay.endpoint, clock), { clock });
    await listener.stop();
    listener.start();
    assert.deepEqual(listener.state, { name: 'stopped' });
    assert.equal(relay.connections, 0);
  });

  it('stops now, without grace, although the relay does not answer its Close', async () => {
    const peer = await online();
    peer.webSocket.pause();
    await listener.stop({ graceMs: 0 });
    assert.deepEqual(listener.state, { name: 'stopped' });
  });

  it('serves a command that crossed its Close, and drains that stream too', async () => {
    const peer = await online();
    let stopped = false;
    const stopping = listener.stop({ graceMs: 60_000 }).then(() => (stopped = true));
    peer.webSocket.send(relay.acceptMessage('late'), TEXT);
    peer.webSocket.close(1000);
    const request = await relay.next('accept');
    await until(() => listener.state.name === 'stopped');
    await turns(50);
    assert.equal(stopped, false, 'a stream is still being set up');
    const stream = request.accept();
    await until(() => listener.openStreams === 1);
    await turns(50);
    assert.equal(stopped, false, 'a stream is open');
    for (const socket of atTarget) socket.end();
    stream.webSocket.close(1000);
    await stopping;
    assert.equal(log.of('closed').length, 1);
  });

  it('aborts what is still being set up when the grace is over', async () => {
    const peer = await online();
    peer.webSocket.send(relay.acceptMessage('slow'), TEXT);
    await relay.next('accept');
    const stopping = listener.stop({ graceMs: 5_000 });
    await until(() => peer.closed !== undefined);
    peer.webSocket.close(1000);
    await until(() => listener.state.name === 'stopped');
    clock.advance(5_000);
    await stopping;
    assert.equal(log.of('rejected')[0]?.error.code, 'HCM_ABORTED');
  });

  it('counts what is being set up against the limit, and turns the rest away with 503', async () => {
    const peer = await online({ maxStreams: 1 });
    peer.webSocket.send(relay.acceptMessage('first'), TEXT);
    const first = await relay.next('accept');
    peer.webSocket.send(relay.acceptMessage('second'), TEXT);
    const second = await relay.next('accept');
    assert.equal(second.url.searchParams.get('sb-hc-statusCode'), '503');
    second.refuse(410, 'Gone');
    await until(() => log.of('rejected').length === 1);
    first.accept();
    await until(() => listener.openStreams === 1);
  });

  it('gives a rejection that is still under way no slot', async () => {
    const peer = await online({ maxStreams: 1 });
    const stream = await openStream(peer, 'first');
    peer.webSocket.send(relay.acceptMessage('second'), TEXT);
    await relay.next('accept'); // its rejection is not answered
    stream.webSocket.destroy();
    await until(() => listener.openStreams === 0);
    await openStream(peer, 'third');
  });

  it('tells how long a stream took, from the command to the joined stream', async () => {
    const peer = await online();
    peer.webSocket.send(relay.acceptMessage('slow'), TEXT);
    const rendezvous = await relay.next('accept');
    clock.advance(120);
    rendezvous.accept();
    await until(() => log.of('accepted').length === 1);
    assert.equal(log.of('accepted')[0]?.setupMs, 120);
  });

  it('tells where a stream comes from and what was transferred', async () => {
    const peer = await online();
    const stream = await openStream(peer, 'one');
    const [accepted] = log.of('accepted');
    assert.equal(accepted?.remote, '203.0.113.9:62917');
    await until(() => atTarget.length === 1);
    stream.webSocket.send(Buffer.from('question'));
    await once(atTarget[0] as Socket, 'data');
    atTarget[0]?.end('answer!');
    await until(() => stream.closed !== undefined);
    assert.deepEqual(stream.closed, { code: 1000, reason: '' });
    stream.webSocket.close(1000);
    await until(() => log.of('closed').length === 1);
    const [closed] = log.of('closed');
    assert.deepEqual([closed?.stream, closed?.bytesIn, closed?.bytesOut], ['one', 8, 7]);
    assert.equal(closed?.error, undefined);
    assert.equal(stream.bytes.toString(), 'answer!');
  });
});
