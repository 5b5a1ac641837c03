/** A TCP client, forwarded into a rendezvous, whose far end is ours too: all on real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { forward, type ForwardedStream } from '../../../src/tunnel/forwarder.ts';
import { SocketEnd } from '../../../src/tunnel/socket-end.ts';
import { WebSocketEnd } from '../../../src/tunnel/websocket-end.ts';
import type { WebSocket } from '../../../src/websocket/websocket.ts';
import { BytePattern } from '../../helpers/byte-pattern.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets, socketPair } from '../../helpers/socket-pair.ts';
import { turns, until } from '../../helpers/until.ts';
import { Recorder, webSocketPair } from '../../helpers/websocket-pair.ts';

const MIB = 1024 * 1024;
const pattern = new BytePattern();

for (const transport of ['plain', 'tls'] as const) {
  describe(`A TCP connection forwarded through a WebSocket over ${transport}`, () => {
    expectNothingLeft();
    let tcp: Socket;
    let seen: string[];
    let far: WebSocket;
    let farSocket: Socket;
    let atFar: Recorder;
    let stream: ForwardedStream;
    let opened: Socket[];
    let clock: FakeClock;

    beforeEach(async () => {
      const local = await socketPair();
      const relay = await webSocketPair(transport, { closeTimeoutMs: 100 });
      opened = [local.client, local.server, relay.clientSocket, relay.serverSocket];
      tcp = local.client;
      seen = [];
      tcp.on('end', () => seen.push('end')).on('close', () => seen.push('close'));
      tcp.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? error.message));
      far = relay.server;
      farSocket = relay.serverSocket;
      atFar = new Recorder();
      far.start(atFar);
      clock = new FakeClock();
      const ends = [new SocketEnd(local.server), new WebSocketEnd(relay.client)] as const;
      stream = forward(...ends, { clock, idleTimeoutMs: 60_000 });
    });
    afterEach(() => destroySockets(...opened));

    it('lets the client end, and still read the answer', async () => {
      let answer = '';
      tcp.on('data', (bytes) => (answer += bytes.toString()));
      tcp.end('question');
      await until(() => atFar.closes.length === 1);
      assert.deepEqual(atFar.closes, [{ code: 1000, reason: '' }]);
      assert.deepEqual(atFar.messages, [`binary:${Buffer.from('question').toString('hex')}`]);
      far.send(Buffer.from('ans'));
      far.send(Buffer.from('wer'), 1);
      far.close(1000);
      assert.equal(await stream.done, undefined);
      await until(() => seen.includes('close'));
      assert.deepEqual([answer, seen], ['answer', ['end', 'close']]);
      assert.deepEqual([stream.bytesAtoB, stream.bytesBtoA], [8, 6]);
    });

    it('lets the far side end first, with an empty Close too', async () => {
      far.close();
      tcp.resume();
      await until(() => seen.includes('end'));
      tcp.end('still here');
      assert.equal(await stream.done, undefined);
      assert.equal(atFar.bytes, 10);
    });

    it('carries many MiB both ways at once, in binary messages of 1 byte to 64 KiB', async () => {
      const total = 16 * MIB;
      let [received, wrong] = [0, 0];
      tcp.on('data', (bytes: Buffer) => {
        if (!pattern.matches(bytes, received)) wrong += 1;
        received += bytes.length;
      });
      let farReceived = 0;
      atFar.onFragment = (payload, opcode, first, last) => {
        if (!pattern.matches(payload, farReceived) || opcode !== 2) wrong += 1;
        farReceived += payload.length;
        atFar.fragments.push({ bytes: payload.length, first, last });
      };
      let drained: () => void = () => undefined;
      atFar.onDrain = () => drained();
      const up = async () => {
        for (let at = 0; at < total; at += 500_000) {
          const size = Math.min(500_000, total - at);
          if (!tcp.write(pattern.slice(at, size))) await once(tcp, 'drain');
        }
        tcp.end();
      };
      const down = async () => {
        for (let at = 0; at < total; at += 777_777) {
          if (!far.send(pattern.slice(at, Math.min(777_777, total - at)))) {
            await new Promise<void>((resolve) => (drained = resolve));
          }
        }
        far.close(1000);
      };
      await Promise.all([up(), down()]);
      assert.equal(await stream.done, undefined);
      await until(() => received === total);
      assert.deepEqual([farReceived, received, wrong], [total, total, 0]);
      assert.deepEqual([stream.bytesAtoB, stream.bytesBtoA], [total, total]);
      let message = 0;
      for (const { bytes, last } of atFar.fragments) {
        message += bytes;
        assert.ok(message > 0 && message <= 64 * 1024);
        if (last) message = 0;
      }
    });

    it('never writes for an empty message, nor sends one', async () => {
      far.send(Buffer.alloc(0));
      far.sendFragment(Buffer.alloc(0), 1, false);
      far.sendFragment(Buffer.from('x'), 1, true);
      const [bytes] = (await once(tcp, 'data')) as [Buffer];
      assert.equal(bytes.toString(), 'x');
      tcp.write('');
      tcp.end();
      await until(() => atFar.closes.length === 1);
      assert.deepEqual(atFar.fragments, []);
    });

    const losses: Record<string, () => void> = {
      'is lost': () => void farSocket.destroy(),
      'is closed with another code than 1000': () => far.close(1001, 'deleted'),
      'is broken by a violation': () => void farSocket.write(Buffer.from([0x83, 0])),
    };
    for (const [name, act] of Object.entries(losses)) {
      it(`is reset, not ended, when the rendezvous ${name}`, async () => {
        tcp.resume();
        far.send(Buffer.from('part'));
        await until(() => stream.bytesBtoA === 4);
        act();
        assert.ok((await stream.done) instanceof Error);
        await until(() => seen.includes('close'));
        assert.deepEqual(seen, ['ECONNRESET', 'close']);
      });
    }

    it('is reset though its own direction was just ended', async () => {
      tcp.resume();
      atFar.onClose = () => undefined;
      far.close(1000);
      await until(() => seen.includes('end'));
      stream.abort(new Error('abort'));
      assert.equal((await stream.done)?.message, 'abort');
    });

    it('resets the rendezvous without a Close when the client resets', async () => {
      tcp.resetAndDestroy();
      assert.ok((await stream.done) instanceof Error);
      assert.ok((await atFar.ended()) instanceof Error);
      assert.deepEqual(atFar.closes, []);
    });

    it('stops reading while the client does not read, and loses nothing', async () => {
      let [received, wrong] = [0, 0];
      tcp.on('data', (bytes: Buffer) => {
        if (!pattern.matches(bytes, received)) wrong += 1;
        received += bytes.length;
      });
      tcp.pause();
      let sent = 0;
      for (let full = 0; full < 20; await turns(1)) {
        full = far.hasRoom ? 0 : full + 1;
        if (full === 0) {
          far.send(pattern.slice(sent, 100_000));
          sent += 100_000;
        }
        assert.ok(sent < 64 * MIB, 'back-pressure never reached the sender');
      }
      assert.ok(stream.bytesBtoA < sent);
      tcp.resume();
      await until(() => received === sent);
      assert.equal(wrong, 0, 'memory that waited to be written was written to');
    });

    it('is aborted when idle', async () => {
      tcp.resume();
      clock.advance(60_000);
      assert.equal(((await stream.done) as { code?: string }).code, 'HCM_IDLE_TIMEOUT');
      await until(() => seen.includes('close'));
      assert.deepEqual(seen, ['ECONNRESET', 'close']);
      assert.equal(clock.timers, 0);
    });
  });
}

describe('A socket end', () => {
  expectNothingLeft();

  it('reset in the same turn as its end, is gone and the stream done', async () => {
    const [one, two] = [await socketPair(), await socketPair()];
    const stream = forward(new SocketEnd(one.server), new SocketEnd(two.server), { clock: new FakeClock() });
    one.server.once('end', () => process.nextTick(() => stream.abort(new Error('abort'))));
    one.client.end();
    for (const { client } of [one, two]) client.on('error', () => undefined).resume();
    assert.equal((await stream.done)?.message, 'abort');
    await destroySockets(one.client, two.client, one.server, two.server);
  });
});
