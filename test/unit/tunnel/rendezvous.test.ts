import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { AcceptCommand } from '../../../src/protocol/control-messages.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { RelayDialer } from '../../../src/tunnel/relay-dialer.ts';
import { answerAccept, answerReject, type RendezvousOptions } from '../../../src/tunnel/rendezvous.ts';
import type { CancelSignal } from '../../../src/websocket/cancel-signal.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeRelay } from '../../helpers/fake-relay.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets, socketPair, type SocketPair } from '../../helpers/socket-pair.ts';
import { connectionTo, rejectsWith } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

describe('rendezvous', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let relay: FakeRelay;
  let cutting: AbortController;
  let target: SocketPair;
  let options: RendezvousOptions;

  beforeEach(async () => {
    clock = new FakeClock();
    relay = await FakeRelay.start();
    cutting = new AbortController();
    target = await socketPair();
    options = {
      connection: connectionTo(relay.endpoint, clock),
      dialer: new RelayDialer({ insecureLoopback: true }, clock),
      clock,
      signal: cutting.signal,
    };
  });
  afterEach(async () => {
    await destroySockets(target.client, target.server);
    await relay.stop();
    await until(() => clock.timers === 0, 'the end of all fake timers');
  });

  function command(headers: Record<string, string> = {}): AcceptCommand {
    const { accept } = JSON.parse(relay.acceptMessage('stream-1', headers).toString()) as {
      accept: AcceptCommand;
    };
    return accept;
  }

  /** A dial of the target that the test ends. */
  function heldDial() {
    let connected: (socket: Socket) => void = () => undefined;
    let failed: (error: Error) => void = () => undefined;
    const dialed = new Promise<Socket>((resolve, reject) => ([connected, failed] = [resolve, reject]));
    return { dial: () => dialed, connected: () => connected(target.client), failed: (e: Error) => failed(e) };
  }

  const refused = () =>
    new HcmError('HCM_TARGET_REFUSED', 'db:5432 refused the connection', { retryable: true });

  it('connects to the relay while the target is dialed, and asks only when that has succeeded', async () => {
    const { dial, connected } = heldDial();
    const answering = answerAccept(command(), dial, options);
    await until(() => relay.sockets.size === 1, 'the connection to the relay');
    await turns(50);
    assert.equal(relay.requests.length, 0, 'nothing was asked before the target answered');
    connected();
    const request = await relay.next('accept');
    assert.equal(request.url.searchParams.get('sb-hc-id'), 'stream-1');
    assert.equal(request.url.searchParams.has('sb-hc-statusCode'), false);
    assert.equal(request.header('ServiceBusAuthorization'), undefined, 'the address is the secret');
    request.accept();
    const answer = await answering;
    assert.ok('webSocket' in answer);
    answer.webSocket.destroy();
  });

  it('rejects with the reason when the target cannot be had, and is content with 410', async () => {
    const { dial, failed } = heldDial();
    const answering = answerAccept(command(), dial, options);
    await until(() => relay.sockets.size === 1);
    await turns(20);
    assert.equal(relay.requests.length, 0);
    failed(refused());
    const request = await relay.next('accept');
    assert.equal(request.url.searchParams.get('sb-hc-statusCode'), '502');
    const description = request.url.searchParams.get('sb-hc-statusDescription') ?? '';
    assert.match(description, /db:5432 refused.*\(HCM_TARGET_REFUSED\)/);
    request.refuse(410, 'Gone');
    const answer = await answering;
    assert.ok('error' in answer && answer.error.code === 'HCM_TARGET_REFUSED');
  });

  it('says so when the relay does not take the rejection', async () => {
    const answering = rejectsWith(answerReject(command(), refused(), options), 'HCM_HANDSHAKE_FAILED');
    (await relay.next('accept')).refuse(400, 'Bad Request');
    await answering;
  });

  it('asks for the first subprotocol that the sender offers', async () => {
    const answering = answerAccept(
      command({ 'sec-websocket-PROTOCOL': 'mqtt, other' }),
      () => Promise.resolve(target.client),
      options,
    );
    const request = await relay.next('accept');
    assert.equal(request.header('Sec-WebSocket-Protocol'), 'mqtt');
    request.accept({ protocol: 'mqtt' });
    const answer = await answering;
    assert.ok('webSocket' in answer);
    answer.webSocket.destroy();
  });

  for (const end of ['resetAndDestroy', 'destroy'] as const) {
    it(`connects again when the relay cuts the waiting connection while the target is dialed (${end})`, async () => {
      const { dial, connected } = heldDial();
      const answering = answerAccept(command(), dial, options);
      await until(() => relay.sockets.size === 1);
      for (const socket of relay.sockets) socket[end]();
      await until(() => relay.sockets.size === 0);
      await turns(50);
      connected();
      (await relay.next('accept')).accept();
      const answer = await answering;
      assert.ok('webSocket' in answer);
      assert.equal(relay.connections, 2);
      answer.webSocket.destroy();
    });
  }

  it('gives the target back when the relay refuses the accept', async () => {
    const answering = rejectsWith(
      answerAccept(command(), () => Promise.resolve(target.client), options),
      'HCM_RENDEZVOUS_EXPIRED',
    );
    (await relay.next('accept')).refuse(403, 'Forbidden');
    await answering;
    assert.ok(target.client.destroyed);
  });

  it('gives both connections back when the address has expired', async () => {
    const answering = rejectsWith(
      answerAccept(command(), () => Promise.resolve(target.client), options),
      'HCM_RENDEZVOUS_EXPIRED',
    );
    const { socket } = await relay.next('accept');
    clock.advance(30_000);
    await answering;
    assert.ok(target.client.destroyed);
    await once(socket.resume(), 'end');
  });

  it('gives both connections back when it is stopped while the target is dialed', async () => {
    const dial = (signal: CancelSignal) =>
      new Promise<Socket>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    const answering = assert.rejects(answerAccept(command(), dial, options), /stopped/);
    await until(() => relay.sockets.size === 1);
    cutting.abort(new HcmError('HCM_ABORTED', 'stopped'));
    await answering;
    await until(() => relay.sockets.size === 0, 'the end of the connection to the relay');
  });

  it('gives the connection to the relay back when the dial fails in an unexpected way', async () => {
    const answering = assert.rejects(
      answerAccept(command(), () => Promise.reject(new TypeError('a bug')), options),
      /a bug/,
    );
    await answering;
    await until(() => relay.connections === 1 && relay.sockets.size === 0, 'the end of the connection');
  });

  it('dials the relay a second time when the first connection fails', async () => {
    const dialer = options.dialer;
    let dials = 0;
    const failing = {
      dial: (host: string, port: number, signal?: AbortSignal) => {
        dials += 1;
        const error = new HcmError('HCM_CONNECT_FAILED', 'reset', { retryable: true });
        return dials === 1 ? Promise.reject(error) : dialer.dial(host, port, signal);
      },
    } as unknown as RelayDialer;
    const answering = answerReject(command(), refused(), { ...options, dialer: failing });
    (await relay.next('accept')).refuse(410, 'Gone');
    await answering;
    assert.equal(dials, 2);
  });

  it('never dials an address outside the relay', async () => {
    const foreign = { ...command(), address: 'wss://evil.example/$hc/x?sb-hc-action=accept&sb-hc-id=1' };
    await rejectsWith(
      answerAccept(foreign, () => assert.fail('the target was dialed'), options),
      'HCM_HANDSHAKE_FAILED',
    );
  });
});
