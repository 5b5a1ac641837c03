import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { Sender } from '../../../src/tunnel/sender.ts';
import { forwardStdio } from '../../../src/tunnel/stdio.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeRelay, type Peer } from '../../helpers/fake-relay.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { EventLog, connectionTo, rejectsWith } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

describe('a stream on stdin and stdout', () => {
  expectNothingLeft();
  let clock: FakeClock;
  let relay: FakeRelay;
  let log: EventLog;
  let input: PassThrough;
  let output: PassThrough;
  let stopping: AbortController;

  beforeEach(async () => {
    clock = new FakeClock();
    relay = await FakeRelay.start();
    log = new EventLog();
    [input, output] = [new PassThrough(), new PassThrough()];
    stopping = new AbortController();
  });
  afterEach(async () => {
    await relay.stop();
    assert.equal(clock.timers, 0);
  });

  function start(): ReturnType<typeof forwardStdio> {
    const options = { insecureLoopback: true, clock, onEvent: log.record };
    const sender = new Sender(connectionTo(relay.endpoint, clock), options);
    return forwardStdio(sender, { input, output, signal: stopping.signal });
  }

  async function opened(): Promise<{ done: ReturnType<typeof forwardStdio>; peer: Peer }> {
    const done = start();
    const peer = (await relay.next('connect')).accept();
    await until(() => log.of('opened').length === 1);
    return { done, peer };
  }

  it('carries bytes both ways, and ends each direction by itself', async () => {
    const { done, peer } = await opened();
    input.end('question');
    await until(() => peer.closed !== undefined);
    assert.deepEqual(peer.closed, { code: 1000, reason: '' });
    assert.equal(peer.bytes.toString(), 'question');
    peer.webSocket.send(Buffer.from('answer'));
    peer.webSocket.close(1000);
    assert.equal(await done, undefined);
    assert.equal((output.read() as Buffer).toString(), 'answer');
    assert.ok(output.writableFinished);
    const [closed] = log.of('closed');
    assert.deepEqual([closed?.bytesIn, closed?.bytesOut], [6, 8]);
  });

  it('lets stdin go on after the end of the other side', async () => {
    const { done, peer } = await opened();
    peer.webSocket.close(1000);
    await until(() => output.writableFinished);
    input.end('late');
    assert.equal(await done, undefined);
    assert.equal(peer.bytes.toString(), 'late');
  });

  it('does not wait for a terminal once the other side has ended', async () => {
    Object.assign(input, { isTTY: true });
    const { done, peer } = await opened();
    peer.webSocket.close(1000);
    assert.equal(await done, undefined);
  });

  it('gives the error of a broken stream, and does not end stdout as if all had come', async () => {
    const { done, peer } = await opened();
    peer.webSocket.send(Buffer.from('half'));
    await once(output, 'readable');
    peer.webSocket.destroy();
    assert.equal((await done)?.code, 'HCM_CONNECTION_LOST');
    assert.equal(output.writableEnded, false);
  });

  it('breaks the stream when stdout is gone', async () => {
    const { done, peer } = await opened();
    output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    assert.equal((await done)?.code, 'HCM_CONNECTION_LOST');
    await until(() => peer.over !== undefined);
    assert.ok(peer.over?.error);
  });

  it('is stopped by its signal, open or not yet', async () => {
    const { done } = await opened();
    stopping.abort(new Error('enough'));
    assert.equal((await done)?.code, 'HCM_ABORTED');
    await assert.rejects(start(), /enough/);
  });

  it('fails as a sender does when no listener is there', async () => {
    const failed = rejectsWith(start(), 'HCM_NO_LISTENER');
    (await relay.next('connect')).refuse(404, 'There are no listeners connected for the endpoint.');
    await failed;
  });

  it('does not read stdin faster than the relay takes it', async () => {
    const { done, peer } = await opened();
    peer.webSocket.pause();
    const block = Buffer.alloc(64 * 1024);
    let written = 0;
    const isFull = () => input.writableNeedDrain && input.readableLength > 0;
    for (let turn = 0; turn < 2_000 && !isFull(); turn += 1) {
      while (input.write(block)) written += block.length;
      await turns(5);
    }
    assert.ok(isFull(), `${written} bytes were taken, and more would be`);
    input.destroy(new Error('done'));
    await done;
  });
});
