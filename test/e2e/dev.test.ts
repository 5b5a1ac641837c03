import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Server } from 'node:net';
import { HcmHome, type HcmProcess, type Line } from './hcm-process.ts';
import { answerReversed, ask, client, portOf, startServer } from './relay-home.ts';

/** Unix sockets are no part of Windows: there the test is not defined. */
const onUnix = process.platform === 'win32' ? () => undefined : it;

describe('hcm dev', () => {
  let home: HcmHome;
  let target: Server | undefined;
  beforeEach(() => (home = new HcmHome()));
  afterEach(async () => {
    target?.close();
    target = undefined;
    await home.remove();
  });

  it('is ready when the whole path works; its URL shows the way that the request took', async () => {
    const dev = home.start(['dev', '--json']);
    const ready = await dev.event('ready');
    assert.equal(dev.lines[0]?.event, 'ready');
    const {
      url,
      bind,
      target: sample,
      emulator,
    } = ready as Line & Record<'url' | 'bind' | 'target', string> & { emulator: Line };
    assert.equal(url, `http://${bind}/`);
    assert.equal(emulator.event, 'ready');
    const text = await get(url, 'text/plain');
    for (const station of [bind, String(emulator['endpoint']).replace(/^sb:\/\/|\/$/g, ''), sample]) {
      assert.ok(text.includes(station), text);
    }
    assert.match(await get(url, 'text/html'), /<h1>It works/);
    assert.equal((await dev.interrupt()).status, 0);
    await assert.rejects(get(url, 'text/plain'));
  });

  it('leads to --target, and others can join with the strings of its emulator', async () => {
    target = await startServer(answerReversed);
    const dev = home.start(['dev', '--target', `127.0.0.1:${portOf(target)}`, '--json']);
    const ready = (await dev.event('ready')) as Line & {
      emulator: { connections: { senderConnectionString: string }[] };
    };
    assert.equal(String(await ask(Number(String(ready['bind']).split(':')[1]), 'abc')), 'cba');
    const env = { HCM_CONNECTION_STRING: ready.emulator.connections[0]?.senderConnectionString ?? '' };
    const other = home.start(['forward', '--json'], env);
    const { bind } = await other.event('ready');
    assert.equal(String(await ask(Number(String(bind).split(':')[1]), 'xyz')), 'zyx');
  });

  it('a target that is not there is status 6 before anything is called ready', async () => {
    const { status, stdout } = await home.run(['dev', '--target', '127.0.0.1:1', '--json']);
    const { event, error } = JSON.parse(stdout) as { event: string; error: Line };
    assert.deepEqual([status, event, error['code']], [6, 'error', 'HCM_TARGET_REFUSED']);
  });

  it('with --target, the address is the answer and a URL only a hint: not every target speaks HTTP', async () => {
    target = await startServer(answerReversed);
    const dev = home.start(['dev', '--target', `127.0.0.1:${portOf(target)}`]);
    await dev.answers('Ctrl-C ends all of it.');
    assert.match(dev.stdout, /^ {2}127\.0\.0\.1:\d+$/m);
    assert.match(dev.stdout, /if the target speaks HTTP: curl http:\/\/127\.0\.0\.1:\d+\/$/m);
  });

  onUnix('on a Unix socket, says how curl asks it', async () => {
    const dev = home.start(['dev', '--bind', `unix:${home.path('dev.sock')}`]);
    await dev.answers('Ctrl-C ends all of it.');
    assert.ok(
      dev.stdout.includes(`curl --unix-socket ${home.path('dev.sock')} http://localhost/\n`),
      dev.stdout,
    );
  });

  it('warns when others can reach it', async () => {
    const dev = home.start(['dev', '--bind', '0.0.0.0:0', '--json']);
    await dev.event('ready');
    assert.match(dev.stderr, /^Warning: whoever reaches 0\.0\.0\.0:0 can use this tunnel$/m);
  });

  it('Ctrl-C while it starts is status 0, without an error', async () => {
    for (const wait of [
      (dev: HcmProcess) => dev.says('connecting to localhost/demo'),
      (dev: HcmProcess) => dev.says('online'),
      (dev: HcmProcess) => dev.says('opening'),
    ]) {
      const dev = home.start(['dev', '--verbose', '--grace-period', '1h']);
      await wait(dev);
      const { status, stderr } = await dev.interrupt();
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /Error|HCM_USAGE/);
    }
  });

  it('a second Ctrl-C stops now: 130', async () => {
    target = await startServer((socket) => socket.resume());
    const dev = home.start(['dev', '--target', `127.0.0.1:${portOf(target)}`, '--grace-period', '1h']);
    await dev.answers('Ctrl-C ends all of it.');
    const port = Number(/^ {2}127\.0\.0\.1:(\d+)$/m.exec(dev.stdout)?.[1]);
    const socket = await client(port);
    socket.on('error', () => undefined);
    await dev.says('open after');
    dev.kill('SIGINT');
    await dev.says('Stopping: ');
    assert.equal((await dev.interrupt()).status, 130);
  });

  it('tells nothing of its own probe, also of a target that keeps it open', async () => {
    target = await startServer((socket) =>
      socket.resume().once('close', () => (target as Server).emit('probed')),
    );
    const probed = once(target, 'probed');
    const dev = home.start(['dev', '--target', `127.0.0.1:${portOf(target)}`, '--json']);
    await dev.event('ready');
    await probed;
    assert.equal((await dev.interrupt()).status, 0);
    assert.deepEqual(
      dev.lines.filter((line) => 'stream' in line),
      [],
    );
  });

  it('for people, prints the URL and how the same goes with Azure', async () => {
    const dev = home.start(['dev']);
    await dev.answers('Ctrl-C ends all of it.');
    assert.match(dev.stdout, /^ {2}http:\/\/127\.0\.0\.1:\d+\/$/m);
    const [, bind] = /^ {2}http:\/\/(\S+)\/$/m.exec(dev.stdout) ?? [];
    assert.deepEqual(dev.stdout.match(/(?<=^ {5})hcm .*$/gm), [
      'hcm login',
      'hcm namespace create NAMESPACE --resource-group GROUP --location REGION',
      'hcm connection create NAMESPACE/demo --target HOST:PORT',
      'hcm listen NAMESPACE/demo',
      `hcm forward NAMESPACE/demo --bind ${bind}`,
    ]);
    const { status, stderr } = await dev.interrupt();
    assert.deepEqual([status, stderr.includes('Error')], [0, false]);
  });
});

function get(url: string, accept: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { accept } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve(text)).once('error', reject);
    });
    asked.once('error', reject).end();
  });
}
