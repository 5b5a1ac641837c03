import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, isIPv4, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLogicalPort } from '../../../src/tunnel/azbridge/logical-port.ts';
import type { ListenerOptions } from '../../../src/tunnel/options.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, outcomeOf, readAll, tcpClient, untilClosed } from '../../helpers/tunnel-bed.ts';
import { until } from '../../helpers/until.ts';
import { HttpTargetBed } from './http-target-bed.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';

interface Greeting {
  family: number;
  /** Hexadecimal: both addresses; both ports. */
  addresses: string;
  ports: [from: number, to: number];
  id: string;
  payload: string;
}

/** A header with one TLV, the id. */
function greetingOf(bytes: Buffer): Greeting {
  assert.equal(bytes.toString('hex', 0, 12), SIGNATURE);
  assert.equal(bytes[12], 0x21);
  const family = bytes[13] ?? 0;
  const end = 16 + bytes.readUInt16BE(14);
  const portsAt = family === 0x11 ? 24 : 48;
  assert.deepEqual([...bytes.subarray(portsAt + 4, portsAt + 6)], [0x05, 0x00]);
  return {
    family,
    addresses: bytes.toString('hex', 16, portsAt),
    ports: [bytes.readUInt16BE(portsAt), bytes.readUInt16BE(portsAt + 2)],
    id: bytes.toString('latin1', portsAt + 7, end),
    payload: bytes.toString('latin1', end),
  };
}

/** A target that greets first, as SSH does, and gives all that one client sent. */
function greeter(): { serve: (socket: Socket) => void; bytes: Promise<Buffer> } {
  let done: (bytes: Promise<Buffer>) => void = () => undefined;
  const bytes = new Promise<Buffer>((resolve) => (done = resolve));
  const serve = (socket: Socket) => {
    done(readAll(socket));
    socket.end('welcome');
  };
  return { serve, bytes };
}

describe('the PROXY header before a raw stream', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  /** What a target gets of one client that says `hello`. */
  async function received(options: ListenerOptions, bytes: Promise<Buffer>): Promise<Buffer> {
    await bed.onlineListener(options);
    const client = await tcpClient(await bed.localPort());
    client.end('hello');
    assert.equal((await readAll(client)).toString(), 'welcome');
    await untilClosed(bed.heard);
    return bytes;
  }

  it('is not there unless it is asked for', async () => {
    const { serve, bytes } = greeter();
    const target = await bed.target(serve);
    assert.equal((await received({ target }, bytes)).toString(), 'hello');
  });

  it('names the sender as the relay saw it, the target, and the stream as the events name it', async () => {
    const { serve, bytes } = greeter();
    const target = await bed.target(serve);
    const greeting = greetingOf(await received({ target, proxyProtocol: 'v2' }, bytes));
    const [accepted] = bed.heard.of('accepted');
    const [, address = '', port] = /^(.*):(\d+)$/.exec(accepted?.remote ?? '') ?? [];
    assert.deepEqual(greeting.ports, [Number(port), target.port]);
    if (isIPv4(address)) assert.equal(greeting.addresses, '7f0000017f000001');
    else assert.equal(greeting.addresses, `${'0'.repeat(31)}1${'0'.repeat(20)}ffff7f000001`);
    assert.equal(greeting.family, isIPv4(address) ? 0x11 : 0x21);
    assert.equal(greeting.id, accepted?.stream);
    assert.equal(greeting.payload, 'hello');
  });

  it('goes to the host and port of an HTTP address, whose streams are raw bytes', async () => {
    const { serve, bytes } = greeter();
    const { host, port } = await bed.target(serve);
    const address = { kind: 'http', secure: false, host, port, basePath: '/base' } as const;
    const greeting = greetingOf(await received({ address, proxyProtocol: 'v2' }, bytes));
    assert.equal(greeting.payload, 'hello');
    assert.equal(bed.heard.of('online')[0]?.target, `http://${host}:${port}/base`);
    assert.equal(bed.heard.of('accepted')[0]?.target, `${host}:${port}`);
  });

  const unix = process.platform === 'win32' ? describe.skip : describe;
  unix('to a Unix socket', () => {
    let directory: string;
    beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'hcm-target-'))));
    afterEach(() => rm(directory, { recursive: true }));

    it('has no address to name but the sender', async () => {
      const { serve, bytes } = greeter();
      const path = join(directory, 'app.sock');
      const server = createServer({ allowHalfOpen: true }, serve).listen(path);
      await once(server, 'listening');
      bed.onStop(() => void server.close());
      const options = { address: { kind: 'unix', path }, proxyProtocol: 'v2' } as const;
      const greeting = greetingOf(await received(options, bytes));
      assert.equal(greeting.ports[1], 0);
      assert.match(greeting.addresses, /^(?:7f0000010{8}|0{31}10{32})$/);
      assert.equal(greeting.payload, 'hello');
      const name = `unix:${path}`;
      assert.deepEqual(
        [bed.heard.of('online')[0]?.target, bed.heard.of('accepted')[0]?.target],
        [name, name],
      );
    });

    it('tells the sender of a socket that nobody serves', async () => {
      const path = join(directory, 'app.sock');
      await bed.onlineListener({ address: { kind: 'unix', path } });
      const client = await tcpClient(await bed.localPort());
      assert.ok((await outcomeOf(client).over).error, 'a reset, not an end');
      await until(() => bed.sent.of('refused').length === 1);
      assert.equal(bed.sent.of('refused')[0]?.error.code, 'HCM_TARGET_UNREACHABLE');
      const [rejected] = bed.heard.of('rejected');
      assert.equal(rejected?.target, `unix:${path}`);
    });
  });
});

