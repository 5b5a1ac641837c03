// Logical ports of azbridge on the command line: hcm listen, hcm forward and hcm connect, each a process, through an
// emulator that is another.
import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Server } from 'node:net';
import type { HcmProcess, Line } from './hcm-process.ts';
import { answerReversed, ask, portOf, RelayHome, startServer } from './relay-home.ts';

interface OpenBind {
  connection: string;
  bind: string;
  port: string;
}

describe('logical ports of azbridge', () => {
  const home = new RelayHome();
  let reversing: Server;
  let shouting: Server;
  let udp: UdpSocket;
  let listener: HcmProcess;

  before(async () => {
    reversing = await startServer(answerReversed);
    shouting = await startServer((socket) => {
      socket
        .on('data', (chunk: Buffer) => socket.write(String(chunk).toUpperCase()))
        .on('end', () => socket.end());
    });
    udp = createSocket('udp4').on('message', (message, { port, address }) =>
      udp.send(Buffer.from(message).reverse(), port, address),
    );
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    await home.startEmulator('bridge', 'single');
    listener = home.start([
      ...['listen', '--connection-string-file', 'bridge-listen.txt', '--dialect', 'azbridge', '--json'],
      ...[
        '--target',
        `back=127.0.0.1:${portOf(reversing)}`,
        '--target',
        `loud=127.0.0.1:${portOf(shouting)}`,
      ],
      ...['--target', `echo=udp:127.0.0.1:${udp.address().port}`, '--target', 'dead=127.0.0.1:1'],
    ]);
    await listener.event('online');
  });
  after(async () => {
    reversing.close();
    shouting.close();
    udp.close();
    await home.remove();
  });

  const forward = (...args: string[]) =>
    home.start(['forward', '--connection-string-file', 'bridge-send.txt', '--dialect', 'azbridge', ...args]);

  async function bindsOf(process: HcmProcess): Promise<OpenBind[]> {
    const ready = await process.event('ready');
    return (ready['binds'] ?? [ready]) as OpenBind[];
  }

  const portOfBind = ({ bind }: { bind: string }) => Number(bind.split(':').at(-1));

  it('each lead to their own target, and half-close goes through', async () => {
    const process = forward('--bind', 'back=0', '--bind', 'loud=0', '--json');
    const binds = await bindsOf(process);
    assert.deepEqual(
      binds.map(({ connection, port }) => [connection, port]),
      [
        ['localhost/bridge', 'back'],
        ['localhost/bridge', 'loud'],
      ],
    );
    const [back, loud] = binds.map(portOfBind);
    assert.deepEqual(
      [String(await ask(back ?? 0, 'abc')), String(await ask(loud ?? 0, 'abc'))],
      ['cba', 'ABC'],
    );
    const opened = await process.event('opened', ({ port }) => port === 'loud');
    await listener.event('closed', ({ stream }) => stream === opened['stream']);
    assert.equal((await process.interrupt()).status, 0);
  });

  it('carry datagrams, each as it is', async () => {
    const process = forward('--bind', 'echo=udp:0', '--json');
    const [bind] = await bindsOf(process);
    assert.match(bind?.bind ?? '', /^udp:127\.0\.0\.1:\d+$/);
    const client = createSocket('udp4');
    const port = portOfBind(bind ?? { bind: '' });
    for (const text of ['one', 'three']) {
      client.send(text, port, '127.0.0.1');
      const [answer] = (await once(client, 'message')) as [Buffer];
      assert.equal(String(answer), [...text].reverse().join(''));
    }
    client.close();
    assert.equal((await process.interrupt()).status, 0);
  });

  it('may be bound to a Unix socket', async function () {
    if (process.platform === 'win32') return;
    const started = forward('--bind', `back=unix:${home.path('back.sock')}`, '--json');
    await started.event('ready');
    const socket = connect({ path: home.path('back.sock'), allowHalfOpen: true });
    socket.end('xyz');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(answer), 'zyx');
  });

  for (const [what, bind, code] of [
    ['that the listener does not have', 'nobody=0', 'HCM_LOGICAL_PORT_UNKNOWN'],
    ['whose target is UDP, asked for a stream', 'echo=0', 'HCM_LOGICAL_PORT_MODE'],
    ['whose target is down', 'dead=0', 'HCM_TARGET_REFUSED'],
  ] as const) {
    it(`${what}: an error at both ends, and neither ends`, async () => {
      const process = forward('--bind', bind, '--json');
      const [open] = await bindsOf(process);
      await assert.rejects(ask(portOfBind(open ?? { bind: '' }), 'hello'));
      const refused: Line = await process.event('refused');
      const rejected = await listener.event('rejected', ({ stream }) => stream === refused['stream']);
      assert.deepEqual([refused['reason'], rejected['reason']], [code, code]);
      assert.equal((await process.interrupt()).status, 0);
    });
  }

  it('of one target alone answer to any number, as azbridge has it', async () => {
    const single = home.start([
      ...['listen', '--connection-string-file', 'single-listen.txt', '--dialect', 'azbridge', '--json'],
      ...['--target', `127.0.0.1:${portOf(reversing)}`],
    ]);
    const { target } = await single.event('online');
    assert.equal(target, `${portOf(reversing)}=127.0.0.1:${portOf(reversing)}`);
    const started = home.start([
      ...['forward', '--connection-string-file', 'single-send.txt', '--dialect', 'azbridge', '--json'],
      ...['--bind', '4711=0'],
    ]);
    const [open] = await bindsOf(started);
    assert.equal(String(await ask(portOfBind(open ?? { bind: '' }), 'ab')), 'ba');
  });

  it('are found by COMMAND, each by its name', async () => {
    const script =
      'console.log([process.env.HCM_PORT_BACK, process.env.HCM_PORT_LOUD, process.env.HCM_PORT].map(Number).join())';
    const started = forward(
      '--bind',
      'back=0',
      '--bind',
      'loud=0',
      '--json',
      '--',
      process.execPath,
      '-e',
      script,
    );
    const { status, stdout, stderr } = await started.ended;
    assert.equal(status, 0, stderr);
    const ready = JSON.parse(stderr.split('\n')[0] ?? '') as { binds: OpenBind[] };
    const [back, loud] = ready.binds.map(portOfBind);
    assert.equal(stdout, `${back},${loud},${back}\n`);
  });

  it('are joined with stdin and stdout by connect --port', async () => {
    const connecting = (port: string) =>
      home.run(
        ['connect', '--connection-string-file', 'bridge-send.txt', '--dialect', 'azbridge', '--port', port],
        { stdin: 'hello' },
      );
    const [good, unknown] = await Promise.all([connecting('back'), connecting('nobody')]);
    assert.deepEqual([good.status, good.stdout, good.stderr], [0, 'olleh', '']);
    assert.deepEqual([unknown.status, unknown.stdout], [6, '']);
    assert.match(unknown.stderr, /"nobody"[^]*HCM_LOGICAL_PORT_UNKNOWN/);
  });

  it('for people, say where each leads', async () => {
    const started = forward('--bind', 'back=0');
    await started.answers(' -> localhost/bridge, port back\n');
  });

  it('a sender that speaks raw to them is told so at the listener', async () => {
    const { process: raw, port } = await home.forward('bridge');
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => undefined);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await raw.event('opened');
    const rejected = await listener.event('rejected', ({ reason }) => reason === 'HCM_DIALECT_MISMATCH');
    assert.match(String(rejected['message']), /47 45 54/);
    await raw.interrupt();
  });
});
