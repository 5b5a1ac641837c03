import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { startLocalPort } from '../../../src/tunnel/local-port.ts';
import { startDatagramPort } from '../../../src/tunnel/azbridge/datagram-port.ts';
import { parseAllowRule } from '../../../src/protocol/allow-list.ts';
import type { TargetAddress } from '../../../src/protocol/target-address.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, tcpClient, outcomeOf } from '../../helpers/tunnel-bed.ts';
import { until } from '../../helpers/until.ts';
import { openLogicalPort } from '../../../src/tunnel/azbridge/logical-port.ts';

/** The largest of UDP over IPv4. */
const LARGEST = 65_507;

describe('datagrams over azbridge, both ends ours', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  async function udp(type: 'udp4' | 'udp6' = 'udp4'): Promise<Socket> {
    const socket = createSocket(type);
    socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1');
    await once(socket, 'listening');
    bed.onStop(() => void socket.close());
    return socket;
  }

  /** A UDP server that gives back what it gets. */
  async function echo(type: 'udp4' | 'udp6' = 'udp4'): Promise<TargetAddress> {
    const socket = await udp(type);
    socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
    return { kind: 'udp', host: socket.address().address, port: socket.address().port };
  }

  const listen = (ports: Record<string, TargetAddress>, options = {}) =>
    bed.onlineListener({ dialect: 'azbridge', ports: new Map(Object.entries(ports)), ...options });

  async function forward(name: string, host = '127.0.0.1'): Promise<number> {
    const local = await startDatagramPort({ kind: 'udp', host, port: 0 }, bed.sender(), { name });
    bed.onStop(() => local.stop({ graceMs: 0 }));
    return Number(local.bind.split(':').at(-1));
  }

  function receiving(socket: Socket): Buffer[] {
    const received: Buffer[] = [];
    socket.on('message', (bytes) => received.push(bytes));
    return received;
  }

  for (const [near, far] of [
    ['127.0.0.1', 'udp4'],
    ['::1', 'udp6'],
    ['127.0.0.1', 'udp6'],
  ] as const) {
    it(`keeps the boundaries of datagrams of 0 to ${LARGEST} bytes, from ${near} to ${far}`, async () => {
      await listen({ echo: await echo(far) });
      const port = await forward('echo', near);
      const client = await udp(near === '::1' ? 'udp6' : 'udp4');
      const received = receiving(client);
      for (const bytes of [0, 1, 2, 1472, 16_384, 65_000, LARGEST]) {
        const datagram = randomBytes(bytes);
        client.send(datagram, port, near);
        await until(() => received.length === 1, `the answer of ${bytes} bytes`);
        assert.ok(received.pop()?.equals(datagram), `${bytes} bytes`);
      }
    });
  }

  it('answers each of many clients, over a stream each', async () => {
    const listener = await listen({ '53U': await echo() });
    const port = await forward('53U');
    const clients = await Promise.all(Array.from({ length: 20 }, () => udp()));
    const answers = clients.map(receiving);
    clients.forEach((client, at) => client.send(`client ${at}`, port, '127.0.0.1'));
    await until(() => answers.every((received) => received.length === 1));
    answers.forEach((received, at) => assert.equal(received[0]?.toString(), `client ${at}`));
    assert.equal(listener.openStreams, 20);
  });

  it('leads streams and datagrams over one connection', async () => {
    const target = await bed.target((socket) => void socket.end('a stream'));
    await listen({ tcp: { kind: 'tcp', ...target }, udp: await echo() });
    const client = await udp();
    const received = receiving(client);
    client.send('a datagram', await forward('udp'), '127.0.0.1');
    await until(() => received.length === 1);
    const sender = bed.sender();
    const local = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, sender, {
      open: (use) => openLogicalPort(sender, { name: 'tcp', mode: 'stream', ...use }),
    });
    bed.onStop(() => local.stop({ graceMs: 0 }));
    const stream = await tcpClient(Number(local.bind.split(':').at(-1)));
    assert.equal((await outcomeOf(stream.end()).over).bytes.toString(), 'a stream');
  });

  it('checks the allow-list on the address that a name has', async () => {
    const { port } = (await echo()) as { port: number };
    await listen(
      { ok: { kind: 'udp', host: 'localhost', port }, bad: { kind: 'udp', host: 'localhost', port } },
      { allow: [parseAllowRule('192.0.2.1:*')] },
    );
    const client = await udp();
    client.send('x', await forward('bad'), '127.0.0.1');
    await until(() => bed.sent.of('refused').length === 1);
    assert.equal(bed.sent.of('refused')[0]?.error.code, 'HCM_TARGET_NOT_ALLOWED');
    assert.equal(bed.heard.of('rejected')[0]?.error.code, 'HCM_TARGET_NOT_ALLOWED');
  });

  it('tells of a port that is not UDP, or not there, and goes on', async () => {
    const target = await bed.target((socket) => void socket.end());
    await listen({ tcp: { kind: 'tcp', ...target }, udp: await echo() });
    const client = await udp();
    client.send('x', await forward('tcp'), '127.0.0.1');
    client.send('x', await forward('nothing'), '127.0.0.1');
    await until(() => bed.sent.of('refused').length === 2);
    const codes = bed.sent.of('refused').map(({ error }) => error.code);
    assert.deepEqual(codes.sort(), ['HCM_LOGICAL_PORT_MODE', 'HCM_LOGICAL_PORT_UNKNOWN']);
    const received = receiving(client);
    client.send('y', await forward('udp'), '127.0.0.1');
    await until(() => received.length === 1);
  });

  it('survives the loss of a route, and opens another', async () => {
    await listen({ udp: await echo() });
    const port = await forward('udp');
    const client = await udp();
    const received = receiving(client);
    client.send('1', port, '127.0.0.1');
    await until(() => received.length === 1);
    bed.emulator.faults.abortStreams();
    await until(() => bed.sent.of('closed').length === 1);
    assert.ok(bed.sent.of('closed')[0]?.error);
    client.send('2', port, '127.0.0.1');
    await until(() => received.length === 2);
  });

  it('lets go of an idle client at both ends, without an error', async () => {
    const listener = await listen({ udp: await echo() }, { datagramIdleTimeoutMs: 100 });
    const client = await udp();
    const received = receiving(client);
    client.send('1', await forward('udp'), '127.0.0.1');
    await until(() => received.length === 1);
    await until(() => bed.sent.of('closed').length === 1 && bed.heard.of('closed').length === 1);
    assert.equal(listener.openStreams, 0);
    assert.equal(bed.sent.of('closed')[0]?.error ?? bed.heard.of('closed')[0]?.error, undefined);
    const [sent] = bed.sent.of('closed');
    // With two bytes of length each.
    assert.deepEqual([sent?.bytesIn, sent?.bytesOut], [3, 3]);
  });

  it('stops at once where only datagrams are left', async () => {
    const listener = await listen({ udp: await echo() });
    const client = await udp();
    const received = receiving(client);
    client.send('1', await forward('udp'), '127.0.0.1');
    await until(() => received.length === 1);
    await listener.stop({ graceMs: 600_000 });
    assert.equal(bed.heard.of('closed')[0]?.error, undefined);
  });
});