describe('the PROXY header to a logical port of azbridge', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  it('names the sender as it does for a raw stream', async () => {
    const { serve, bytes } = greeter();
    const ports = new Map([['db', { kind: 'tcp', ...(await bed.target(serve)) } as const]]);
    await bed.onlineListener({ dialect: 'azbridge', ports, proxyProtocol: 'v2' });
    const client = await connectLogicalPort(bed.connection('sender'), 'db', {
      loopbackCa: bed.emulator.caPem,
    });
    client.end('hello');
    assert.equal((await readAll(client)).toString(), 'welcome');
    const greeting = greetingOf(await bytes);
    const [accepted] = bed.heard.of('accepted');
    assert.equal(String(greeting.ports[0]), accepted?.remote?.split(':').at(-1));
    assert.equal(greeting.id, accepted?.stream);
    assert.equal(greeting.payload, 'hello');
    await untilClosed(bed.heard);
  });
});

describe('the PROXY header before relayed HTTP requests', () => {
  expectNothingLeft();
  let web: HttpTargetBed;
  let received: Buffer[];

  beforeEach(async () => {
    web = await HttpTargetBed.start();
    received = [];
  });
  afterEach(() => web.stop());

  /** Every client of 127.0.0.0/8 is this machine: on Linux alone. */
  const linux = process.platform === 'linux' ? it : () => undefined;

  linux(
    'names the sender of each, on a connection of its own, though their pool would keep one',
    async () => {
      const { host, port } = await web.bed.target((socket) => {
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          const all = Buffer.concat(chunks);
          if (!all.includes('\r\n\r\n', 16)) return;
          received.push(all);
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        });
      });
      await web.listen(`http://${host}:${port}/base`, { proxyProtocol: 'v2' });
      for (const localAddress of ['127.0.0.8', '127.0.0.9'])
        assert.equal((await web.ask('/x', { localAddress })).status, 200);
      const greetings = received.map(greetingOf);
      assert.deepEqual(
        greetings.map(({ addresses }) => addresses),
        ['7f0000087f000001', '7f0000097f000001'],
      );
      const served = web.bed.heard.of('request');
      assert.deepEqual(
        greetings.map(({ id }) => id),
        served.map(({ stream }) => stream),
      );
      for (const { payload } of greetings) assert.match(payload, /^GET \/base\/x HTTP\/1\.1\r\n/);
    },
  );

  it('comes before TLS', async () => {
    const { host, port } = await web.bed.target((socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        const all = Buffer.concat(received);
        if (all.length > 16 + all.readUInt16BE(14)) socket.destroy();
      });
    });
    await web.listen(`https://${host}:${port}`, { proxyProtocol: 'v2' });
    assert.equal((await web.ask('/')).status, 502);
    const { payload } = greetingOf(Buffer.concat(received));
    assert.equal(payload.charCodeAt(0), 0x16, "TLS's record type: a handshake");
  });
});
