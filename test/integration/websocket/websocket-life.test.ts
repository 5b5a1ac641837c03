/** How a WebSocket ends: by Closes, by an error, by a violation of the protocol. One side is ours, the other is bytes. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { WebSocket, type WebSocketOptions } from '../../../src/websocket/websocket.ts';
import { parse, joinMessages } from '../../helpers/frame-collector.ts';
import { rawFrame } from '../../helpers/frames.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets, socketPair, type Transport } from '../../helpers/socket-pair.ts';
import { until, turns } from '../../helpers/until.ts';
import { Recorder } from '../../helpers/websocket-pair.ts';

const MASK = Buffer.from([9, 8, 7, 6]);
const LOST = { code: 'WS_CONNECTION_LOST' };

/** The other end: raw bytes. */
class RawPeer {
  received = Buffer.alloc(0);
  readonly seen: string[] = [];
  readonly #masks: boolean;
  constructor(
    readonly socket: Socket,
    role: 'client' | 'server',
  ) {
    this.#masks = role === 'client';
    socket.on('data', (bytes) => (this.received = Buffer.concat([this.received, bytes])));
    socket.on('end', () => this.seen.push('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.seen.push(error.code ?? error.message));
    socket.on('close', () => this.seen.push('close'));
  }
  send(...frames: Parameters<typeof rawFrame>[0][]): void {
    const mask = this.#masks ? MASK : undefined;
    this.socket.write(Buffer.concat(frames.map((frame) => rawFrame({ mask, ...frame }))));
  }
  get frames(): string[] {
    return joinMessages(parse([this.received], { expectMasked: !this.#masks }).events);
  }
}

for (const transport of ['plain', 'tls'] as const) {
  for (const role of ['client', 'server'] as const) {
    describe(`A WebSocket, ${role} over ${transport}`, () => {
      expectNothingLeft();
      let webSocket: WebSocket;
      let socket: Socket;
      let peer: RawPeer;
      const recorder = () => new Recorder();

      async function open(options: Partial<WebSocketOptions> = {}, over: Transport = transport) {
        const pair = await socketPair(over);
        socket = pair[role];
        const other = role === 'client' ? 'server' : 'client';
        peer = new RawPeer(pair[other], other);
        webSocket = new WebSocket(socket, { role, closeTimeoutMs: 1_000, ...options });
        const record = recorder();
        return record;
      }
      afterEach(() => destroySockets(socket, peer.socket));

      it('receives on after its own Close, until the Close of the peer', async () => {
        const record = await open();
        webSocket.start(record);
        webSocket.send(Buffer.from('a'));
        webSocket.close(1000, 'done');
        webSocket.send(Buffer.from('never'));
        await until(() => peer.frames.length === 2);
        assert.deepEqual(peer.frames, ['binary 61', `control 8 03e8${Buffer.from('done').toString('hex')}`]);
        peer.send({ opcode: 1, payload: 'later' });
        await until(() => record.messages.length === 1);
        assert.deepEqual(record.messages, ['text:later']);
        peer.send({ opcode: 8, payload: Buffer.from([0x0f, 0xa0, 0x79]) });
        if (role === 'client') peer.socket.end();
        else void until(() => peer.seen.includes('end')).then(() => peer.socket.end());
        assert.equal(await record.ended(), undefined);
        assert.deepEqual(record.closes, [{ code: 4000, reason: 'y' }]);
      });

      it('sends on after the Close of the peer, until its own, and ends once', async () => {
        const record = await open();
        webSocket.start(record);
        peer.send({ opcode: 8 });
        await until(() => record.closes.length === 1);
        assert.deepEqual(record.closes, [{ code: undefined, reason: '' }]);
        assert.ok(webSocket.writable);
        webSocket.send(Buffer.alloc(100_000, 1));
        webSocket.close();
        await until(() => peer.frames.length === 2);
        assert.equal(peer.frames[1], 'control 8 ');
        peer.socket.end();
        assert.equal(await record.ended(), undefined);
        await turns(5);
        assert.equal(record.ends.length, 1);
      });

      it('ends cleanly, after a while, when the peer never ends TCP', async () => {
        const record = await open({ closeTimeoutMs: 20 });
        webSocket.start(record);
        webSocket.close(1000);
        peer.send({ opcode: 8, payload: Buffer.from([0x03, 0xe8]) });
        assert.equal(await record.ended(), undefined);
      });

      it('waits as long as it takes for a slow peer to read what was sent before the Close', async () => {
        const record = await open({ closeTimeoutMs: 1 });
        webSocket.start(record);
        peer.socket.pause();
        peer.send({ opcode: 8 });
        await until(() => record.closes.length === 1);
        const total = 12 * 1024 * 1024;
        webSocket.send(Buffer.alloc(total));
        webSocket.close(1000);
        await turns(1000);
        assert.deepEqual(record.ends, []);
        let received = 0;
        peer.socket.removeAllListeners('data').on('data', (bytes) => (received += bytes.length));
        peer.socket.resume();
        assert.equal(await record.ended(), undefined);
        await until(() => received > total, 'the last byte');
      });

      it('destroyed, is an error to both sides and no end to the peer of a plain connection', async () => {
        const record = await open();
        webSocket.start(record);
        webSocket.destroy(new Error('mine'));
        assert.equal((await record.ended())?.message, 'mine');
        await until(() => peer.seen.length > 0);
        if (transport === 'plain') assert.deepEqual(peer.seen[0], 'ECONNRESET');
        assert.deepEqual(peer.frames, []);
      });

      it('destroyed right behind its last Close, is gone all the same', async () => {
        const record = await open();
        record.onClose = () => {
          webSocket.close(1000);
          webSocket.close(); // once is enough
          process.nextTick(() => webSocket.destroy(new Error('mine')));
        };
        webSocket.start(record);
        peer.send({ opcode: 8 });
        assert.equal((await record.ended())?.message, 'mine');
      });

      it('destroyed before it is started, tells so once', async () => {
        const record = await open();
        webSocket.destroy(new Error('mine'));
        webSocket.start(record);
        assert.equal((await record.ended())?.message, 'mine');
        await turns(20);
        assert.equal(record.ends.length, 1);
      });

      it('lost before it is started, tells so', async () => {
        const record = await open();
        peer.socket.destroy();
        await turns(20);
        webSocket.start(record);
        assert.ok((await record.ended()) instanceof Error);
      });

      it('takes an end without a Close for a loss', async () => {
        const record = await open();
        webSocket.start(record);
        peer.send({ opcode: 2, payload: 'x' });
        peer.socket.end();
        assert.equal(((await record.ended()) as { code?: string }).code, LOST.code);
        assert.deepEqual(record.messages, ['binary:78']);
      });

      it('takes an end of TCP behind the Close of the peer, before its own, for a loss', async () => {
        const record = await open();
        webSocket.start(record);
        peer.send({ opcode: 8 });
        await until(() => record.closes.length === 1);
        peer.socket.end();
        assert.equal(((await record.ended()) as { code?: string }).code, LOST.code);
      });

      it('answers a violation with its Close code, then ends; nothing more is delivered', async () => {
        const record = await open();
        webSocket.start(record);
        const frames = [{ opcode: 2, payload: 'good' }, { opcode: 3 }, { opcode: 2, payload: 'bad' }];
        const mask = role === 'server' ? MASK : undefined;
        const first = Buffer.concat([
          ...frames.map((frame) => rawFrame({ mask, ...frame })),
          Buffer.alloc(16384),
        ]);
        // Full TLS records in one read; the second begins with a frame that is right.
        peer.socket.write(
          Buffer.concat([first.subarray(0, 16384), rawFrame({ opcode: 2, mask, payload: 'worse' })]),
        );
        await until(() => peer.seen.includes('end'));
        assert.match(peer.frames.join(), /^control 8 03ea/);
        peer.send({ opcode: 2, payload: 'late' });
        peer.socket.end();
        assert.equal(((await record.ended()) as { code?: string }).code, 'WS_UNKNOWN_OPCODE');
        assert.deepEqual(record.messages, [`binary:${Buffer.from('good').toString('hex')}`]);
        await until(() => peer.seen.includes('close'));
        assert.deepEqual(peer.seen, ['end', 'close'], 'no reset that could overtake the Close');
      });

      it('lets its Close reach a peer that is still sending when it breaks the protocol', async () => {
        const record = await open();
        webSocket.start(record);
        peer.send({ opcode: 3 });
        peer.socket.write(Buffer.alloc(3 * 1024 * 1024));
        await until(() => peer.seen.includes('end'));
        assert.match(peer.frames.join(), /^control 8 03ea/);
        peer.socket.end();
        assert.equal(((await record.ended()) as { code?: string }).code, 'WS_UNKNOWN_OPCODE');
        await until(() => peer.seen.includes('close'));
        assert.deepEqual(peer.seen, ['end', 'close']);
      });

      it('answers a Close that must not be sent with 1002, and one that is not UTF-8 with 1007', async () => {
        for (const [payload, answer] of [
          [[0x03, 0xed], '03ea'],
          [[0x03, 0xe8, 0xff], '03ef'],
        ] as const) {
          const record = await open();
          webSocket.start(record);
          peer.send({ opcode: 8, payload: Buffer.from(payload) });
          await until(() => peer.seen.includes('end'));
          assert.match(peer.frames.join(), new RegExp(`^control 8 ${answer}`));
          assert.deepEqual(record.closes, []);
          await destroySockets(peer.socket);
          await record.ended();
        }
      });

      it('gives up on a peer that breaks the protocol and stays', async () => {
        const record = await open({ closeTimeoutMs: 20 });
        webSocket.start(record);
        peer.send({ opcode: 3 });
        assert.equal(((await record.ended()) as { code?: string }).code, 'WS_UNKNOWN_OPCODE');
      });

      it('answers a Ping with its payload, and gives Pongs', async () => {
        const record = await open();
        webSocket.start(record);
        peer.send({ opcode: 9, payload: 'are you there' }, { opcode: 10, payload: 'I am' });
        await until(() => peer.frames.length === 1 && record.pongs.length === 1);
        assert.deepEqual(peer.frames, [`control 10 ${Buffer.from('are you there').toString('hex')}`]);
        assert.deepEqual(record.pongs, ['I am']);
        webSocket.destroy();
        await record.ended();
      });
    });
  }
}
