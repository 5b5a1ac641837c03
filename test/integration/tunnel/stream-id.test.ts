// One id for a stream or a request, at both ends and in every outcome: what an operator of either side searches for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connectLogicalPort } from '../../../src/tunnel/azbridge/logical-port.ts';
import { startLogicalPort } from '../../../src/tunnel/azbridge/local-logical-port.ts';
import { startHttpPort } from '../../../src/tunnel/http-sender/http-port.ts';
import type { TunnelEvent } from '../../../src/tunnel/events.ts';
import type { ListenerOptions } from '../../../src/tunnel/options.ts';
import type { Target } from '../../../src/protocol/target.ts';
import { TunnelBed, tcpClient } from '../../helpers/tunnel-bed.ts';
import { until } from '../../helpers/until.ts';

const LOOPBACK = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
/** Resolves when it is over, however it ends. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve));
/** More than the control channel takes: the request goes over a rendezvous. */
const LARGE_BYTES = 200_000;

describe('the id of a stream is the same text at both ends', () => {
  let bed: TunnelBed;
  let target: Target;
  let http: Target;

  beforeEach(async () => {
    bed = await TunnelBed.start();
    target = await bed.target((socket) => socket.resume().once('end', () => socket.end()));
    const server = createServer((incoming, response) => {
      incoming.resume().on('end', () => response.end('hello'));
    });
    server.on('upgrade', (_request, socket: Socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    bed.onStop(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    http = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  });
  afterEach(() => bed.stop());

  async function closedTarget(): Promise<Target> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return { host: '127.0.0.1', port };
  }

  const listen = (options: ListenerOptions) => bed.onlineListener(options);
  const azbridge = (found: Target): ListenerOptions => ({
    dialect: 'azbridge',
    ports: new Map([['db', { kind: 'tcp', ...found }]]),
  });
  const overHttp = (found: Target): ListenerOptions => ({
    address: { kind: 'http', secure: false, basePath: '', ...found },
  });

  async function talk(): Promise<void> {
    const client = await tcpClient(await bed.localPort());
    client.resume().end();
    await closed(client);
  }
  async function talkToLogicalPort(): Promise<void> {
    const port = await startLogicalPort(LOOPBACK, bed.sender(), 'db');
    bed.onStop(() => port.stop({ graceMs: 0 }));
    const client = await tcpClient(Number(port.bind.split(':').at(-1)));
    client.resume().end();
    await closed(client);
  }
  async function askHttp(body?: Buffer, headers = {}): Promise<void> {
    const port = await startHttpPort(LOOPBACK, bed.sender());
    bed.onStop(() => port.stop({ graceMs: 0 }));
    const asked = request(port.url ?? '', { method: body ? 'POST' : 'GET', headers });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    await once(answer.resume(), 'close');
  }
  async function upgradeHttp(): Promise<void> {
    const port = await startHttpPort(LOOPBACK, bed.sender());
    bed.onStop(() => port.stop({ graceMs: 0 }));
    const client = connect({ host: '127.0.0.1', port: Number(port.bind.split(':').at(-1)) });
    client.resume().on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await closed(client);
  }

  const CASES: {
    name: string;
    listener: () => Promise<ListenerOptions> | ListenerOptions;
    act: () => Promise<void>;
    sender: TunnelEvent['event'];
    heard: TunnelEvent['event'];
  }[] = [
    { name: 'a stream', listener: () => ({ target }), act: talk, sender: 'opened', heard: 'accepted' },
    {
      name: 'a stream whose target refuses',
      listener: async () => ({ target: await closedTarget() }),
      ...{ act: talk, sender: 'refused', heard: 'rejected' },
    },
    {
      name: 'a stream to a listener that is full',
      listener: () => ({ target, maxStreams: 1 }),
      act: async () => {
        const first = await tcpClient(await bed.localPort());
        await until(() => bed.heard.of('accepted').length === 1, 'the first');
        await talk();
        first.destroy();
      },
      ...{ sender: 'refused', heard: 'rejected' },
    },
    {
      name: 'a stream of azbridge',
      listener: () => azbridge(target),
      ...{ act: talkToLogicalPort, sender: 'opened', heard: 'accepted' },
    },
    {
      name: 'a stream of azbridge whose target refuses',
      listener: async () => azbridge(await closedTarget()),
      ...{ act: talkToLogicalPort, sender: 'refused', heard: 'rejected' },
    },
    {
      name: 'a request',
      listener: () => overHttp(http),
      ...{ act: () => askHttp(), sender: 'request', heard: 'request' },
    },
    {
      name: 'a request with a large body',
      listener: () => overHttp(http),
      ...{ act: () => askHttp(Buffer.alloc(LARGE_BYTES)), sender: 'request', heard: 'request' },
    },
    {
      name: 'a request whose target refuses',
      listener: async () => overHttp(await closedTarget()),
      ...{ act: () => askHttp(), sender: 'refused', heard: 'request' },
    },
    {
      name: 'a request that nobody serves',
      listener: () => ({ target }),
      ...{ act: () => askHttp(), sender: 'refused', heard: 'request' },
    },
    {
      name: 'a request for another protocol',
      listener: () => overHttp(http),
      ...{ act: upgradeHttp, sender: 'opened', heard: 'accepted' },
    },
  ];
  for (const { name, listener, act, sender, heard } of CASES) {
    it(name, async () => {
      await listen(await listener());
      await act();
      await until(() => bed.heard.of(heard).length > 0 && bed.sent.of(sender).length > 0, 'both events');
      const idOf = (event: TunnelEvent | undefined) => event && 'stream' in event && event.stream;
      const id = idOf(bed.sent.of(sender)[0]);
      assert.match(String(id), /^[0-9a-f-]{36}$/);
      assert.equal(idOf(bed.heard.of(heard)[0]), id);
    });
  }

  it('a stream that a program opens itself', async () => {
    await listen(azbridge(target));
    const stream = await connectLogicalPort(bed.connection('sender'), 'db', {
      loopbackCa: bed.emulator.caPem,
    });
    stream.resume().end();
    await until(() => bed.heard.of('closed').length === 1);
    assert.match(bed.heard.of('closed')[0]?.stream ?? '', /^[0-9a-f-]{36}$/);
  });
});
