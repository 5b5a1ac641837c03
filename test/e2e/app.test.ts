// The app's side and both halves of a tunnel with keys from Azure: the program, with the emulator as its cloud.
import assert from 'node:assert/strict';
import type { Server } from 'node:net';
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
    const usage = 'HCM_USAGE';
    await Promise.all([
      fails(['forward', '--app', 'local-app', 'local-relay/db'], usage, 2),
      fails(['forward', '--slot', 'staging'], usage, 2),
      fails(['plan', 'show'], usage, 2),
      fails(['app', 'attach', 'local-app'], usage, 2),
    ]);
    const missing = 'HCM_RESOURCE_NOT_FOUND';
    await Promise.all([
      fails(['forward', '--app', 'local-func'], missing, 5),
      fails(['app', 'attach', 'nobody', 'local-relay/db'], missing, 5),
      fails(['listen', 'local-relay/gone', '--target', 'a:1'], missing, 5),
      fails(['app', 'attach', 'local-app', 'local-relay/plain'], 'HCM_METADATA_INVALID', 5),
    ]);
  });

  it('detach twice is detach once', async () => {
    await json(['app', 'attach', 'local-app', 'local-relay/db', '--slot', 'staging']);
    const detach = () => json(['app', 'detach', 'local-app', 'local-relay/db', '--slot', 'staging']);
    assert.equal((await detach())['changed'], true);
    assert.equal((await detach())['changed'], false);
  });
});
