// The web server of the manager, asked over real sockets with whatever headers a browser or an attacker may send.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventView, ManagerOperations } from '../../../src/manager/control/operations.ts';
import type { Readiness } from '../../../src/manager/readiness.ts';
import { PAGE_KEY_HEADER } from '../../../src/manager/web/page-key.ts';
import { openWebServer, type WebServer } from '../../../src/manager/web/web-server.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { until } from '../../helpers/until.ts';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

const HOURS = 3_600_000;

describe("the manager's web server", () => {
  let folder: string;
  let clock: FakeClock;
  let server: WebServer;
  let port: number;
  let own: string;
  let readiness: Readiness;
  let metrics: () => Promise<{ type: string; text: string }>;
  const followers = new Set<(event: EventView) => void>();
  const restarted: string[] = [];

  const operations = {
    describe: () => ({ version: '1.2.3' }),
    list: () => [],
    dashboard: () => Promise.resolve({ url: 'a secret', expiresAt: '' }),
    restart: (id: string) => {
      restarted.push(id);
      return Promise.resolve({ id });
    },
    subscribe: (tell: (event: EventView) => void) => {
      followers.add(tell);
      return () => void followers.delete(tell);
    },
  } as unknown as ManagerOperations;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-web-'));
    await mkdir(join(folder, 'dashboard', 'assets'), { recursive: true });
    await writeFile(join(folder, 'dashboard', 'index.html'), '<!doctype html><title>the page</title>');
    await writeFile(join(folder, 'dashboard', 'assets', 'index-B1x_2yZ0.js'), 'hello()');
    await writeFile(join(folder, 'secrets.json'), 'the secret');
    clock = new FakeClock();
    readiness = { ready: true, waitingFor: [] };
    metrics = () => Promise.resolve({ type: 'text/plain; version=0.0.4', text: 'up 1\n' });
    restarted.length = 0;
    await open();
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(page = join(folder, 'dashboard')): Promise<void> {
    server = await openWebServer({
      ...{ port: 0, folder: page, operations, clock },
      readiness: () => readiness,
      metrics: () => metrics(),
    });
    own = server.url;
    port = Number(new URL(own).port);
  }

  /** `path` goes out as it is; `host` null: without one. */
  function ask(method: string, path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more: string) => (text += more));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
        response.on('error', reject);
      });
      call.on('error', reject).end();
    });
  }

  const get = (path: string, headers: OutgoingHttpHeaders = {}) => ask('GET', path, headers);

  /** The path of a fresh link. */
  const link = () => server.invite().url.slice(own.length);

  /** What a page sends that was entered by a fresh link: the cookie, which its browser adds, and its key. */
  async function signIn(): Promise<{ cookie: string; [PAGE_KEY_HEADER]: string }> {
    const { headers, text } = await get(link());
    const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    return { cookie, [PAGE_KEY_HEADER]: /data-key="([\w-]{43})"/.exec(text)?.[1] ?? '' };
  }

  const status = async (asked: Promise<Answer>) => (await asked).status;

  it('listens on 127.0.0.1 and on no other address', async () => {
    assert.match(own, /^http:\/\/127\.0\.0\.1:\d+$/);
    for (const host of ['127.0.0.2', '::1']) {
      const socket = connect({ host, port });
      const code = await new Promise((resolve) => {
        socket.once('connect', () => resolve('connected'));
        socket.once('error', ({ code: why }: NodeJS.ErrnoException) => resolve(why));
      });
      socket.destroy();
      assert.notEqual(code, 'connected', host);
    }
  });

  it('health and metrics need no sign-in', async () => {
    assert.deepEqual((await get('/healthz')).text, 'ok\n');
    const ready = await get('/readyz');
    assert.deepEqual([ready.status, JSON.parse(ready.text)], [200, { ready: true, waitingFor: [] }]);
    readiness = { ready: false, waitingFor: [{ id: 'listen a/b', state: 'waiting' }] };
    const notReady = await get('/readyz');
    assert.deepEqual([notReady.status, JSON.parse(notReady.text)], [503, readiness]);
    const { headers, text } = await get('/metrics');
    assert.deepEqual([headers['content-type'], text], ['text/plain; version=0.0.4', 'up 1\n']);
    assert.equal(await status(ask('POST', '/healthz', { origin: own })), 405);
    assert.equal((await ask('HEAD', '/healthz')).text, '');
  });

  it('says so when it cannot answer, and lives on', async () => {
    metrics = () => Promise.reject(new Error('at /home/me/file.js:1'));
    const { status: given, text } = await get('/metrics');
    assert.deepEqual([given, text], [500, 'The manager could not answer this.\n']);
    assert.equal(await status(get('/healthz')), 200);
  });

  it('swaps the code for a cookie and a key, and leads on to an address that has neither', async () => {
    const { status: code, headers, text } = await get(link());
    assert.deepEqual([code, headers.location, headers['cache-control']], [200, undefined, 'no-store']);
    const [cookie = ''] = headers['set-cookie'] ?? [];
    assert.match(cookie, new RegExp(`^hcm-session-${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`));
    assert.match(text, /<a id="on" href="\/" data-key="[\w-]{43}">/);
    assert.ok(!text.includes(cookie.split(/[=;]/)[1] ?? ''));
    const page = await get('/', { cookie: cookie.split(';')[0] });
    assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8']);
    assert.match(page.text, /the page/);
  });

  it('the API is for those with both halves of one session', async () => {
    const [first, second] = [await signIn(), await signIn()];
    const halves: [string, OutgoingHttpHeaders][] = [
      ['the cookie alone', { cookie: first.cookie }],
      ['the key alone', { [PAGE_KEY_HEADER]: first[PAGE_KEY_HEADER] }],
      ['the key of another session', { ...first, [PAGE_KEY_HEADER]: second[PAGE_KEY_HEADER] }],
      ['a key that is cut', { ...first, [PAGE_KEY_HEADER]: first[PAGE_KEY_HEADER].slice(1) }],
      ['an empty key', { ...first, [PAGE_KEY_HEADER]: '' }],
      ['the cookie as the key', { ...first, [PAGE_KEY_HEADER]: first.cookie.split('=')[1] }],
      ['the key in a cookie', { cookie: `${first.cookie}; ${PAGE_KEY_HEADER}=${first[PAGE_KEY_HEADER]}` }],
    ];
    for (const [what, headers] of halves) {
      for (const path of [
        '/v1/manager',
        '/v1/events',
        `/v1/manager?${PAGE_KEY_HEADER}=${first[PAGE_KEY_HEADER]}`,
      ]) {
        const { status: given, text } = await get(path, headers);
        const { error } = JSON.parse(text) as { error: { code: string; details: object } };
        assert.deepEqual([given, error.code], [401, 'HCM_SIGN_IN_REQUIRED'], `${what} ${path}`);
        assert.deepEqual(error.details, { next: 'hcm dashboard' });
      }
      const path = '/v1/connections/a/restart';
      assert.equal(await status(ask('POST', path, { ...headers, origin: own })), 401, what);
    }
    assert.deepEqual(restarted, []);
    for (const both of [first, second, { ...first, cookie: `${second.cookie}; ${first.cookie}` }])
      assert.equal(await status(get('/v1/manager', both)), 200);
  });

  it('answers nothing else with the key', async () => {
    const both = await signIn();
    for (const path of ['/', '/entry.js', '/assets/index-B1x_2yZ0.js', '/v1/manager', '/v1/none', '/none']) {
      const { headers, text } = await get(path, both);
      assert.ok(!(JSON.stringify(headers) + text).includes(both[PAGE_KEY_HEADER]), path);
    }
  });

  it('a code that is missing, wrong, used or too old is a page that says how to get one', async () => {
    const used = link();
    await get(used);
    const old = link();
    clock.advance(60_000);
    for (const path of ['/', '/?code=', '/?code=wrong', used, old, `${link()}x`, '/?code=%', '/?x=1']) {
      const { status: code, headers, text } = await get(path);
      assert.equal(code, 403, path);
      assert.match(text, /<code>hcm dashboard<\/code>/, path);
      assert.equal(headers['set-cookie'], undefined, path);
    }
  });

  it('neither a HEAD nor another path uses the code up, and wrong ones lock nobody out', async () => {
    const path = link();
    await ask('HEAD', path);
    await get(`/index.html${path.slice(1)}`);
    for (let count = 0; count < 200; count += 1) await get(`/?code=wrong-${count}`);
    assert.equal(await status(get(path)), 200);
  });

  it('the page, its files and the API are for those with a cookie', async () => {
    const both = await signIn();
    const { cookie, ...key } = both;
    const [, secret = ''] = cookie.split('=');
    const foreign: [string, OutgoingHttpHeaders][] = [
      ['missing', {}],
      ['of another port', { cookie: `hcm-session-${port + 1}=${secret}` }],
      ['made up', { cookie: `hcm-session-${port}=${'A'.repeat(43)}` }],
      ['empty', { cookie: `hcm-session-${port}=` }],
      ['cut', { cookie: cookie.slice(0, -1) }],
      ['a code', { cookie: `hcm-session-${port}=${server.invite().url.split('=')[1]}` }],
    ];
    for (const path of [
      '/',
      '/index.html',
      '/assets/index-B1x_2yZ0.js',
      '/none',
      '/v1/manager',
      '/v1/events',
    ])
      for (const [what, headers] of foreign)
        assert.equal(
          await status(get(path, { ...key, ...headers })),
          path.startsWith('/v1') ? 401 : 403,
          `${what} ${path}`,
        );
    for (const path of ['/', '/assets/index-B1x_2yZ0.js'])
      assert.equal(await status(get(path, { cookie })), 200, path);
    assert.equal(await status(get('/v1/manager', both)), 200);
  });

  it('a cookie of our name that somebody has put beside ours shuts nobody out', async () => {
    const signedIn = await signIn();
    const cookie = `hcm-session-${port}=${'A'.repeat(43)}; other=1; ${signedIn.cookie}`;
    assert.equal(await status(get('/v1/manager', { ...signedIn, cookie })), 200);
  });

  it('however many cookies the other servers of the machine have set, nobody is shut out', async () => {
    const signedIn = await signIn();
    const others = Array.from({ length: 10 }, (_, at) => `.AspNetCore.CookiesC${at}=${'A'.repeat(4_000)}; `);
    const cookie = others.join('') + signedIn.cookie;
    assert.equal(await status(get('/v1/manager', { ...signedIn, cookie })), 200);
  });

  it('a session ends after twelve hours, and whoever follows is cut then', async () => {
    const both = await signIn();
    const following = get('/v1/events', both);
    await until(() => followers.size === 1);
    clock.advance(12 * HOURS - 1);
    assert.equal(await status(get('/v1/manager', both)), 200);
    clock.advance(1);
    await assert.rejects(following, /aborted|ECONNRESET/);
    await until(() => followers.size === 0);
    assert.equal(await status(get('/v1/manager', both)), 401);
  });

  describe('whatever is asked for', () => {
    const ROUTES = [
      ['GET', '/'],
      ['GET', '/?code=CODE'],
      ['GET', '/assets/index-B1x_2yZ0.js'],
      ['GET', '/entry.js'],
      ['GET', '/none'],
      ['GET', '/healthz'],
      ['GET', '/readyz'],
      ['GET', '/metrics'],
      ['GET', '/v1/manager'],
      ['GET', '/v1/events'],
      ['POST', '/v1/connections/a/restart'],
      ['DELETE', '/v1/connections/a'],
      ['POST', '/v1/dashboard'],
      ['OPTIONS', '/v1/connections'],
      ['POST', '/'],
    ] as const;
    const FOREIGN: [string, (headers: OutgoingHttpHeaders) => OutgoingHttpHeaders][] = [
      ['a foreign Host', (headers) => ({ ...headers, host: 'evil.example' })],
      ['our Host with another port', (headers) => ({ ...headers, host: '127.0.0.1:1' })],
      ['a foreign Origin', (headers) => ({ ...headers, origin: 'http://evil.example' })],
      ['an Origin of another port', (headers) => ({ ...headers, origin: 'http://127.0.0.1:1' })],
      ['Origin null', (headers) => ({ ...headers, origin: 'null' })],
      ['Sec-Fetch-Site cross-site', (headers) => ({ ...headers, 'sec-fetch-site': 'cross-site' })],
      ['Sec-Fetch-Site same-site', (headers) => ({ ...headers, 'sec-fetch-site': 'same-site' })],
    ];
    for (const [method, path] of ROUTES) {
      for (const [what, change] of FOREIGN) {
        it(`${method} ${path} with ${what} is refused, signed in or not`, async () => {
          const code = link();
          const both = await signIn();
          const {
            status: given,
            headers,
            text,
          } = await ask(method, path.replace('/?code=CODE', code), change({ ...both, origin: own }));
          assert.equal(given, 403);
          assert.equal(headers['set-cookie'], undefined);
          assert.equal(headers['access-control-allow-origin'], undefined);
          assert.doesNotMatch(text, /evil|the page|1\.2\.3/);
          assert.equal(await status(get(code)), 200, 'the code is still good');
          assert.deepEqual(restarted, []);
        });
      }
      it(`${method} ${path} is answered with headers that keep other pages out`, async () => {
        const { headers } = await ask(method, path, { origin: own });
        const policy = String(headers['content-security-policy']);
        assert.match(policy, /default-src 'self'/);
        assert.match(policy, /frame-ancestors 'none'/);
        assert.doesNotMatch(policy, /unsafe|https?:|\*/);
        assert.deepEqual(
          [
            headers['x-content-type-options'],
            headers['referrer-policy'],
            headers['cross-origin-opener-policy'],
            headers['cross-origin-resource-policy'],
          ],
          ['nosniff', 'no-referrer', 'same-origin', 'same-origin'],
        );
      });
    }
  });

  it('what changes something needs the Origin of the page', async () => {
    const both = await signIn();
    const path = '/v1/connections/listen%20a%2Fb/restart';
    assert.equal(await status(ask('POST', path, both)), 403);
    assert.equal(await status(ask('POST', path, { ...both, 'sec-fetch-site': 'same-origin' })), 403);
    assert.deepEqual(restarted, []);
    assert.equal(await status(ask('POST', path, { ...both, origin: own })), 200);
    assert.deepEqual(restarted, ['listen a/b']);
    const byName = { ...both, host: `localhost:${port}`, origin: `http://localhost:${port}` };
    assert.equal(await status(ask('POST', path, byName)), 200);
  });

  it('gives out no link: that is for the control socket, however it is written', async () => {
    const both = await signIn();
    for (const path of ['/v1/dashboard', '/v1//dashboard', '/v1/%64ashboard', '/v1/x/../dashboard']) {
      const { status: given, text } = await ask('POST', path, { ...both, origin: own });
      assert.deepEqual([given, text.includes('a secret')], [404, false], path);
    }
  });

  it('leads out of the folder of the page by no path', async () => {
    const both = await signIn();
    for (const path of [
      '/../secrets.json',
      '/assets/../../secrets.json',
      '/..%2fsecrets.json',
      '/%2e%2e/secrets.json',
      '/..\\secrets.json',
      '//secrets.json',
      `/${join(folder, 'secrets.json')}`,
      'http://127.0.0.1/../secrets.json',
      '*',
    ]) {
      const { status: given, text } = await get(path, both);
      assert.deepEqual([given, text.includes('the secret')], [404, false], path);
    }
  });

  it('lets a browser keep what never changes, and ask for the rest', async () => {
    const both = await signIn();
    const page = await get('/', both);
    assert.equal(page.headers['cache-control'], 'no-cache');
    const again = await get('/', { ...both, 'if-none-match': page.headers.etag });
    assert.deepEqual([again.status, again.text], [304, '']);
    const script = await get('/assets/index-B1x_2yZ0.js', both);
    assert.equal(script.headers['cache-control'], 'private, max-age=31536000, immutable');
    assert.equal((await get('/v1/manager', both)).headers['cache-control'], 'no-store');
    assert.equal((await get('/')).headers['cache-control'], 'no-store');
  });

  it('says what is missing where the page was not built', async () => {
    await server.close();
    await open(join(folder, 'nothing'));
    const { status: given, text } = await get('/', await signIn());
    assert.equal(given, 503);
    assert.match(text, /npm run build/);
  });

  it('takes neither long headers nor what is no HTTP, and lives on', async () => {
    assert.equal(await status(get('/healthz', { 'x-long': 'x'.repeat(66_000) })), 431);
    assert.match(await raw('GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await raw('GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 403 /);
    assert.match(await raw('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.equal(await status(get('/healthz')), 200);
  });

  /** What comes back for these bytes, until the other end closes. */
  function raw(text: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket: Socket = connect({ host: '127.0.0.1', port }, () => socket.write(text));
      socket.setEncoding('utf8').on('data', (more: string) => (answer += more));
      socket.on('error', () => undefined).on('close', () => resolve(answer));
    });
  }

  it('tells whoever sends too much, and does not cut him off', async () => {
    const both = await signIn();
    const half = `Host: 127.0.0.1:${port}\r\nOrigin: ${own}\r\nCookie: ${both.cookie}\r\nHcm-Page-Key: ${both[PAGE_KEY_HEADER]}\r\n`;
    const size = 2 * 1024 * 1024;
    const large = `POST /v1/connections HTTP/1.1\r\n${half}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`;
    const answers = await raw(`${large}GET /v1/manager HTTP/1.1\r\n${half}Connection: close\r\n\r\n`);
    assert.match(answers, /^HTTP\/1\.1 400 [^]*The request is too large\.[^]*HTTP\/1\.1 200 [^]*1\.2\.3/);
  });

  it('takes so many connections at a time, and more when some have gone', async () => {
    const sockets = Array.from({ length: 140 }, () => connect({ host: '127.0.0.1', port }));
    let closed = 0;
    for (const socket of sockets) socket.on('error', () => undefined).on('close', () => (closed += 1));
    await until(() => closed === 12);
    for (const socket of sockets) socket.destroy();
    await until(() => closed === 140);
    assert.equal(await status(get('/healthz')), 200);
  });

  it('a page that is signed in goes on while strangers fill the server', async () => {
    const both = await signIn();
    const following = get('/v1/events', both);
    await until(() => followers.size === 1);
    const strangers = Array.from({ length: 200 }, () => connect({ host: '127.0.0.1', port }));
    let closed = 0;
    for (const socket of strangers) socket.on('error', () => undefined).on('close', () => (closed += 1));
    await until(() => closed === 200 + 1 - 128);
    assert.equal(await status(get('/v1/manager', both)), 200);
    assert.equal(await status(get('/healthz')), 200, 'and for whoever asks at once');
    assert.equal(followers.size, 1);
    for (const socket of strangers) socket.destroy();
    await server.close();
    await assert.rejects(following, /aborted|ECONNRESET/);
  });

  it('of strangers, the one goes that was silent longest', async () => {
    const gone: Socket[] = [];
    const sockets = Array.from({ length: 128 }, () => connect({ host: '127.0.0.1', port }));
    for (const socket of sockets) socket.on('close', () => gone.push(socket));
    const [asks] = sockets;
    const answered = new Promise((resolve) => asks?.once('data', resolve));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    asks?.write(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await answered;
    const more = connect({ host: '127.0.0.1', port });
    await until(() => gone.length === 1);
    assert.equal(gone[0], sockets[1]);
    for (const socket of [...sockets, more]) socket.destroy();
  });

  it('a connection with a session is cut for nobody, not even for another one', async () => {
    const both = await signIn();
    const call = `GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${both.cookie}\r\nHcm-Page-Key: ${both[PAGE_KEY_HEADER]}\r\n\r\n`;
    const answers = Array.from({ length: 128 }, () => raw(call));
    await until(() => followers.size === 128);
    await assert.rejects(get('/v1/manager', both), { code: 'ECONNRESET' });
    assert.equal(followers.size, 128);
    await server.close();
    await Promise.all(answers);
  });

  it('who has the cookie alone has no place of its own', async () => {
    const both = await signIn();
    const call = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${both.cookie}\r\n\r\n`;
    const sockets = Array.from({ length: 128 }, () => connect({ host: '127.0.0.1', port }));
    let answered = 0;
    for (const socket of sockets) socket.once('data', () => (answered += 1)).write(call);
    await until(() => answered === 128);
    assert.equal(await status(get('/v1/manager', both)), 200);
    for (const socket of sockets) socket.destroy();
  });

  it('cuts everybody when it closes, and leaves no timer', async () => {
    const both = await signIn();
    server.invite();
    const following = get('/v1/events', both);
    await until(() => followers.size === 1);
    const cut = assert.rejects(following, /aborted|ECONNRESET/);
    await server.close();
    await cut;
    await until(() => followers.size === 0);
    assert.equal(clock.timers, 0);
    await assert.rejects(get('/healthz'), { code: 'ECONNREFUSED' });
  });

  it('a port that somebody has is an error that says what to do', async () => {
    const options = {
      folder,
      operations,
      clock,
      readiness: () => readiness,
      metrics: () => Promise.resolve({ type: '', text: '' }),
    };
    await assert.rejects(openWebServer({ ...options, port }), {
      code: 'HCM_BIND_FAILED',
      message: `The manager cannot open its web server at 127.0.0.1:${port}: another program has it.`,
      details: {
        bind: `127.0.0.1:${port}`,
        cause: 'EADDRINUSE',
        next: '--http-port 0 takes any free port, --no-http none',
      },
    });
  });
});
