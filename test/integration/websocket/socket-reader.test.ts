import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { SocketReader } from '../../../src/websocket/socket-reader.ts';
import { BytePattern } from '../../helpers/byte-pattern.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets, socketPair, type Transport } from '../../helpers/socket-pair.ts';
import { turn, turns, until } from '../../helpers/until.ts';

const MIB = 1024 * 1024;
const pattern = new BytePattern();

/** Writes the pattern in pieces of changing size, as fast as the socket takes it. */
async function sendPattern(socket: Socket, bytes: number, sizes: readonly number[]): Promise<void> {
  for (let at = 0, index = 0; at < bytes; index += 1) {
    const size = Math.min(sizes[index % sizes.length] ?? 1, bytes - at);
    if (!socket.write(pattern.slice(at, size))) await once(socket, 'drain');
    at += size;
  }
  socket.end();
}

interface Options {
  holds: boolean;
  /** Pause every so many reads; 0: never. */
  pauseEvery?: number;
  /** Release each hold after so many turns of the event loop. */
  holdTurns?: number;
}

/** Checks each byte when it comes, and again when its hold is released. Resolves at the end of the stream. */
async function checkStream(
  socket: Socket,
  bytes: number,
  options: Options,
): Promise<{ held: number; most: number }> {
  const { holds, pauseEvery = 0, holdTurns = 0 } = options;
  let position = 0;
  let [reads, held, open, most] = [0, 0, 0, 0];
  let ended = false;
  const failures: string[] = [];
  const check = (view: Buffer, at: number, when: string) => {
    if (!pattern.matches(view, at)) failures.push(`${view.length} bytes at ${at} ${when}`);
  };
  const hold = async (view: Buffer, at: number, release: () => void) => {
    held += 1;
    open += 1;
    await turns(1 + (reads % (holdTurns + 1)));
    check(view, at, 'changed under a hold');
    release();
    if (held % 2 === 0) release(); // twice is once
    open -= 1;
  };
  const reader = new SocketReader(socket, {
    onBytes(view) {
      check(view, position, 'came wrong');
      const release = holds ? reader.lease() : undefined;
      if (release) void hold(view, position, release);
      position += view.length;
      reads += 1;
      most = Math.max(most, view.length);
      if (pauseEvery === 0 || reads % pauseEvery > 0) return;
      reader.pause();
      void turns(reads % 5).then(() => reader.resume());
    },
    onEnd: () => (ended = true),
  });
  reader.start();
  await until(() => ended && open === 0, 'the end of the stream', 20_000);
  assert.deepEqual(failures, []);
  assert.equal(position, bytes);
  return { held, most };
}

async function through(
  transport: Transport,
  bytes: number,
  options: Options & { fallback?: boolean; sizes?: number[] },
) {
  const { client, server } = await socketPair(transport);
  if (options.fallback) withoutUserBuffers(server);
  const [seen] = await Promise.all([
    checkStream(server, bytes, options),
    sendPattern(client, bytes, options.sizes ?? [65_536, 1, 16_384, 300_000, 16_383, 7, 1_000_000, 16_385]),
  ]);
  await destroySockets(client, server);
  return seen;
}

/** As on a Node version whose handles take no buffer of ours. */
function withoutUserBuffers(socket: Socket): void {
  (socket as unknown as { _handle: { useUserBuffer: undefined } })._handle.useUserBuffer = undefined;
}

