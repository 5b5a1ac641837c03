import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket as WsSocket } from 'ws';
import { startDatagramPort } from '../../../src/tunnel/azbridge/datagram-port.ts';
import { openLogicalPort } from '../../../src/tunnel/azbridge/logical-port.ts';
import { Sender } from '../../../src/tunnel/sender.ts';
import { forwardStdio } from '../../../src/tunnel/stdio.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeRelay } from '../../helpers/fake-relay.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { EventLog, connectionTo, rejectsWith } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('a sender of azbridge', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let relay: FakeRelay;
  let log: EventLog;
  let sender: Sender;

  beforeEach(async () => {
    clock = new FakeClock();
    relay = await FakeRelay.start();
    log = new EventLog();
    sender = senderTo(relay.endpoint);
  });
  afterEach(async () => {
    await relay.stop();
    await until(() => clock.timers === 0, 'the end of all fake timers');
  });

  function senderTo(endpoint: { host: string; port: number }): Sender {
    return new Sender(connectionTo(endpoint, clock), { insecureLoopback: true, clock, onEvent: log.record });
  }

  /** The preamble has come in full. */
  async function asked(mode: 'stream' | 'datagram' = 'stream', signal?: AbortSignal) {
    const opening = openLogicalPort(sender, { name: 'ssh', mode, signal });
    opening.catch(() => undefined);
    const peer = (await relay.next('connect')).accept();
    const preamble = mode === 'stream' ? '01 00 00 03 73 73 68' : '01 00 01 03 73 73 68';
    await until(() => peer.bytes.length >= 7);
    assert.deepEqual(peer.bytes, bytesOf(preamble));
    return { opening, peer };
  }

  it('sends header and name in a message each, as azbridge does', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const opening = openLogicalPort(senderTo({ host: '127.0.0.1', port }), {
      name: 'café',
      mode: 'datagram',
    });
    const [peer] = (await once(server, 'connection')) as [WsSocket];
    const messages: string[] = [];
    peer.on('message', (data: RawData, isBinary) =>
      messages.push(`${isBinary} ${(data as Buffer).toString('hex')}`),
    );
    await until(() => messages.length === 2);
    assert.deepEqual(messages, ['true 01000105', 'true 636166c3a9']);
    peer.send(bytesOf('01 00 01'));
    const { webSocket, port: name } = await opening;
    assert.equal(name, 'café');
    webSocket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('sends each datagram as one message, since azbridge reads no other', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const local = await startDatagramPort(
      { kind: 'udp', host: '127.0.0.1', port: 0 },
      senderTo({ host: '127.0.0.1', port }),
      { name: 'x' },
    );
    const client = createSocket('udp4');
    const sizes = [0, 1, 1472, 65_507];
    for (const size of sizes)
      client.send(Buffer.alloc(size, 7), Number(local.bind.split(':').at(-1)), '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [WsSocket];
    const messages: Buffer[] = [];
    peer.on('message', (data: RawData) => messages.push(data as Buffer));
    await until(() => messages.length === 2);
    peer.send(bytesOf('01 00 01'));
    await until(() => messages.length === 2 + sizes.length);
    const expected = ['0000', '0001', '05c0', 'ffe3'].map((length, at) => [length, 2 + (sizes[at] ?? 0)]);
    const seen = messages.slice(2).map((bytes) => [bytes.toString('hex', 0, 2), bytes.length]);
    assert.deepEqual(seen, expected);
    client.close();
    await local.stop({ graceMs: 0 });
    server.close();
    await once(server, 'close');
  });

  it('is open when the answer is complete, and sends nothing before', async () => {
    const { opening, peer } = await asked();
    let open = false;
    void opening.then(() => (open = true));
    for (const byte of [1, 0]) peer.webSocket.send(Buffer.from([byte]));
    await turns(20);
    assert.equal(open, false);
    assert.equal(peer.bytes.length, 7);
    peer.webSocket.send(Buffer.from([0]));
    (await opening).webSocket.destroy();
  });

  const behind = ['together', 'apart', 'with the end'] as const;
  for (const how of behind) {
    it(`loses nothing of what stands behind the answer: ${how}`, async () => {
      const [input, output] = [new PassThrough(), new PassThrough()];
      const done = forwardStdio(sender, {
        input,
        output,
        open: (use) => openLogicalPort(sender, { name: 'ssh', mode: 'stream', ...use }),
      });
      const peer = (await relay.next('connect')).accept();
      await until(() => peer.bytes.length === 7);
      peer.webSocket.cork();
      if (how === 'apart') for (const part of ['01', '00 00', '68', '69']) peer.webSocket.send(bytesOf(part));
      else peer.webSocket.send(bytesOf('01 00 00 68 69'));
      // azbridge's own words; its Close is the end of one direction.
      if (how === 'with the end') peer.webSocket.close(1000, 'Shutdown');
      peer.webSocket.uncork();
      if (how !== 'with the end') {
        await until(() => output.readableLength === 2);
        peer.webSocket.close(1000, 'Shutdown');
      }
      await until(() => output.writableFinished);
      input.end('still to you');
      assert.equal(await done, undefined);
      assert.equal((output.read() as Buffer).toString(), 'hi');
      assert.equal(peer.bytes.subarray(7).toString(), 'still to you');
      const [closed] = log.of('closed');
      assert.deepEqual([closed?.bytesIn, closed?.bytesOut], [2, 12], 'the preamble does not count');
    });
  }

  const refusals: [string, 'stream' | 'datagram', string, string][] = [
    ['00 00 00', 'stream', 'HCM_DIALECT_MISMATCH', 'another version'],
    ['00 00 01', 'stream', 'HCM_LOGICAL_PORT_MODE', 'leads to UDP'],
    ['00 00 ff', 'datagram', 'HCM_LOGICAL_PORT_MODE', 'does not lead to UDP'],
    ['', 'stream', 'HCM_LOGICAL_PORT_UNKNOWN', 'no logical port "ssh"'],
    ['01 00', 'stream', 'HCM_LOGICAL_PORT_UNKNOWN', 'without an answer'],
  ];
  for (const [answer, mode, code, words] of refusals) {
    it(`takes "${answer}" and azbridge's Close for ${code}, and closes its side too`, async () => {
      const { opening, peer } = await asked(mode);
      if (answer !== '') peer.webSocket.send(bytesOf(answer));
      peer.webSocket.close(1000, 'Shutdown');
      const error = await rejectsWith(opening, code as 'HCM_LOGICAL_PORT_MODE');
      assert.match(error.message, new RegExp(words));
      assert.deepEqual(error.details, { connection: '127.0.0.1/team/hyco-1', port: 'ssh' });
      assert.deepEqual(peer.closed, { code: 1000, reason: '' });
    });
  }

  it('believes the reason that a listener of ours gives', async () => {
    const { opening, peer } = await asked();
    peer.webSocket.close(1000, 'db:22 refused the connection (HCM_TARGET_REFUSED)');
    const error = await rejectsWith(opening, 'HCM_TARGET_REFUSED');
    assert.match(error.message, /refused: db:22 refused the connection$/);
    assert.ok(error.retryable);
  });

  it('hears the reason that comes behind a refusal in bytes', async () => {
    const { opening, peer } = await asked();
    peer.webSocket.send(bytesOf('00 00 01'));
    await turns(10);
    peer.webSocket.close(1000, 'Port "ssh" is UDP (HCM_LOGICAL_PORT_MODE)');
    assert.match((await rejectsWith(opening, 'HCM_LOGICAL_PORT_MODE')).message, /is UDP$/);
  });

  it('does not wait for ever for the end of a refusal', async () => {
    const { opening, peer } = await asked();
    peer.webSocket.send(bytesOf('00 00 01'));
    await until(() => peer.closed !== undefined);
    clock.advance(5_000);
    await rejectsWith(opening, 'HCM_LOGICAL_PORT_MODE');
    await until(() => peer.over !== undefined);
  });

  for (const answer of ['53 53 48', '01 00 01', '48']) {
    it(`cuts off what answers ${answer}`, async () => {
      const { opening, peer } = await asked();
      peer.webSocket.send(bytesOf(answer));
      if (answer.length < 8) peer.webSocket.send(Buffer.from('TTP'));
      await rejectsWith(opening, 'HCM_DIALECT_MISMATCH');
      await until(() => peer.over !== undefined);
      assert.ok(peer.over?.error, 'without a Close');
    });
  }

  it('tells a break from a refusal', async () => {
    const first = await asked();
    first.peer.webSocket.destroy();
    await rejectsWith(first.opening, 'HCM_CONNECTION_LOST');
    const second = await asked();
    second.peer.webSocket.close(1001, 'deleted');
    await rejectsWith(second.opening, 'HCM_CONNECTION_LOST');
  });

  it('gives up after the limit of an attempt, and at its signal', async () => {
    const silent = await asked();
    clock.advance(40_000);
    await rejectsWith(silent.opening, 'HCM_CONNECT_TIMEOUT');
    await until(() => silent.peer.over !== undefined);
    const stopping = new AbortController();
    const stopped = await asked('stream', stopping.signal);
    stopping.abort(new Error('enough'));
    await assert.rejects(stopped.opening, /enough/);
    await until(() => stopped.peer.over !== undefined);
  });

  it('dials nothing for a name that cannot be sent', async () => {
    for (const name of ['', 'x'.repeat(256)])
      await rejectsWith(openLogicalPort(sender, { name, mode: 'stream' }), 'HCM_NAME_INVALID');
    assert.equal(relay.connections, 0);
  });

  it('does not read on while nobody takes what comes', async () => {
    const { opening, peer } = await asked();
    peer.webSocket.send(bytesOf('01 00 00'));
    const { webSocket } = await opening;
    assert.ok(webSocket.paused);
    const block = Buffer.alloc(64 * 1024);
    let sent = 0;
    for (let turn = 0; turn < 2_000 && peer.webSocket.hasRoom; turn += 1) {
      peer.webSocket.send(block);
      sent += block.length;
      if (turn % 10 === 0) await turns(1);
    }
    await turns(50);
    assert.ok(!peer.webSocket.hasRoom, `${sent} bytes went out, and more would`);
    assert.ok(webSocket.bytesRead < 2 * 1024 * 1024, `${webSocket.bytesRead} bytes were read`);
    webSocket.destroy();
  });
});
