// One run of everything that the manager can tell, with secrets that are known, and then a look for each of them, in
// whatever spelling, in all that was told: outputs, logs, answers, bundle, files, and what its children were given.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { PAGE_KEY_HEADER } from '../../src/manager/web/page-key.ts';
import { programFile, type Ended, type HcmProcess } from '../e2e/hcm-process.ts';
import { portOf, RelayHome } from '../e2e/relay-home.ts';
import { TestProxy } from '../helpers/proxies.ts';
import { pollUntil } from './servers/process.ts';

const WRONG_KEY = Buffer.alloc(32, 'wrong key ').toString('base64');
const PROXY_PASSWORD = 'pr0xy-p4ssw0rd-of-hcm';
const OTHER_PASSWORD = 'an0ther-p4ssw0rd-of-hcm';
const BASIC = Buffer.from('alice:b4sic-p4ssw0rd').toString('base64');
const BEARER = 'b3arer-t0ken-of-a-request-0123456789';
const COOKIE = 'c00kie-of-a-request-0123456789';
const QUERY = 'qu3ry-of-a-request-0123456789';
const BODY = 'b0dy-of-a-request-0123456789';
/** Each one notes what every user of the machine may read of it, and what this user may. */
const childScript = (log: string) => `#!/bin/sh
{ echo "child $0"; tr '\\0' ' ' < /proc/$$/cmdline; echo; tr '\\0' '\\n' < /proc/$$/environ; } >> "${log}"
`;

