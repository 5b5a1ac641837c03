// The app's side and both halves of a tunnel with keys from Azure: the program, with the emulator as its cloud.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Ended } from './hcm-process.ts';
import { answerReversed, ask, portOf, RelayHome, startServer } from './relay-home.ts';

const LOCAL = { HCM_CLOUD: 'local' };

describe('hcm and the apps of App Service', () => {
  const home = new RelayHome();
  let target: Server;

  before(async () => {
    target = await startServer(answerReversed);
    home.emulator = home.start([
      ...['emulator', 'start', '--port', '0', '--ephemeral', '--register', '--json'],
      ...['--connection', `db=127.0.0.1:${portOf(target)}`, '--connection', 'plain'],
    ]);
    home.ready = await home.emulator.event('ready');
    await json(['app', 'attach', 'local-app', 'local-relay/db']);
    const listener = home.start(['listen', 'local-relay/db', '--json'], LOCAL);
    await listener.event('online');
  });
  after(async () => {
    target.close();
    await home.remove();
  });

  /** Runs to its end, which must be status 0; resolves with the one document on stdout. */
  async function json(args: string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await home.run([...args, '--json'], { env: LOCAL });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  async function fails(args: string[], code: string, wanted: number): Promise<Ended> {
    const ended = await home.run(args, { env: LOCAL });
    assert.equal(ended.status, wanted, ended.stderr);
    assert.match(ended.stderr, new RegExp(`^${code}, see docs`, 'm'));
    return ended;
  }

  it('attach is idempotent, and lists and limits show it', async () => {
    const again = await json(['app', 'attach', 'local-app', 'local-relay/db']);
    assert.equal(again['changed'], false);
    assert.doesNotMatch(JSON.stringify(again), /sendKey|SharedAccess/);
    const { stdout } = await home.run(['app', 'list', '--namespace', 'local-relay'], { env: LOCAL });
    const [head, row, ...rest] = stdout.trim().split('\n');
    assert.match(head ?? '', /^APP +SLOT +KIND +PLAN +RESOURCE GROUP +CONNECTION +TARGET$/);
    assert.match(row ?? '', /^local-app +- +app +local-plan +local +local-relay\/db +127\.0\.0\.1:\d+$/);
    assert.deepEqual(rest, []);
    const { limit, connections } = await json(['plan', 'show', '--app', 'local-app']);
    assert.deepEqual(limit, { scope: 'plan', maximum: 25, used: 1 });
    assert.equal((connections as unknown[]).length, 1);
  });

  it('forward --app opens what the app has, each at an address of its own', async () => {
    const forward = home.start(['forward', '--app', 'local-app', '--json'], LOCAL);
    const ready = await forward.event('ready');
    const [first] = ready['binds'] as { connection: string; bind: string; target: string }[];
    assert.deepEqual(
      [ready['app'], first?.connection, first?.target],
      ['local-app', 'local-relay.servicebus.localhost/db', `127.0.0.1:${portOf(target)}`],
    );
    const [host, port] = (first?.bind ?? '').split(':');
    // macOS has no 127.0.0.2.
    if (process.platform !== 'darwin') assert.deepEqual([host, port], ['127.0.0.2', `${portOf(target)}`]);
    assert.equal(String(await ask(Number(port), 'abc', host)), 'cba');
    assert.equal((await forward.interrupt()).status, 0);
  });

  it('an address that is taken is told, and a free port takes its place', async function () {
    if (process.platform === 'darwin') return;
    const blocker = createServer().listen(portOf(target), '127.0.0.2');
    await once(blocker, 'listening');
    const forward = home.start(['forward', '--app', 'local-app', '--json'], LOCAL);
    const { binds } = await forward.event('ready');
    const [{ bind = '' } = {}] = binds as { bind?: string }[];
    const [host, port] = bind.split(':');
    assert.equal(host, '127.0.0.2');
    assert.match(forward.stderr, new RegExp(`in use already; ${bind} takes the place of 127\\.0\\.0\\.2:`));
    assert.equal(String(await ask(Number(port), 'abc', host)), 'cba');
    await forward.interrupt();
    blocker.close();
  });

  it('forward --app -- COMMAND tells it where they are', async () => {
    const script = 'process.stdout.write(process.env.HCM_BIND_DB + " " + process.env.HCM_HOST)';
    const args = ['forward', '--app', 'local-app', '--', process.execPath, '-e', script];
    const { status, stdout, stderr } = await home.run(args, { env: LOCAL });
    assert.equal(status, 0, stderr);
    const [bind = '', host = ''] = stdout.split(' ');
    assert.ok(bind.startsWith(`${host}:`), stdout);
    assert.match(stderr, /-> 127\.0\.0\.1:\d+ \(local-relay\.servicebus\.localhost\/db\)/);
  });

  it('connect takes a key from Azure, or a token of Entra ID and no key', async () => {
    for (const flags of [[], ['--entra']]) {
      const args = ['connect', 'local-relay/db', ...flags];
      const { status, stdout, stderr } = await home.run(args, { env: LOCAL, stdin: 'abc' });
      assert.deepEqual([status, stdout, stderr], [0, 'cba', '']);
    }
  });

  it('says what is wrong with what was asked for', async () => {
    await Promise.all([
      fails(['forward', '--app', 'local-app', 'local-relay/db'], 'HCM_USAGE', 2),
      fails(['plan', 'show'], 'HCM_USAGE', 2),
      fails(['listen', 'local-relay/gone', '--target', 'a:1'], 'HCM_RESOURCE_NOT_FOUND', 5),
      fails(['app', 'attach', 'local-app', 'local-relay/plain'], 'HCM_METADATA_INVALID', 5),
    ]);
  });

  it('detach twice is detach once', async () => {
    const detach = () => json(['app', 'detach', 'local-app', 'local-relay/db']);
    assert.equal((await detach())['changed'], true);
    assert.equal((await detach())['changed'], false);
  });
});
