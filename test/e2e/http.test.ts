// HTTP through the relay as people use it: `hcm listen --target http://…` on one side, `hcm forward --http`, or any client
// with `hcm token`, on the other.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { portOf, RelayHome } from './relay-home.ts';
import { answerTo, ask, got } from '../helpers/http-relay.ts';

describe('hcm forward --http', () => {
  const home = new RelayHome();
  let app: Server;
  const held: (() => void)[] = [];

  before(async () => {
    app = createServer((request, response) => {
      if (request.url === '/hold') return void held.push(() => response.end('at last'));
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(200, { Location: '/next', 'Set-Cookie': ['a=1', 'b=2'], 'X-Target': request.url });
        response.end(Buffer.concat(chunks).reverse());
      });
    });
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    await home.startEmulator('web', 'lonely');
    const listener = home.start([
      ...['listen', '--connection-string-file', 'web-listen.txt', '--json'],
      ...['--target', `http://127.0.0.1:${portOf(app)}/`],
    ]);
    await listener.event('online');
  });
  after(async () => {
    app.close();
    await home.remove();
  });

  const forward = async (...args: string[]) => {
    const file = args.includes('--connection-string-file')
      ? []
      : ['--connection-string-file', 'web-send.txt'];
    const process = home.start(['forward', '--http', '--json', ...file, ...args]);
    const { url } = await process.event('ready');
    return { process, url: String(url) };
  };

  it('says its URL, and each request with what became of it', async () => {
    const { process, url } = await forward();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const answer = await got(`${url}a/b?c`, { method: 'POST', body: 'abc' });
    assert.equal(answer.body.toString(), 'cba');
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.deepEqual([answer.headers.location, answer.headers['x-target']], ['/next', '/a/b?c']);
    const { connection, method, path, status, bytesIn, bytesOut } = await process.event('request');
    assert.deepEqual(
      [connection, method, path, status, bytesIn, bytesOut],
      ['localhost/web', 'POST', '/a/b', 200, 3, 3],
    );
    const { status: exit, stdout, stderr } = await process.interrupt();
    assert.deepEqual([exit, stderr], [0, '']);
    assert.ok(!/sig=|SharedAccessSignature/.test(stdout));
  });

  it('tells people the URL on stdout, and the requests as a web server does', async () => {
    const process = home.start(['forward', '--http', '--connection-string-file', 'web-send.txt']);
    await process.answers('-> localhost/web');
    const url =
      /^(http:\/\/127\.0\.0\.1:\d+\/) -> localhost\/web\n$/.exec(process.stdout)?.[1] ?? assert.fail();
    await got(`${url}page?secret=1`);
    await process.says('GET /page 200');
    assert.ok(!process.stderr.includes('secret'));
    assert.equal((await process.interrupt()).status, 0);
  });

  it('keeps the path with --keep-path', async () => {
    const { process, url } = await forward('--keep-path');
    assert.equal((await got(`${url}web/x`)).headers['x-target'], '/x');
    await process.interrupt();
  });

  it('gives the URL to COMMAND, and is up as long as it runs', async () => {
    const script = `fetch(process.env.HCM_URL + 'x', {method: 'POST', body: '12'}).then((r) => r.text()).then((t) => { console.log(t, process.env.HCM_URL_WEB === process.env.HCM_URL); process.exitCode = 7; })`;
    const { status, stdout } = await home.run([
      ...['forward', '--http', '--connection-string-file', 'web-send.txt'],
      ...['--', process.execPath, '-e', script],
    ]);
    assert.deepEqual([status, stdout], [7, '21 true\n']);
  });

  it('lets a request come to its end when it is stopped', async () => {
    const { process, url } = await forward();
    const asked = answerTo(ask(`${url}hold`).end());
    await once(app, 'request');
    process.kill('SIGTERM');
    // The port is closed to others before the one that runs has ended.
    for (;;) {
      const refused = await got(url).then(
        () => false,
        () => true,
      );
      if (refused) break;
    }
    for (const finish of held.splice(0)) finish();
    assert.equal((await asked).body.toString(), 'at last');
    assert.equal((await process.ended).status, 0);
  });

  it('goes on when there is no listener yet, and ends when its key is wrong', async () => {
    const lonely = await forward('--connection-string-file', 'lonely-send.txt');
    const { status, body } = await got(lonely.url);
    assert.equal(status, 404);
    assert.match(body.toString(), /no listeners/);
    const refused = await lonely.process.event('refused');
    assert.equal(refused['reason'], 'HCM_NO_LISTENER');
    await lonely.process.interrupt();
    const listening = await forward('--connection-string-file', 'web-listen.txt');
    assert.equal((await got(listening.url)).status, 403);
    const ended = await listening.process.ended;
    assert.equal(ended.status, 3);
    const error = listening.process.lines.at(-1)?.['error'] as { code: string };
    assert.equal(error.code, 'HCM_RIGHT_MISSING');
  });

  it('answers for names of this machine alone', async () => {
    const { process, url } = await forward();
    assert.equal((await got(url, { headers: { Host: 'evil.example' } })).status, 421);
    assert.equal((await got(url, { headers: { Host: 'localhost' } })).status, 200);
    await process.interrupt();
  });

  it('goes with raw streams beside it, and not with --app', async () => {
    const raw = await home.forward('web');
    const answer = await got(`http://127.0.0.1:${raw.port}/direct`);
    assert.equal(answer.headers['x-target'], '/direct');
    await raw.process.interrupt();
    for (const args of [
      ['--http', '--app', 'x'],
      ['--keep-path', 'ns/web'],
      ['--http', '--dialect', 'azbridge', 'ns/web', '--bind', 'a=1'],
    ]) {
      const { status, stderr } = await home.run(['forward', ...args]);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, /HCM_USAGE/);
    }
  });

  it('is what curl does by itself with a token', async () => {
    const { caFile, endpoint } = home.ready as unknown as Record<string, string>;
    const { stdout } = await home.run(['token', '--connection-string-file', 'web-send.txt', '--json']);
    const { token, header, url } = JSON.parse(stdout) as Record<string, string>;
    assert.ok(endpoint?.includes(new URL(url ?? '').host));
    const { request } = await import('node:https');
    const { readFileSync } = await import('node:fs');
    const asked = request(`${url}/by/hand`, {
      headers: { [header ?? '']: token },
      ca: readFileSync(caFile ?? ''),
      agent: false,
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    assert.deepEqual([answer.statusCode, answer.headers['x-target']], [200, '/by/hand']);
    answer.resume();
  });
});