for (const transport of ['plain', 'tls'] as const) {
  describe(`SocketReader over ${transport}`, () => {
    expectNothingLeft();

    it('gives every byte once, in order', () => through(transport, 24 * MIB, { holds: false }));

    it('leaves held bytes alone while it reads on, and shares memory again when they are released', async () => {
      const { held } = await through(transport, 24 * MIB, { holds: true, holdTurns: 6 });
      assert.ok(held > 5, 'large reads are leased');
    });

    it('does both under pauses in the middle of anything', async () => {
      await through(transport, 8 * MIB, { holds: true, holdTurns: 9, pauseEvery: 3 });
      await through(transport, 8 * MIB, { holds: false, pauseEvery: 1 });
    });

    it('serves many sockets at once from shared and leased memory', async () => {
      const streams = [0, 1, 2, 3, 4, 5].map((index) =>
        through(transport, 4 * MIB, {
          holds: index % 2 === 0,
          holdTurns: index * 3,
          pauseEvery: index % 3 === 0 ? 4 : 0,
          sizes: [16_384 * (index + 1), 100 * index + 1],
        }),
      );
      await Promise.all(streams);
    });

    it('does the same where Node takes no buffer of ours', () =>
      through(transport, 8 * MIB, { holds: true, fallback: true, pauseEvery: 3 }));

    it('gives what was gathered before the end', async () => {
      for (const bytes of [1, 16_384, 16_385, 3 * 16_384, 10 * 16_384, 40 * 16_384 + 5, 64 * 16_384]) {
        await through(transport, bytes, { holds: true, sizes: [MIB] });
      }
    });

    it('gives the head first, then what the socket had read, then the rest', async () => {
      const { client, server } = await socketPair(transport);
      server.on('data', () => undefined).pause();
      server.removeAllListeners('data');
      for (const [index, piece] of ['b', 'c'].entries()) {
        client.write(piece);
        server.read(0);
        await until(() => server.readableLength === index + 1);
      }
      const read: string[] = [];
      const reader = new SocketReader(server, {
        onBytes: (bytes) => read.push(bytes.toString()),
        onEnd: () => read.push('end'),
      });
      reader.start(Buffer.from('a'));
      assert.deepEqual(read, ['a', 'bc']);
      client.end('d');
      await until(() => read.includes('end'));
      assert.deepEqual(read, ['a', 'bc', 'd', 'end']);
      await destroySockets(client, server);
    });

    it('tells of an end that came before it started', async () => {
      const { client, server } = await socketPair(transport);
      client.end();
      server.resume();
      await once(server, 'end');
      server.pause();
      let ended = 0;
      new SocketReader(server, { onBytes: () => assert.fail(), onEnd: () => (ended += 1) }).start();
      assert.equal(ended, 0, 'not before the caller has its reader');
      await turn();
      assert.equal(ended, 1);
      await destroySockets(client, server);
    });

    it('stays paused when it was paused while the head was handed on', async () => {
      const { client, server } = await socketPair(transport);
      let bytes = 0;
      const onBytes = (view: Buffer) => {
        bytes += view.length;
        reader.pause();
      };
      const reader: SocketReader = new SocketReader(server, { onBytes, onEnd: () => undefined });
      client.write(Buffer.alloc(4 * MIB));
      reader.start(Buffer.from('head'));
      await turns(50);
      assert.ok(bytes < MIB, `${bytes} bytes came in spite of the pause`);
      await destroySockets(client, server);
    });

    it('survives the loss of the connection while paused, with a hold out and bytes gathered', async () => {
      const { client, server } = await socketPair(transport);
      const seen: string[] = [];
      server.on('error', () => seen.push('error')).on('close', () => seen.push('close'));
      const releases: (() => void)[] = [];
      const reader: SocketReader = new SocketReader(server, {
        onBytes() {
          const release = reader.lease();
          if (release) releases.push(release);
          if (releases.length === 2) reader.pause();
        },
        onEnd: () => seen.push('end'),
      });
      reader.start();
      client.on('error', () => undefined);
      client.write(pattern.slice(0, MIB));
      client.write(pattern.slice(0, MIB));
      await until(() => releases.length >= 2);
      client.destroy();
      reader.resume();
      server.destroy(new Error('gone'));
      await until(() => seen.includes('close'));
      for (const release of releases) release();
      reader.pause();
      reader.resume();
      await through(transport, 4 * MIB, { holds: true, holdTurns: 3 });
    });
  });
}
