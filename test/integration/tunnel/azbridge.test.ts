import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { mkdtempSync, rmSync } from 'node:fs';
import { parseAllowRule } from '../../../src/protocol/allow-list.ts';
import type { TargetAddress } from '../../../src/protocol/target-address.ts';
import { connectLogicalPort, openLogicalPort } from '../../../src/tunnel/azbridge/logical-port.ts';
import { startLocalPort, type OpenHook } from '../../../src/tunnel/local-port.ts';
import type { SenderOptions } from '../../../src/tunnel/options.ts';
import { forwardStdio } from '../../../src/tunnel/stdio.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, outcomeOf, readAll, tcpClient, untilClosed } from '../../helpers/tunnel-bed.ts';
import { ENTITY, rejectsWith } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

const MIB = 1024 * 1024;

describe('azbridge, both ends ours', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  const listen = (ports: Record<string, TargetAddress>, options = {}) =>
    bed.onlineListener({ dialect: 'azbridge', ports: new Map(Object.entries(ports)), ...options });

  async function tcp(serve: (socket: Socket) => void): Promise<TargetAddress> {
    return { kind: 'tcp', ...(await bed.target(serve)) };
  }
  const greeting = (text: string) => tcp((socket) => void socket.end(text));
  const echo = () => tcp((socket) => socket.pipe(socket));

  async function forward(name: string, options: SenderOptions = {}): Promise<number> {
    const sender = bed.sender(options);
    const open: OpenHook = (use) => openLogicalPort(sender, { name, mode: 'stream', ...use });
    const port = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, sender, { open });
    bed.onStop(() => port.stop({ graceMs: 0 }));
    return Number(port.bind.split(':').at(-1));
  }

  it('leads each logical port of one connection to its own target', async () => {
    await listen({ db: await greeting('db'), web: await greeting('web'), café: await greeting('café') });
    for (const name of ['db', 'web', 'café']) {
      const client = await tcpClient(await forward(name));
      const { bytes, ended } = await outcomeOf(client.end()).over;
      assert.deepEqual([bytes.toString(), ended], [name, true]);
    }
    await untilClosed(bed.heard, 3);
    assert.deepEqual(
      bed.heard.of('accepted').map(({ port }) => port),
      ['db', 'web', 'café'],
    );
    assert.deepEqual(
      bed.sent.of('opened').map(({ port }) => port),
      ['db', 'web', 'café'],
    );
    const [online] = bed.heard.of('online');
    assert.match(online?.target ?? '', /^db=127\.0\.0\.1:\d+, web=127\.0\.0\.1:\d+, café=/);
  });

  it('carries bytes both ways, each direction ended by itself', async () => {
    const answer = randomBytes(3 * MIB);
    const target = await tcp((socket) => {
      void readAll(socket).then((question) => socket.end(Buffer.concat([answer, question])));
    });
    await listen({ app: target });
    const client = await tcpClient(await forward('app'));
    const outcome = outcomeOf(client);
    const question = randomBytes(2 * MIB);
    client.end(question);
    const { bytes, ended } = await outcome.over;
    assert.ok(ended && bytes.equals(Buffer.concat([answer, question])));
    await Promise.all([untilClosed(bed.heard), untilClosed(bed.sent)]);
    const [heard] = bed.heard.of('closed');
    assert.deepEqual(
      [heard?.bytesIn, heard?.bytesOut, heard?.error],
      [question.length, bytes.length, undefined],
    );
  });

  it('lets a client send on after the target has shut down its side', async () => {
    const received: Buffer[] = [];
    const target = await tcp((socket) => {
      socket.end('done');
      void readAll(socket).then((bytes) => received.push(bytes));
    });
    await listen({ app: target });
    const client = await tcpClient(await forward('app'));
    assert.equal((await outcomeOf(client).over).bytes.toString(), 'done');
    client.end('late');
    await until(() => received.length === 1);
    assert.equal(received[0]?.toString(), 'late');
  });

  it('takes a reset for a reset', async () => {
    const errors: Error[] = [];
    const target = await tcp((socket) => void socket.on('error', (error) => errors.push(error)).resume());
    await listen({ app: target });
    const client = await tcpClient(await forward('app'));
    client.write('x');
    await until(() => bed.heard.of('accepted').length === 1);
    client.resetAndDestroy();
    await until(() => errors.length === 1, 'the reset at the target');
    await untilClosed(bed.heard);
    assert.ok(bed.heard.of('closed')[0]?.error);
  });

  it('reaches a single target under any number', async () => {
    await listen({ '5432': await greeting('one') });
    const client = await tcpClient(await forward('15432'));
    assert.equal((await outcomeOf(client.end()).over).bytes.toString(), 'one');
    await untilClosed(bed.heard);
    assert.equal(bed.heard.of('accepted')[0]?.port, '15432');
  });

  it('tells both ends of a logical port that is not there, and the listener goes on', async () => {
    await listen({ db: await greeting('db'), web: await greeting('web') });
    const outcome = await outcomeOf(await tcpClient(await forward('dbb'))).over;
    assert.equal(outcome.ended, false);
    const [refused] = bed.sent.of('refused');
    assert.equal(refused?.error.code, 'HCM_LOGICAL_PORT_UNKNOWN');
    assert.match(refused?.error.message ?? '', /Unknown logical port "dbb"/);
    assert.equal(refused?.error.details.port, 'dbb');
    await until(() => bed.heard.of('rejected').length === 1);
    const [rejected] = bed.heard.of('rejected');
    assert.deepEqual([rejected?.error.code, rejected?.port], ['HCM_LOGICAL_PORT_UNKNOWN', 'dbb']);
    assert.equal(rejected?.stream, refused?.stream);
    const client = await tcpClient(await forward('db'));
    assert.equal((await outcomeOf(client.end()).over).bytes.toString(), 'db');
  });

  it('tells both ends of a target that refuses, cannot be resolved, or is not allowed', async () => {
    const gone = await bed.target(() => undefined);
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    await listen(
      {
        dead: { kind: 'tcp', host: '127.0.0.1', port },
        nowhere: { kind: 'tcp', host: 'no-such-host.invalid', port: 1 },
        forbidden: { kind: 'tcp', ...gone },
      },
      { allow: [parseAllowRule(`127.0.0.1:${port}`), parseAllowRule('no-such-host.invalid:*')] },
    );
    const sender = bed.sender();
    const open = (name: string) => openLogicalPort(sender, { name, mode: 'stream' });
    const dead = await rejectsWith(open('dead'), 'HCM_TARGET_REFUSED');
    assert.ok(dead.retryable);
    await rejectsWith(open('nowhere'), 'HCM_TARGET_UNRESOLVED');
    await rejectsWith(open('forbidden'), 'HCM_TARGET_NOT_ALLOWED');
    await until(() => bed.heard.of('rejected').length === 3);
    const [first] = bed.heard.of('rejected');
    assert.deepEqual(
      [first?.error.code, first?.port, first?.target],
      ['HCM_TARGET_REFUSED', 'dead', `127.0.0.1:${port}`],
    );
  });

  it('refuses a stream to UDP, and datagrams to a stream', async () => {
    await listen({ dns: { kind: 'udp', host: '127.0.0.1', port: 9 }, db: await greeting('db') });
    const sender = bed.sender();
    const stream = await rejectsWith(
      openLogicalPort(sender, { name: 'dns', mode: 'stream' }),
      'HCM_LOGICAL_PORT_MODE',
    );
    assert.match(stream.message, /"dns" leads to UDP/);
    await rejectsWith(openLogicalPort(sender, { name: 'db', mode: 'datagram' }), 'HCM_LOGICAL_PORT_MODE');
    await until(() => bed.heard.of('rejected').length === 2);
    assert.ok(bed.heard.of('rejected').every(({ error }) => error.code === 'HCM_LOGICAL_PORT_MODE'));
  });

  it('takes a stream to an HTTP target to its host and port, as azbridge does', async () => {
    const { host, port } = await bed.target((socket) => void socket.end('bytes'));
    await listen({ http: { kind: 'http', secure: false, host, port, basePath: '/base' } });
    const stream = await connectLogicalPort(bed.connection('sender'), 'http', {
      loopbackCa: bed.emulator.caPem,
    });
    stream.end();
    assert.equal((await readAll(stream)).toString(), 'bytes');
  });

  it('gives programs a Duplex whose first bytes came with the answer', async () => {
    // The target speaks at once, so its bytes may stand right behind the answer.
    await listen({ app: await tcp((socket) => void socket.write('220 hello\r\n')) });
    const stream = await connectLogicalPort(bed.connection('sender'), 'app', {
      loopbackCa: bed.emulator.caPem,
    });
    const [first] = (await once(stream, 'data')) as [Buffer];
    assert.equal(first.toString(), '220 hello\r\n');
    stream.destroy();
    await untilClosed(bed.heard);
  });

  it('serves stdin and stdout', async () => {
    await listen({ app: await echo() });
    const sender = bed.sender();
    const [input, output] = [new PassThrough(), new PassThrough()];
    const done = forwardStdio(sender, {
      input,
      output,
      open: (use) => openLogicalPort(sender, { name: 'app', mode: 'stream', ...use }),
    });
    input.end('over stdio');
    assert.equal(await done, undefined);
    assert.equal((output.read() as Buffer).toString(), 'over stdio');
    assert.equal(bed.sent.of('opened')[0]?.port, 'app');
  });

  if (process.platform !== 'win32') {
    it('leads from a Unix socket to a Unix socket', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hcm-azbridge-'));
      bed.onStop(() => rmSync(folder, { recursive: true }));
      const [near, far] = [join(folder, 'near'), join(folder, 'far')];
      const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(far);
      await once(server, 'listening');
      bed.onStop(() => void server.close());
      await listen({ sock: { kind: 'unix', path: far } });
      const sender = bed.sender();
      const open = (use: { stream: string }) =>
        openLogicalPort(sender, { name: 'sock', mode: 'stream', ...use });
      const local = await startLocalPort({ kind: 'unix', path: near }, sender, { open });
      bed.onStop(() => local.stop({ graceMs: 0 }));
      const client = connect({ path: near, allowHalfOpen: true });
      const bytes = readAll(client);
      client.end('through two sockets');
      assert.equal((await bytes).toString(), 'through two sockets');
      assert.equal(bed.heard.of('accepted')[0]?.target, `unix:${far}`);
      client.destroy();
    });
  }

  it('refuses a raw sender with three bytes, and names the mismatch', async () => {
    await listen({ app: await echo() });
    const client = await tcpClient(await bed.localPort());
    const outcome = outcomeOf(client);
    client.end('GET / HTTP/1.1\r\n\r\n');
    assert.equal((await outcome.over).bytes.toString('hex'), '000000');
    await until(() => bed.heard.of('rejected').length === 1);
    const [rejected] = bed.heard.of('rejected');
    assert.equal(rejected?.error.code, 'HCM_DIALECT_MISMATCH');
    assert.match(rejected?.error.message ?? '', /began with 47 45 54/);
  });

  it('finds out at a raw listener that it does not speak azbridge', async () => {
    const target = await bed.target((socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n'));
    await bed.onlineListener({ target });
    const failed = openLogicalPort(bed.sender(), { name: 'app', mode: 'stream' });
    const error = await rejectsWith(failed, 'HCM_DIALECT_MISMATCH');
    assert.match(error.message, /answer to the preamble was 53 53 48/);
    await untilClosed(bed.heard);
  });

  it('says so when a raw target ends the stream on seeing the preamble', async () => {
    const target = await bed.target((socket) => void socket.once('data', () => socket.end()).resume());
    await bed.onlineListener({ target });
    await rejectsWith(
      openLogicalPort(bed.sender(), { name: 'app', mode: 'stream' }),
      'HCM_LOGICAL_PORT_UNKNOWN',
    );
  });

  it('does not wait for ever for the answer of a listener that gives none', async () => {
    const target = await bed.target((socket) => void socket.resume());
    await bed.onlineListener({ target });
    const open = openLogicalPort(bed.sender({ attemptTimeoutMs: 200 }), { name: 'app', mode: 'stream' });
    const error = await rejectsWith(open, 'HCM_CONNECT_TIMEOUT');
    assert.match(error.message, /did not answer azbridge's preamble within 0.2 s/);
  });

  it('drains open streams at a stop, as raw ones', async () => {
    const listener = await listen({ app: await echo() });
    const client = await tcpClient(await forward('app'));
    const outcome = outcomeOf(client);
    await until(() => listener.openStreams === 1);
    const stopped = listener.stop({ graceMs: 60_000 });
    await until(() => bed.emulator.listenerCount(ENTITY) === 0);
    client.end('last words');
    assert.equal((await outcome.over).bytes.toString(), 'last words');
    await stopped;
  });

  it('opens many streams at once, to several ports', async () => {
    await listen({ a: await greeting('a'), b: await greeting('b') });
    const ports = { a: await forward('a'), b: await forward('b') };
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const name = at % 2 === 0 ? 'a' : 'b';
        const client = await tcpClient(ports[name]);
        const { bytes } = await outcomeOf(client.end()).over;
        return bytes.toString() === name;
      }),
    );
    assert.ok(answers.every(Boolean));
  });
});
