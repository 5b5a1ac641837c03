import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import type { TargetAddress } from '../../../src/protocol/target-address.ts';
import { HybridConnectionListener } from '../../../src/tunnel/listener.ts';
import type { ListenerOptions } from '../../../src/tunnel/options.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeRelay, type Peer } from '../../helpers/fake-relay.ts';
import { slices } from '../../helpers/frames.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { EventLog, connectionTo } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

const TEXT = 1;
const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const PREAMBLE = '01 00 00 03 73 73 68';
const DATAGRAM_PREAMBLE = '01 00 01 03 35 33 55';

describe('a listener of azbridge', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let relay: FakeRelay;
  let log: EventLog;
  let listener: HybridConnectionListener;
  let control: Peer;
  let target: Server;
  let atTarget: Socket[];
  let received: Buffer;
  let udp: UdpSocket;
  /** What the UDP target got, and from where. */
  let datagrams: { payload: string; port: number }[];
  let streams = 0;

  beforeEach(async () => {
    clock = new FakeClock();
    relay = await FakeRelay.start();
    log = new EventLog();
    atTarget = [];
    received = Buffer.alloc(0);
    datagrams = [];
    target = createServer({ allowHalfOpen: true }, (socket) => {
      atTarget.push(socket.on('error', () => undefined));
      socket.on('data', (bytes: Buffer) => (received = Buffer.concat([received, bytes])));
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    udp = createSocket('udp4');
    udp.on('message', (payload, { port }) => datagrams.push({ payload: payload.toString('hex'), port }));
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
  });
  afterEach(async () => {
    for (const socket of relay.sockets) socket.destroy();
    await listener.stop({ graceMs: 0 });
    for (const socket of atTarget) socket.destroy();
    target.close();
    udp.close();
    await relay.stop();
    await until(() => clock.timers === 0, 'the end of all fake timers');
  });

  async function online(
    ports: Record<string, TargetAddress> = {},
    options: ListenerOptions = {},
  ): Promise<void> {
    const host = '127.0.0.1';
    const given: Record<string, TargetAddress> = {
      ssh: { kind: 'tcp', host, port: (target.address() as AddressInfo).port },
      '53U': { kind: 'udp', host, port: udp.address().port },
      ...ports,
    };
    listener = new HybridConnectionListener(connectionTo(relay.endpoint, clock), {
      dialect: 'azbridge',
      ports: new Map(Object.entries(given)),
      insecureLoopback: true,
      clock,
      random: () => 0,
      onEvent: log.record,
      ...options,
    });
    listener.start();
    control = (await relay.next('listen')).accept();
    await listener.online();
  }

  /** The relay's end of a rendezvous that the listener has accepted before it knew of any port. */
  async function rendezvous(): Promise<Peer> {
    streams += 1;
    control.webSocket.send(relay.acceptMessage(`stream-${streams}`), TEXT);
    return (await relay.next('accept')).accept();
  }

  const hasClosed = (peer: Peer) => peer.closed !== undefined;
  const lastRejected = () => log.of('rejected').at(-1);
  const answered = (peer: Peer, hex: string) =>
    until(() => peer.bytes.equals(bytesOf(hex)), `the answer ${hex}, not ${peer.bytes.toString('hex')}`);

  it('answers 01 00 00 when it has reached the target, and forwards what stands behind the preamble', async () => {
    await online();
    const peer = await rendezvous();
    peer.webSocket.send(Buffer.concat([bytesOf(PREAMBLE), Buffer.from('SSH-2.0-x')]));
    await answered(peer, '01 00 00');
    await until(() => received.toString() === 'SSH-2.0-x');
    const [accepted] = log.of('accepted');
    assert.deepEqual([accepted?.port, accepted?.remote], ['ssh', '203.0.113.9:62917']);
    atTarget[0]?.write('welcome');
    await until(() => peer.bytes.subarray(3).toString() === 'welcome');
  });

  it('reads the preamble as bytes, however the messages are cut', async () => {
    await online();
    const whole = Buffer.concat([bytesOf(PREAMBLE), Buffer.from('hello')]);
    for (const pieces of [slices(whole, 1), slices(whole, 3), slices(whole, 4), [whole]]) {
      received = Buffer.alloc(0);
      const peer = await rendezvous();
      for (const piece of pieces) {
        peer.webSocket.send(piece);
        await turns(2);
      }
      await answered(peer, '01 00 00');
      await until(() => received.toString() === 'hello');
      peer.webSocket.destroy();
    }
  });

  it('reads it out of fragments of one message, and out of text', async () => {
    await online();
    const peer = await rendezvous();
    const parts = slices(Buffer.concat([bytesOf(PREAMBLE), Buffer.from('x')]), 2);
    for (const [at, part] of parts.entries()) peer.webSocket.sendFragment(part, 2, at === parts.length - 1);
    await answered(peer, '01 00 00');
    const second = await rendezvous();
    second.webSocket.send(bytesOf(PREAMBLE), TEXT);
    await answered(second, '01 00 00');
  });

  it('half-closes both ways with a peer whose Close is one-way, as azbridge and .NET have it', async () => {
    await online();
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf(PREAMBLE));
    peer.webSocket.send(Buffer.from('question'));
    peer.webSocket.close(1000, 'Shutdown');
    await until(() => atTarget[0]?.readableEnded === true, 'the end at the target');
    assert.equal(received.toString(), 'question');
    assert.equal(hasClosed(peer), false, 'our direction is open');
    atTarget[0]?.end('the late answer');
    await until(() => hasClosed(peer));
    assert.deepEqual(peer.bytes, Buffer.concat([bytesOf('01 00 00'), Buffer.from('the late answer')]));
    assert.equal(peer.closed?.code, 1000);
    await until(() => log.of('closed').length === 1);
    const [closed] = log.of('closed');
    assert.deepEqual([closed?.bytesIn, closed?.bytesOut, closed?.error], [8, 15, undefined]);
  });

  it('goes on sending to the target after the target has ended its direction', async () => {
    await online();
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf(PREAMBLE));
    await until(() => atTarget.length === 1);
    atTarget[0]?.end('bye');
    await until(() => hasClosed(peer));
    peer.webSocket.send(Buffer.from('more'));
    peer.webSocket.close(1000, 'CloseAsync');
    await until(() => received.toString() === 'more');
    await until(() => log.of('closed').length === 1);
    assert.equal(log.of('closed')[0]?.error, undefined);
  });

  const refusals: [title: string, preamble: string, answer: string, code: string][] = [
    ['version 2.0', '02 00 00 03 73 73 68', '00 00 00', 'HCM_DIALECT_MISMATCH'],
    ['a mode that it does not know', '01 00 02 03 73 73 68', '00 00 00', 'HCM_DIALECT_MISMATCH'],
    ['what is no preamble', '47 45 54', '00 00 00', 'HCM_DIALECT_MISMATCH'],
    ['a stream to UDP', '01 00 00 03 35 33 55', '00 00 01', 'HCM_LOGICAL_PORT_MODE'],
    ['datagrams to a stream', '01 00 01 03 73 73 68', '00 00 ff', 'HCM_LOGICAL_PORT_MODE'],
    ['a port that is not there', '01 00 00 03 73 73 69', '', 'HCM_LOGICAL_PORT_UNKNOWN'],
    ['a port without a name', '01 00 00 00', '', 'HCM_LOGICAL_PORT_UNKNOWN'],
    ['a number, where there are two ports', '01 00 00 02 32 32', '', 'HCM_LOGICAL_PORT_UNKNOWN'],
  ];
  for (const [title, preamble, answer, code] of refusals) {
    it(`refuses ${title} with "${answer}" and Close 1000, and says why`, async () => {
      await online();
      const peer = await rendezvous();
      peer.webSocket.send(bytesOf(preamble));
      await until(() => hasClosed(peer));
      assert.deepEqual(peer.bytes, bytesOf(answer));
      assert.equal(peer.closed?.code, 1000);
      assert.ok(peer.closed?.reason.endsWith(`(${code})`), peer.closed?.reason);
      peer.webSocket.close(1000, 'CloseAsync');
      await until(() => lastRejected() !== undefined);
      assert.equal(lastRejected()?.error.code, code);
      assert.equal(atTarget.length, 0);
      // The listener is unharmed.
      const next = await rendezvous();
      next.webSocket.send(bytesOf(PREAMBLE));
      await answered(next, '01 00 00');
    });
  }

  it('does not wait for ever for the Close of a sender that it has refused', async () => {
    await online();
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf('47 45 54'));
    await until(() => hasClosed(peer));
    peer.webSocket.send(Buffer.alloc(100_000));
    clock.advance(5_000);
    await until(() => peer.over !== undefined && lastRejected() !== undefined);
  });

  it('waits ten seconds for the preamble, and no byte renews them', async () => {
    await online();
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf('01 00'));
    await turns(20);
    clock.advance(9_000);
    peer.webSocket.send(bytesOf('00 03'));
    await turns(20);
    assert.equal(hasClosed(peer), false);
    clock.advance(1_000);
    await until(() => hasClosed(peer));
    assert.equal(peer.bytes.length, 0);
    assert.match(peer.closed?.reason ?? '', /within 10 s \(HCM_DIALECT_MISMATCH\)$/);
    peer.webSocket.close(1000);
    await until(() => lastRejected()?.error.code === 'HCM_DIALECT_MISMATCH');
  });

  it('closes at a Close, or a loss, before the preamble was complete', async () => {
    await online();
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf('01 00 00 03 73'));
    peer.webSocket.close(1000, 'Shutdown');
    await until(() => lastRejected() !== undefined);
    assert.match(lastRejected()?.error.message ?? '', /before its azbridge preamble was complete/);
    assert.equal(peer.closed?.code, 1000);
    const lost = await rendezvous();
    lost.webSocket.send(bytesOf('01'));
    await turns(10);
    lost.webSocket.destroy();
    await until(() => log.of('rejected').length === 2);
    assert.equal(lastRejected()?.error.code, 'HCM_CONNECTION_LOST');
  });

  it('says nothing but the reason when the target refuses', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await online({ dead: { kind: 'tcp', host: '127.0.0.1', port } });
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf('01 00 00 04 64 65 61 64'));
    await until(() => hasClosed(peer));
    assert.equal(peer.bytes.length, 0);
    assert.equal(peer.closed?.reason, `127.0.0.1:${port} refused the connection (HCM_TARGET_REFUSED)`);
    peer.webSocket.close(1000);
    await until(() => lastRejected() !== undefined);
    assert.deepEqual([lastRejected()?.port, lastRejected()?.target], ['dead', `127.0.0.1:${port}`]);
  });

  it('aborts what is being set up at a stop without grace', async () => {
    await online();
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf('01 00'));
    await turns(20);
    const stopping = listener.stop({ graceMs: 0 });
    await until(() => peer.over !== undefined);
    await stopping;
  });

  it('tells the target who the sender is, before the payload and not in the answer', async () => {
    await online({}, { proxyProtocol: 'v2' });
    const peer = await rendezvous();
    peer.webSocket.send(Buffer.concat([bytesOf(PREAMBLE), Buffer.from('hello')]));
    await answered(peer, '01 00 00');
    await until(() => received.toString('latin1').endsWith('hello'));
    assert.equal(received.toString('hex', 0, 12), '0d0a0d0a000d0a515549540a');
    // 203.0.113.9:62917
    assert.ok(received.includes(bytesOf('cb 00 71 09')) && received.includes(bytesOf('f5 c5')));
  });

  it('is not made without a port, or with one that no preamble can name', () => {
    listener = new HybridConnectionListener(connectionTo(relay.endpoint, clock), { clock });
    const make = (ports: Map<string, TargetAddress>) => () =>
      new HybridConnectionListener(connectionTo(relay.endpoint, clock), {
        clock,
        dialect: 'azbridge',
        ports,
      });
    assert.throws(make(new Map()), { code: 'HCM_TARGET_MISSING' });
    assert.throws(make(new Map([['', { kind: 'unix', path: '/x' }]])), { code: 'HCM_NAME_INVALID' });
  });

  describe('for datagrams', () => {
    async function opened(): Promise<Peer> {
      const peer = await rendezvous();
      peer.webSocket.send(bytesOf(DATAGRAM_PREAMBLE));
      await answered(peer, '01 00 01');
      return peer;
    }
    const sent = () => datagrams.map(({ payload }) => payload);

    it('cuts the stream at its lengths, whatever the messages are', async () => {
      await online();
      const peer = await opened();
      peer.webSocket.send(bytesOf('00 01 2a'));
      peer.webSocket.send(bytesOf('00 00'));
      peer.webSocket.send(bytesOf('00 02 61 62 00 01 63'));
      for (const part of slices(bytesOf('00 03 64 65 66'), 1)) peer.webSocket.send(part);
      await until(() => datagrams.length === 5);
      assert.deepEqual(sent(), ['2a', '', '6162', '63', '646566']);
    });

    it('takes the first one out of the message of the preamble', async () => {
      await online();
      const peer = await rendezvous();
      peer.webSocket.send(bytesOf(`${DATAGRAM_PREAMBLE} 00 01 2a`));
      await until(() => datagrams.length === 1);
    });

    it('sends each answer as one message with its length', async () => {
      await online();
      const peer = await opened();
      peer.webSocket.send(bytesOf('00 01 2a'));
      await until(() => datagrams.length === 1);
      const port = datagrams[0]?.port ?? 0;
      for (const answer of ['', 'ok', 'x'.repeat(1472)]) udp.send(answer, port, '127.0.0.1');
      const expected = ['0000', '00026f6b', `05c0${'78'.repeat(1472)}`].join('');
      await until(() => peer.bytes.subarray(3).toString('hex') === expected);
    });

    it('drops a datagram that no UDP carries, tells of it, and goes on', async () => {
      await online();
      const peer = await opened();
      peer.webSocket.send(Buffer.concat([bytesOf('ff e4'), Buffer.alloc(65_508)]));
      peer.webSocket.send(bytesOf('00 01 2a'));
      await until(() => datagrams.length === 1);
      const [dropped] = log.of('datagrams-dropped');
      assert.deepEqual([dropped?.port, dropped?.reason, dropped?.count], ['53U', 'too-long', 1]);
      assert.equal(dropped?.stream, log.of('accepted')[0]?.stream);
    });

    it('ends after four idle minutes without an error, though the peer never closes', async () => {
      await online({}, { keepAlive: 'off' });
      const peer = await opened();
      clock.advance(3 * 60_000);
      peer.webSocket.send(bytesOf('00 01 2a'));
      await until(() => datagrams.length === 1);
      clock.advance(3 * 60_000);
      udp.send('x', datagrams[0]?.port ?? 0, '127.0.0.1');
      await until(() => peer.bytes.length === 6);
      clock.advance(4 * 60_000 - 1);
      await turns(10);
      assert.equal(hasClosed(peer), false);
      clock.advance(1);
      await until(() => peer.closed?.code === 1000);
      clock.advance(5_000);
      await until(() => log.of('closed').length === 1);
      assert.equal(log.of('closed')[0]?.error, undefined);
    });

    it('ends when the peer does', async () => {
      await online();
      const peer = await opened();
      peer.webSocket.close(1000, 'Shutdown');
      await until(() => log.of('closed').length === 1);
      assert.equal(peer.closed?.code, 1000);
      assert.equal(log.of('closed')[0]?.error, undefined);
    });

    it('survives a target that is not there: UDP promises nothing', async () => {
      await online();
      const { port } = udp.address();
      const peer = await opened();
      udp.close();
      await once(udp, 'close');
      peer.webSocket.send(bytesOf('00 01 2a'));
      await until(() => log.of('datagrams-dropped').length > 0, 'what ICMP says');
      assert.equal(log.of('datagrams-dropped')[0]?.reason, 'refused');
      udp = createSocket('udp4');
      udp.on('message', (payload) => datagrams.push({ payload: payload.toString('hex'), port: 0 }));
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      peer.webSocket.send(bytesOf('00 01 2b'));
      await until(() => datagrams.length === 1);
      assert.deepEqual(sent(), ['2b']);
    });

    it('is over at once when the tunnel stops, with all its grace left', async () => {
      await online();
      const peer = await opened();
      const stopping = listener.stop({ graceMs: 60_000 });
      await until(() => hasClosed(peer));
      peer.webSocket.close(1000);
      control.webSocket.close(1000);
      await stopping;
      assert.equal(log.of('closed')[0]?.error, undefined);
    });

    it('drops answers while the relay takes none, instead of keeping them', async () => {
      await online();
      const peer = await opened();
      peer.webSocket.send(bytesOf('00 01 2a'));
      await until(() => datagrams.length === 1);
      const port = datagrams[0]?.port ?? 0;
      peer.webSocket.pause();
      const block = Buffer.alloc(60_000);
      const isDropped = () => log.of('datagrams-dropped').some(({ reason }) => reason === 'relay-slow');
      for (let turn = 0; turn < 4_000 && !isDropped(); turn += 1) {
        udp.send(block, port, '127.0.0.1');
        await turns(1);
      }
      assert.ok(isDropped());
      peer.webSocket.resume();
      const before = peer.bytes.length;
      await until(() => peer.bytes.length > before + 60_000, 'what had waited');
    });
  });

  it('neither crashes nor hangs on anything that a sender may send', async function () {
    this.timeout(60_000);
    await online();
    const start = fc.oneof(
      fc.constantFrom(PREAMBLE, DATAGRAM_PREAMBLE, '01 00 00 ff', '01 00 01 00', '47').map(bytesOf),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    );
    const message = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    const ending = fc.constantFrom('close', 'empty close', 'other code', 'loss', 'loss later');
    await fc.assert(
      fc.asyncProperty(start, fc.array(message, { maxLength: 5 }), ending, async (first, rest, how) => {
        const before = log.of('rejected').length + log.of('closed').length;
        const peer = await rendezvous();
        for (const bytes of [first, ...rest]) peer.webSocket.send(bytes);
        if (how === 'loss later') await turns(15);
        if (how.startsWith('loss')) peer.webSocket.destroy();
        else if (how === 'empty close') peer.webSocket.close();
        else peer.webSocket.close(how === 'close' ? 1000 : 1011, 'Shutdown');
        // Half a stream is kept open by the target until it ends too.
        await until(() => {
          for (const socket of atTarget.splice(0)) socket.end();
          return log.of('rejected').length + log.of('closed').length > before;
        }, 'the end of the stream');
        peer.webSocket.destroy();
      }),
      { numRuns: 60 },
    );
    const unexpected = [...log.of('rejected'), ...log.of('closed')].filter(
      ({ error }) => error?.code === 'HCM_UNEXPECTED',
    );
    assert.deepEqual(unexpected, []);
    assert.equal(listener.openStreams, 0);
    const peer = await rendezvous();
    peer.webSocket.send(bytesOf(PREAMBLE));
    await answered(peer, '01 00 00');
  });
});
