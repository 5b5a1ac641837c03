import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { startDatagramPort, type DatagramPortOptions } from '../../../src/tunnel/azbridge/datagram-port.ts';
import type { LocalPort } from '../../../src/tunnel/local-port.ts';
import { Sender } from '../../../src/tunnel/sender.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeRelay, type Peer } from '../../helpers/fake-relay.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { EventLog, connectionTo, rejectsWith } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

const HOST = '127.0.0.1';
const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const PREAMBLE = '010001 03 35 33 55';

describe('a local UDP port', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let relay: FakeRelay;
  let log: EventLog;
  let local: LocalPort | undefined;
  let clients: Client[];

  /** A program on this machine that sends datagrams to the port. */
  class Client {
    readonly socket: Socket;
    readonly received: string[] = [];

    constructor(socket: Socket) {
      this.socket = socket;
      socket.on('message', (bytes) => this.received.push(bytes.toString()));
      socket.on('error', () => undefined);
    }
    send(text: string | Buffer): void {
      this.socket.send(text);
    }
  }

  beforeEach(async () => {
    clock = new FakeClock();
    relay = await FakeRelay.start();
    log = new EventLog();
    clients = [];
  });
  afterEach(async () => {
    for (const socket of relay.sockets) socket.destroy();
    await local?.stop({ graceMs: 0 });
    local = undefined;
    for (const { socket } of clients) socket.close();
    await relay.stop();
    await until(() => clock.timers === 0, 'the end of all fake timers');
  });

  async function start(options: Partial<DatagramPortOptions> = {}): Promise<LocalPort> {
    const sender = new Sender(connectionTo(relay.endpoint, clock), {
      insecureLoopback: true,
      clock,
      onEvent: log.record,
      keepAlive: 'off',
    });
    return (local = await startDatagramPort({ kind: 'udp', host: HOST, port: 0 }, sender, {
      name: '53U',
      ...options,
    }));
  }

  async function client(): Promise<Client> {
    const socket = createSocket('udp4');
    socket.connect(Number(local?.bind.split(':').at(-1)), HOST);
    await once(socket, 'connect');
    const made = new Client(socket);
    clients.push(made);
    return made;
  }

  /** The listener's end of the next route, answered like azbridge. */
  async function route(): Promise<Peer> {
    const peer = (await relay.next('connect')).accept();
    await until(() => peer.bytes.equals(bytesOf(PREAMBLE)));
    peer.webSocket.send(bytesOf('01 00 01'));
    return peer;
  }

  const framesOf = (peer: Peer) => peer.bytes.subarray(7).toString('hex');

  it('opens a stream for the first datagram of a client, and keeps those that come meanwhile', async () => {
    await start();
    const one = await client();
    for (const text of ['a', '', 'bc']) one.send(text);
    const request = await relay.next('connect');
    await until(() => log.of('opening').length === 1);
    const peer = request.accept();
    await until(() => peer.bytes.length === 7);
    await turns(20);
    peer.webSocket.send(bytesOf('01 00 01'));
    await until(() => framesOf(peer) === '000161' + '0000' + '00026263');
    assert.equal(relay.requests.length, 1);
    const [opened] = log.of('opened');
    assert.deepEqual([opened?.port, opened?.stream], ['53U', log.of('opening')[0]?.stream]);
  });

  it('gives each client its own stream, and its own answers', async () => {
    await start();
    const [one, two] = [await client(), await client()];
    one.send('1');
    const first = await route();
    two.send('2');
    const second = await route();
    await until(() => framesOf(first) === '000131' && framesOf(second) === '000132');
    second.webSocket.send(bytesOf('00 02 74 77 00'));
    second.webSocket.send(bytesOf('00'));
    first.webSocket.send(bytesOf('00 03 6f 6e 65'));
    await until(() => one.received.length === 1 && two.received.length === 2);
    assert.deepEqual([one.received, two.received], [['one'], ['tw', '']]);
  });

  it('lets go of a client that was idle for four minutes, without an error, and takes it again', async () => {
    await start();
    const one = await client();
    one.send('1');
    const first = await route();
    await until(() => framesOf(first) === '000131');
    clock.advance(4 * 60_000 - 1);
    await turns(10);
    assert.equal(first.closed, undefined);
    clock.advance(1);
    await until(() => first.closed?.code === 1000);
    one.send('2');
    const second = await route();
    await until(() => framesOf(second) === '000132');
    // The first peer never closes, as azbridge does not.
    clock.advance(5_000);
    await until(() => log.of('closed').length === 1);
    assert.equal(log.of('closed')[0]?.error, undefined);
  });

  it('ends the route when the listener ends it, and opens another for the next datagram', async () => {
    await start();
    const one = await client();
    one.send('1');
    const first = await route();
    await until(() => framesOf(first) !== '');
    first.webSocket.close(1000, 'Shutdown');
    await until(() => log.of('closed').length === 1);
    assert.equal(log.of('closed')[0]?.error, undefined);
    one.send('2');
    await until(() => relay.requests.length === 2);
    await route();
  });

  it('tells why a stream was refused, and waits a second before it asks again', async () => {
    await start();
    const one = await client();
    one.send('1');
    (await relay.next('connect')).refuse(404, 'There are no listeners connected for the endpoint.');
    await until(() => log.of('refused').length === 1);
    assert.equal(log.of('refused')[0]?.error.code, 'HCM_NO_LISTENER');
    for (let at = 0; at < 20; at += 1) one.send('again');
    await turns(30);
    assert.equal(relay.requests.length, 1);
    clock.advance(1_000);
    one.send('now');
    const peer = await route();
    await until(() => framesOf(peer) === '00036e6f77');
  });

  it('keeps no more than 64 datagrams for a stream that is being opened: the first', async () => {
    await start();
    const one = await client();
    for (let at = 0; at < 80; at += 1) one.send(Buffer.from([at]));
    await until(() => log.of('datagrams-dropped').length === 2);
    assert.deepEqual(
      log.of('datagrams-dropped').map(({ reason, count }) => [reason, count]),
      [
        ['opening', 1],
        ['opening', 10],
      ],
    );
    const peer = await route();
    await until(() => peer.bytes.length === 7 + 64 * 3);
    assert.equal(framesOf(peer).slice(0, 12), '000100000101');
  });

  it('drops the datagrams of a client over the limit, and serves it when there is room', async () => {
    await start({ maxRoutes: 1 });
    const [one, two] = [await client(), await client()];
    one.send('1');
    const first = await route();
    await until(() => framesOf(first) !== '');
    two.send('2');
    await until(() => log.of('datagrams-dropped').length === 1);
    const [dropped] = log.of('datagrams-dropped');
    assert.deepEqual([dropped?.reason, dropped?.stream], ['too-many-routes', undefined]);
    first.webSocket.close(1000);
    await until(() => log.of('closed').length === 1);
    two.send('2');
    const second = await route();
    await until(() => framesOf(second) === '000132');
  });

  it('goes on when a client is gone', async () => {
    await start();
    const [one, two] = [await client(), await client()];
    one.send('1');
    const first = await route();
    one.socket.close();
    clients = [two];
    first.webSocket.send(bytesOf('00 01 78'));
    two.send('2');
    const second = await route();
    second.webSocket.send(bytesOf('00 01 79'));
    await until(() => two.received.length === 1);
  });

  it('ends all routes at a stop, with all its grace left, those being opened too', async () => {
    await start();
    const [one, two] = [await client(), await client()];
    one.send('1');
    const first = await route();
    await until(() => log.of('opened').length === 1);
    two.send('2');
    const second = (await relay.next('connect')).accept();
    await until(() => second.bytes.length === 7);
    const stopping = local?.stop({ graceMs: 60_000 });
    await until(() => first.closed !== undefined);
    first.webSocket.close(1000);
    second.webSocket.send(bytesOf('01 00 01'));
    await until(() => second.closed !== undefined);
    second.webSocket.close(1000);
    await stopping;
    local = undefined;
    assert.deepEqual(
      log.of('closed').map(({ error }) => error),
      [undefined, undefined],
    );
  });

  it('aborts what is left when the grace is over', async () => {
    await start();
    const one = await client();
    one.send('1');
    (await relay.next('connect')).accept();
    const stopping = local?.stop({ graceMs: 1_000 });
    await turns(10);
    clock.advance(1_000);
    await stopping;
    assert.equal(log.of('refused')[0]?.error.code, 'HCM_ABORTED');
  });

  it('says so when the port is taken, or no preamble can carry the name', async () => {
    const { bind } = await start();
    const taken = { kind: 'udp', host: HOST, port: Number(bind.split(':').at(-1)) } as const;
    const sender = new Sender(connectionTo(relay.endpoint, clock), { clock });
    await rejectsWith(startDatagramPort(taken, sender, { name: '53U' }), 'HCM_PORT_IN_USE');
    await rejectsWith(startDatagramPort(taken, sender, { name: '' }), 'HCM_NAME_INVALID');
    const foreign = { ...taken, host: '192.0.2.1' };
    await rejectsWith(startDatagramPort(foreign, sender, { name: '53U' }), 'HCM_BIND_FAILED');
  });
});
