import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect } from '../../../src/tunnel/sender.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, outcomeOf, readAll, tcpClient, untilClosed } from '../../helpers/tunnel-bed.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

const MIB = 1024 * 1024;

describe('streams from a local port to a target', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  it('gives a client that shuts down its write side the whole answer', async () => {
    const answer = randomBytes(3 * MIB);
    const target = await bed.target((socket) => {
      // It ends at the client's FIN, not before.
      void readAll(socket).then((question) => socket.end(Buffer.concat([answer, question])));
    });
    await bed.onlineListener({ target });
    const client = await tcpClient(await bed.localPort());
    const outcome = outcomeOf(client);
    const question = randomBytes(2 * MIB);
    client.end(question);
    const { bytes, ended } = await outcome.over;
    assert.ok(ended, 'an end, not an error');
    assert.ok(bytes.equals(Buffer.concat([answer, question])));
    await Promise.all([untilClosed(bed.heard), untilClosed(bed.sent)]);
    const [[heard], [sent]] = [bed.heard.of('closed'), bed.sent.of('closed')];
    assert.deepEqual([heard?.bytesIn, heard?.bytesOut], [question.length, bytes.length]);
    assert.deepEqual([sent?.bytesIn, sent?.bytesOut], [bytes.length, question.length]);
    assert.deepEqual([heard?.error, sent?.error], [undefined, undefined]);
    assert.equal(heard?.stream, sent?.stream, 'both ends name the stream alike');
    assert.equal(heard?.connection, `localhost/${ENTITY}`);
  });

  it('lets a client send on after the target has shut down its side', async () => {
    const target = await bed.target((socket) => {
      socket.end('I am done');
      void readAll(socket).then((bytes) => received.push(bytes));
    });
    const received: Buffer[] = [];
    await bed.onlineListener({ target });
    const client = await tcpClient(await bed.localPort());
    const outcome = await outcomeOf(client).over;
    assert.equal(outcome.bytes.toString(), 'I am done');
    assert.ok(outcome.ended);
    const late = randomBytes(MIB);
    client.end(late);
    await until(() => received.length === 1);
    assert.ok(received[0]?.equals(late));
  });

  it('takes the reset of a client to the target as a reset, and the other way round', async () => {
    const errors: Error[] = [];
    let resets = false;
    const target = await bed.target((socket) => {
      socket.on('error', (error) => errors.push(error));
      socket.on('data', () => resets && socket.resetAndDestroy());
    });
    await bed.onlineListener({ target });
    const port = await bed.localPort();
    const client = await tcpClient(port);
    client.write('hello');
    await until(() => bed.heard.of('accepted').length === 1);
    client.resetAndDestroy();
    await until(() => errors.length === 1, 'the reset at the target');
    resets = true;
    const second = await tcpClient(port);
    second.write('hello');
    const { error, ended } = await outcomeOf(second).over;
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNRESET');
    assert.equal(ended, false);
    await untilClosed(bed.heard, 2);
    assert.ok(bed.heard.of('closed').every((event) => event.error));
  });

  it('resets both ends when the relay cuts a stream in the middle', async () => {
    bed.emulator.faults.cutStreamAfterBytes = MIB;
    const target = await bed.target((socket) => socket.pipe(socket));
    await bed.onlineListener({ target });
    const client = await tcpClient(await bed.localPort());
    const outcome = outcomeOf(client);
    client.end(randomBytes(4 * MIB));
    const { ended, error } = await outcome.over;
    assert.ok(error && !ended, 'no end that could be taken for a complete answer');
    await Promise.all([untilClosed(bed.heard), untilClosed(bed.sent)]);
  });

  it('takes a Close of the service, whose entity was deleted, for a break', async () => {
    const target = await bed.target((socket) => void socket.write('half of an answer'));
    await bed.onlineListener({ target, keepTrying: true });
    const client = await tcpClient(await bed.localPort());
    await once(client, 'data');
    const outcome = outcomeOf(client);
    bed.emulator.removeConnection(ENTITY);
    const { ended, error } = await outcome.over;
    assert.ok(error && !ended);
    await untilClosed(bed.heard);
    assert.equal(bed.heard.of('closed')[0]?.error?.code, 'HCM_CONNECTION_LOST');
  });

  it('keeps streams through the loss of the control channel', async () => {
    const target = await bed.target((socket) => socket.pipe(socket));
    await bed.onlineListener({ target });
    const client = await tcpClient(await bed.localPort());
    const outcome = outcomeOf(client);
    client.write('before ');
    await until(() => bed.heard.of('accepted').length === 1);
    bed.emulator.faults.dropControlChannels();
    await until(() => bed.heard.of('reconnecting').length === 1);
    client.end('after');
    assert.equal((await outcome.over).bytes.toString(), 'before after');
    assert.ok(outcome.ended);
  });

  it('cuts a stream that was idle for too long, with an error', async () => {
    const target = await bed.target((socket) => void socket.resume());
    await bed.onlineListener({ target, idleTimeoutMs: 100 });
    const client = await tcpClient(await bed.localPort());
    const { ended, error } = await outcomeOf(client).over;
    assert.ok(error && !ended);
    await untilClosed(bed.heard);
    assert.equal(bed.heard.of('closed')[0]?.error?.code, 'HCM_IDLE_TIMEOUT');
  });

  it('drains open streams at a stop, takes no new ones, and cuts what outlives the grace', async () => {
    const target = await bed.target((socket) => socket.pipe(socket));
    const listener = await bed.onlineListener({ target });
    const port = await bed.localPort();
    const [ends, stays] = await Promise.all([tcpClient(port), tcpClient(port)]);
    await until(() => listener.openStreams === 2);
    const outcomes = [ends, stays].map((client) => outcomeOf(client));
    let stopped = false;
    const stopping = listener.stop({ graceMs: 60_000 }).then(() => (stopped = true));
    await until(() => bed.emulator.listenerCount(ENTITY) === 0);
    ends.end('last words');
    assert.equal((await outcomes[0]?.over)?.bytes.toString(), 'last words');
    await until(() => listener.openStreams === 1);
    assert.equal(stopped, false);
    void listener.stop({ graceMs: 0 });
    await stopping;
    assert.equal(listener.openStreams, 0);
    assert.ok((await outcomes[1]?.over)?.error);
    assert.deepEqual(listener.state, { name: 'stopped' });
  });

  describe('as a Duplex', () => {
    let stream: Duplex;
    const open = async () => {
      const connection = bed.connection('sender');
      stream = await connect(connection, { loopbackCa: bed.emulator.caPem });
      return stream;
    };

    it('carries bytes both ways, each direction ended by itself', async () => {
      const target = await bed.target((socket) => void readAll(socket).then((bytes) => socket.end(bytes)));
      await bed.onlineListener({ target });
      const bytes = randomBytes(5 * MIB);
      (await open()).end(bytes);
      assert.ok((await readAll(stream)).equals(bytes));
      await once(stream, 'close');
    });

    it('reports a broken stream as an error, not as an end', async () => {
      const target = await bed.target((socket) => void socket.write('half'));
      await bed.onlineListener({ target });
      await open();
      stream.once('data', () => bed.emulator.faults.abortStreams());
      await assert.rejects(readAll(stream));
    });

    it('breaks the stream at the other end when it is destroyed', async () => {
      const errors: Error[] = [];
      const target = await bed.target(
        (socket) => void socket.on('error', (error) => errors.push(error)).resume(),
      );
      await bed.onlineListener({ target });
      (await open()).write('hello');
      await until(() => bed.heard.of('accepted').length === 1);
      stream.destroy();
      await until(() => errors.length === 1, 'the reset at the target');
    });
  });
});