describe('no secret', function () {
  const home = new RelayHome();
  const state = home.path('state/hcm/manager');
  const children = home.path('children.txt');
  /** By where it was told. */
  const told = new Map<string, string>();
  const secrets = new Map<string, string>();
  const processes: [string, HcmProcess][] = [];
  let app: Server;
  let proxy: TestProxy;
  let manager: HcmProcess;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    app = createServer((request, response) => {
      request.resume().on('end', () => response.end('from the app'));
    }).listen(0, '127.0.0.1');
    await once(app, 'listening');
    const named = ['db', 'web', 'file', 'wrong'].flatMap((name) => [
      '--connection',
      `${name}=127.0.0.1:${portOf(app)}`,
    ]);
    home.emulator = home.start([
      ...['emulator', 'start', '--port', '0', '--ephemeral', '--register', '--json'],
      ...named,
    ]);
    home.ready = await home.emulator.event('ready');
    for (const { name, listenerConnectionString: listen, senderConnectionString: send } of home.connections) {
      writeFileSync(home.path(`${name}-listen.txt`), listen, { mode: 0o600 });
      writeFileSync(home.path(`${name}-send.txt`), send, { mode: 0o600 });
      secrets.set(`the listener's key of ${name}`, keyOf(listen));
      secrets.set(`the sender's key of ${name}`, keyOf(send));
    }
    proxy = await TestProxy.start('http', {
      toPort: Number(/:(\d+)\//.exec(String(home.ready['endpoint']))?.[1]),
      ...{ username: 'hcm', password: PROXY_PASSWORD },
    });
    for (const [name, secret] of Object.entries({ WRONG_KEY, PROXY_PASSWORD, OTHER_PASSWORD, BASIC, BEARER }))
      secrets.set(name, secret);
    for (const [name, secret] of Object.entries({ COOKIE, QUERY, BODY })) secrets.set(name, secret);
    const programs = home.path('programs');
    mkdirSync(programs);
    for (const name of ['systemd-notify', 'xdg-open']) {
      writeFileSync(join(programs, name), childScript(children));
      chmodSync(join(programs, name), 0o755);
    }
    const { port } = proxy.address();
    env = {
      ...{ PATH: `${programs}:${process.env['PATH']}`, DISPLAY: ':0' },
      ...{ HCM_PROXY: `http://hcm@127.0.0.1:${port}`, HCM_PROXY_PASSWORD: PROXY_PASSWORD },
      ...{ NOTIFY_SOCKET: home.path('notify.sock'), DB_SEND: stringOf('db', 'send') },
    };
    writeFileSync(home.path('hcm.yaml'), declared());
  });
  after(async () => {
    app.close();
    await proxy.stop();
    await home.remove();
  });

  const stringOf = (name: string, side: 'listen' | 'send') =>
    readFileSync(home.path(`${name}-${side}.txt`), 'utf8');

  const declared = () =>
    [
      'manager:',
      '  listeners:',
      '    - {connection: localhost/file, connectionStringFile: file-listen.txt, target: "127.0.0.1:1"}',
      '  forwards:',
      '    - {connection: localhost/db, connectionString: "${DB_SEND}", bind: "127.0.0.1:0"}',
      '',
    ].join('\n');

  function note(where: string, ...texts: string[]): void {
    told.set(where, [told.get(where) ?? '', ...texts].join('\n'));
  }

  async function run(
    args: string[],
    options: { env?: NodeJS.ProcessEnv; stdin?: string } = {},
  ): Promise<Ended> {
    const ended = await home.run(args, { ...options, env: { ...env, ...options.env } });
    note(`hcm ${args.slice(0, 2).join(' ').slice(0, 40)}`, ended.stdout, ended.stderr);
    return ended;
  }

  async function start(name: string, args: string[], more: NodeJS.ProcessEnv = {}): Promise<HcmProcess> {
    const started = home.start(args, { ...env, ...more });
    processes.push([name, started]);
    await started.event('ready');
    return started;
  }

  it('is kept from the run: everything is asked for, and much of it fails', async function () {
    this.timeout(170_000);
    manager = await start('the manager', ['service', 'run', '--file', 'hcm.yaml', '--verbose', '--json']);
    // With another password the proxy lets nobody through.
    const shut = await start('a manager behind a shut proxy', ['service', 'run', '--json'], {
      ...{ HCM_STATE_DIR: home.path('shut'), HCM_PROXY_PASSWORD: OTHER_PASSWORD, NOTIFY_SOCKET: undefined },
    });
    const isShut = { HCM_STATE_DIR: home.path('shut') };
    await run(['add', '--connection-string-file', 'db-listen.txt', '--target', 'db:1'], { env: isShut });
    await shut.event('state', ({ state: name }) => name === 'waiting');
    for (const verb of ['list', 'status', 'logs']) await run([verb, '--json'], { env: isShut });
    await shut.interrupt();

    const web = `http://127.0.0.1:${portOf(app)}/base`;
    await run(['add', '--connection-string-file', 'db-listen.txt']);
    await run(['add', '--connection-string-file', '-', '--target', web, '--json'], {
      stdin: stringOf('web', 'listen'),
    });
    await run(['add', '--http', '--bind', '127.0.0.1:0', '--json'], {
      env: { HCM_CONNECTION_STRING: stringOf('web', 'send') },
    });
    const wrong = stringOf('wrong', 'listen').replace(/(SharedAccessKey=)[^;]*/, `$1${WRONG_KEY}`);
    await run(['add', '-', '--target', 'db:1', '--json'], { stdin: wrong });
    await run(['add', wrong, '--target', 'db:1']);
    for (const bad of [
      wrong.replace('Endpoint=', 'Endpont='),
      `${wrong};SharedAccessKey=${WRONG_KEY}`,
      wrong.replace('sb://localhost', 'sb://nobody.invalid'),
      `${wrong};Password=${WRONG_KEY}`,
      wrong.replaceAll(';', '\n'),
    ])
      for (const json of [[], ['--json']])
        await run(['add', '-', '--target', 'db:1', ...json], { stdin: bad });
    await run(['add', 'localhost/nothing', '--target', `http://user:${BODY}@db:1`, '--json']);
    await run(['add', 'localhost/nothing', '--target', 'metadata.invalid:80', '--allow', 'db:1', '--json']);
    await manager.event(
      'state',
      ({ id, state: name }) => id === 'listen localhost/wrong' && name === 'waiting',
    );
    await manager.event('state', ({ id, state: name }) => id === 'listen localhost/web' && name === 'online');

    const shown = JSON.parse(
      (await run(['show', 'localhost/web', '--role', 'forward', '--json'])).stdout,
    ) as {
      binds: string[];
    };
    const answer = await fetch(`http://${shown.binds[0]}/a/b?token=${QUERY}&sig=${QUERY}`, {
      method: 'POST',
      body: BODY,
      headers: {
        authorization: `Bearer ${BEARER}`,
        cookie: `session=${COOKIE}`,
        'x-basic': `Basic ${BASIC}`,
      },
    });
    assert.equal(await answer.text(), 'from the app');
    const file = await run(['show', 'localhost/db', '--role', 'forward', '--json']);
    const [bind = ''] = (JSON.parse(file.stdout) as { binds: string[] }).binds;
    assert.match(await (await fetch(`http://${bind}/`)).text(), /app/);
    writeFileSync(home.path('hcm.yaml'), `manager: {listeners: [{connectionString: "${wrong}"}]}\n`);
    await manager.event('problem');
    writeFileSync(home.path('hcm.yaml'), declared());

    for (const args of [
      ['list'],
      ['status'],
      ['logs', '--lines', '10000'],
      ['export', 'manager'],
      ['service', 'status'],
      ['show', 'localhost/wrong'],
      ['show', 'localhost/file'],
      ['restart', 'localhost/wrong'],
      ['test', 'localhost/wrong'],
      ['test', 'localhost/web', '--role', 'listener'],
    ])
      await Promise.all([run(args), run([...args, '--json'])]);
    await run(['doctor', '--connection-string-file', 'db-listen.txt', '--bundle', 'support.zip']);
    for (const [name, content] of Object.entries(unzipSync(readFileSync(home.path('support.zip')))))
      note(`${name} of the bundle`, strFromU8(content));
    await useTheWeb();
    await openTheBrowser();
    await manager.interrupt();
  });

  async function useTheWeb(): Promise<void> {
    const { web } = manager.lines.find(({ event }) => event === 'ready') as unknown as { web: string };
    const invited = await home.run(['dashboard', '--json'], { env });
    const { url } = JSON.parse(invited.stdout) as { url: string };
    const entered = await fetch(url, { redirect: 'manual' });
    const cookie = entered.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    secrets.set('the code of the page', new URL(url).searchParams.get('code') ?? '');
    secrets.set('the cookie of the page', cookie.split('=')[1] ?? '');
    const pageKey = /data-key="([^"]*)"/.exec(await entered.text())?.[1] ?? '';
    secrets.set('the key of the page', pageKey);
    const both = { cookie, [PAGE_KEY_HEADER]: pageKey };
    const page = await (await fetch(web, { headers: { cookie } })).text();
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name = '']) => name);
    const api = [
      'manager',
      'connections',
      'connections/listen%20localhost%2Fweb',
      'logs?lines=9999',
      'samples',
    ];
    const paths = [
      'healthz',
      'readyz',
      'metrics',
      ...api.map((name) => `v1/${name}`),
      'v1/dashboard',
      ...files,
    ];
    note('the page', page, await (await fetch(url)).text());
    for (const path of paths) {
      const got = await fetch(new URL(path, `${web}/`), { headers: both });
      assert.notEqual(got.status, 401, path);
      note(`${path} over the web`, await got.text(), JSON.stringify([...got.headers]));
    }
    const tested = await fetch(`${web}/v1/connections/listen%20localhost%2Fwrong/test`, {
      ...{ method: 'POST', headers: { ...both, origin: web } },
    });
    note('a test over the web', await tested.text());
    const leaving = new AbortController();
    const events = await fetch(`${web}/v1/events`, { headers: both, signal: leaving.signal });
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    await run(['restart', 'localhost/wrong']);
    note('events over the web', (await reader?.read())?.value ?? '', (await reader?.read())?.value ?? '');
    leaving.abort();
  }

  /** On a terminal of its own, since it opens nothing elsewhere. */
  async function openTheBrowser(): Promise<void> {
    const line = `"${process.execPath}" "${programFile}" dashboard`;
    const terminal = spawn('script', ['-qec', line, '/dev/null'], {
      ...{ env: { ...home.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] },
    });
    let shown = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    await once(terminal, 'close');
    const code = /code=([\w-]{43})/.exec(shown)?.[1];
    assert.ok(code, shown);
    secrets.set('the code in the browser', code);
    const opened = () => readFileSync(children, 'utf8').includes('xdg-open');
    await pollUntil(() => Promise.resolve(opened()), { what: 'the browser' });
  }

  it('is in what was kept aside but for this user alone', async () => {
    writeFileSync(join(state, 'secrets.json'), `{"half": "${stringOf('db', 'listen')}`, { mode: 0o600 });
    writeFileSync(join(state, 'connections.json'), '{"half', { mode: 0o600 });
    const again = await start('the manager with a damaged store', ['service', 'run', '--json']);
    await run(['status']);
    await run(['list', '--json']);
    await again.interrupt();
    const aside = readdirSync(state).filter((name) => name.includes('corrupt'));
    assert.equal(aside.length, 2);
    for (const name of readdirSync(state))
      assert.equal(statSync(join(state, name)).mode & 0o077, 0, `${name} is for its user alone`);
    for (const name of readdirSync(state).filter((one) => !one.startsWith('secrets.json')))
      note(`the file ${name}`, readFileSync(join(state, name), 'utf8'));
  });

  it('is in anything that was told', () => {
    for (const [name, { stdout, stderr }] of processes) note(name, stdout, stderr);
    const given = readFileSync(children, 'utf8');
    note(
      'what children were given',
      given
        .split('child ')
        .filter((one) => one.includes('systemd-notify'))
        .join(),
    );
    // The browser's own environment is the user's; its arguments are everybody's.
    note('arguments of the browser', given.match(/xdg-open [^\n]*/g)?.join('\n') ?? '');
    assert.match(told.get('what children were given') ?? '', /systemd-notify[^]*READY=1/);
    assert.ok(told.size > 40 && secrets.size === 20, `${told.size} places, ${secrets.size} secrets`);
    for (const [place, text] of told) assert.ok(text.length > 0, place);
    const found = [...told].flatMap(([place, text]) => leaksIn(text).map((name) => `${name} in ${place}`));
    assert.deepEqual(found, []);
  });

  it('would have been missed, in any spelling', () => {
    for (const [name, secret] of secrets) {
      assert.ok(secret.length >= 16, name);
      for (const text of [secret, `a${secret}b`, encodeURIComponent(secret), `{"a":"${secret}"}`]) {
        assert.ok(leaksIn(text).includes(name), name);
        for (const before of ['', 'x', 'xy']) {
          const hidden = Buffer.from(`${before}${text}`);
          assert.ok(leaksIn(hidden.toString('base64')).length > 0, name);
          assert.ok(leaksIn(hidden.toString('base64url')).length > 0, name);
        }
      }
    }
    assert.ok(
      leaksIn('SharedAccessSignature sr=http%3a%2f%2fx&sig=aBcD%2fefghijklmnopqrstuvw%3d&se=1').length > 0,
    );
    assert.deepEqual(leaksIn('SharedAccessSignature sr=http%3a%2f%2fx&sig=***&se=1'), []);
  });

  function leaksIn(text: string): string[] {
    const leaks = [...secrets].filter(([, secret]) => spellings(secret).some((one) => text.includes(one)));
    const signature = /sig(?:=|%3d)[\w%+/-]{16,}/i.test(text) ? ['a signature'] : [];
    return [...leaks.map(([name]) => name), ...signature];
  }
});

/** As it is, in a URL, and as part of something in base64, wherever it begins there. */
function spellings(secret: string): string[] {
  const plain = [secret, encodeURIComponent(secret)];
  const within = plain.flatMap((text) =>
    [0, 1, 2].flatMap((before) => {
      const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
      const whole = bytes.toString('base64').replace(/=+$/, '');
      // Its ends depend on what stands beside it.
      const core = whole.slice(before === 0 ? 0 : 4, bytes.length % 3 === 0 ? undefined : -2);
      return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
    }),
  );
  return [...plain, ...within];
}

function keyOf(connectionString: string): string {
  return /SharedAccessKey=([^;]*)/.exec(connectionString)?.[1] ?? '';
}
