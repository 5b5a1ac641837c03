import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Server } from 'node:net';
import { HcmHome, type Line } from './hcm-process.ts';
import { answerReversed, ask, portOf, startServer } from './relay-home.ts';

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

  it('for people, prints the URL and how the same goes with Azure', async () => {
    const dev = home.start(['dev']);
    await dev.answers('Ctrl-C ends all of it.');
    assert.match(dev.stdout, /^ {2}http:\/\/127\.0\.0\.1:\d+\/$/m);
    assert.match(dev.stdout, /hcm listen --connection-string-file \S+ --target/);
    assert.match(dev.stdout, /hcm forward --connection-string-file \S+ --bind/);
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
