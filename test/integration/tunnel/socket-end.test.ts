import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { SocketEnd } from '../../../src/tunnel/socket-end.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets } from '../../helpers/socket-pair.ts';
import { until } from '../../helpers/until.ts';

/** `near` is not read until it is started, as a local port accepts its clients. */
async function unreadPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [[near]] = await Promise.all([accepted, once(far, 'connect')]);
  server.close();
  return { near, far };
}

describe('a socket as the end of a stream', () => {
  expectNothingLeft();
  let near: Socket;
  let far: Socket;
  let calls: string[];
  let closed: { error: Error | undefined } | undefined;

  beforeEach(async () => {
    ({ near, far } = await unreadPair());
    far.on('error', () => undefined).resume();
    calls = [];
    closed = undefined;
  });
  afterEach(() => destroySockets(near, far));

  function start(): SocketEnd {
    const end = new SocketEnd(near);
    end.start({
      onBytes: (chunks) => calls.push(Buffer.concat(chunks).toString()),
      onEnd: () => calls.push('end'),
      onDrain: () => undefined,
      onClosed: (error) => (closed = { error }),
    });
    return end;
  }

  /** All of it waits in the kernel before anything is read. */
  async function arrived(act: (ended: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => act(resolve));
    const probe = await unreadPair(); // a later connection over loopback: what went before has arrived
    await destroySockets(probe.near, probe.far);
  }

  for (const ours of ['open', 'ended']) {
    for (const text of ['', 'the last bytes']) {
      const when = `${text ? 'behind bytes' : 'without bytes'}, our direction ${ours}`;

      it(`takes a FIN for the end (${when})`, async () => {
        await arrived((done) => far.end(text, done));
        const end = start();
        if (ours === 'ended') end.end();
        await until(() => calls.at(-1) === 'end');
        assert.deepEqual(calls, text ? [text, 'end'] : ['end']);
        end.end();
        await until(() => closed !== undefined);
        assert.deepEqual(closed, { error: undefined });
      });

      it(`never takes a reset for the end (${when})`, async () => {
        if (ours === 'ended') await new Promise<void>((resolve) => near.end(resolve));
        await arrived((done) => (text ? far.write(text, () => done()) : done()));
        await arrived((done) => far.once('close', done).resetAndDestroy());
        start();
        await until(() => closed !== undefined);
        assert.equal((closed?.error as NodeJS.ErrnoException).code, 'ECONNRESET');
        assert.equal(calls.includes('end'), false, `got ${calls.join()}`);
      });
    }
  }

  it('goes on writing after the end of the peer, also when it was paused at the end', async () => {
    const end = start();
    far.end();
    near.once('end', () => end.pause());
    await until(() => calls.includes('end'));
    const got = once(far, 'data') as Promise<[Buffer]>;
    end.write([Buffer.from('late')]);
    assert.equal((await got)[0].toString(), 'late');
    end.end();
    await until(() => closed !== undefined);
    assert.equal(closed?.error, undefined);
  });

  it('sends all that waits before it closes behind the end of a peer that reads slowly', async () => {
    far.pause();
    const end = start();
    far.end();
    await until(() => calls.includes('end'));
    let written = 0;
    while (near.writableLength === 0) {
      end.write([Buffer.alloc(1024 * 1024, written)]);
      written += 1024 * 1024;
    }
    end.end();
    let read = 0;
    far.on('data', (bytes: Buffer) => (read += bytes.length)).resume();
    await Promise.all([once(far, 'end'), until(() => closed !== undefined)]);
    assert.deepEqual([read, closed?.error], [written, undefined]);
  });

  it('resets the peer when it is told to', async () => {
    const end = start();
    const failed = once(far, 'error') as Promise<[NodeJS.ErrnoException]>;
    end.reset(new Error('broken'));
    assert.equal((await failed)[0].code, 'ECONNRESET');
    await until(() => closed !== undefined);
    assert.equal(closed?.error?.message, 'broken');
  });

  it('reports a socket that was gone before it was started', async () => {
    far.destroy();
    near.destroy();
    await until(() => near.closed);
    start();
    await until(() => closed !== undefined);
    assert.ok(closed?.error);
  });
});
