// The manager as a user runs it: `hcm service run` in a process of its own, the commands that ask it in theirs, and the
// emulator as the relay and as the cloud.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import type { Ended, HcmProcess } from './hcm-process.ts';
import { answerReversed, ask, portOf, RelayHome, startServer } from './relay-home.ts';

type Json = Record<string, unknown>;

/** The keys of connection strings, and whatever else is a signature. */
const SECRET = /SharedAccessKey=|SharedAccessSignature|[A-Za-z0-9+/]{43}=/;

describe('the manager', function () {
  this.timeout(30_000);
  const home = new RelayHome();
  const folder = home.path('state/hcm/manager');
  let reversing: Server;
  let greeting: Server;
  let manager: HcmProcess;
  let port: number;
  const said: string[] = [];

  before(async () => {
    reversing = await startServer(answerReversed);
    greeting = await startServer((socket) => socket.end('hello'));
    const named = ['db', 'extra'].flatMap((name) => [
      ...['--connection', `${name}=127.0.0.1:${portOf(reversing)}`],
    ]);
    const args = ['emulator', 'start', '--port', '0', '--ephemeral', '--register', '--json', ...named];
    home.emulator = home.start(args);
    home.ready = await home.emulator.event('ready');
    for (const { name, listenerConnectionString, senderConnectionString } of home.connections) {
      writeFileSync(home.path(`${name}-listen.txt`), listenerConnectionString, { mode: 0o600 });
      writeFileSync(home.path(`${name}-send.txt`), senderConnectionString, { mode: 0o600 });
    }
    writeFileSync(home.path('hcm.yaml'), 'manager: {listeners: [], forwards: []}\n');
    manager = await startManager();
  });
  after(async () => {
    reversing.close();
    greeting.close();
    await home.remove();
  });

  async function startManager(): Promise<HcmProcess> {
    const started = home.start(['service', 'run', '--file', 'hcm.yaml', '--json']);
    await started.event('ready');
    return started;
  }

  async function run(...args: string[]): Promise<Ended> {
    const ended = await home.run(args);
    said.push(ended.stdout, ended.stderr);
    return ended;
  }

  /** The one document of a command that must end with this status. */
  async function json<T = Json>(args: string[], wanted = 0): Promise<T> {
    const { status, stdout, stderr } = await run(...args, '--json');
    assert.equal(status, wanted, stderr + stdout);
    return JSON.parse(stdout) as T;
  }

  /** Resolves when the manager has told this change of state, at `since` or later. */
  const becomes = (id: string, state: string, since = '') =>
    manager.event(
      'state',
      (line) => line['id'] === id && line['state'] === state && String(line['time']) >= since,
    );

  it('takes a listener, and a forward, and bytes flow', async () => {
    const added = await json(['add', '--connection-string-file', 'db-listen.txt']);
    assert.deepEqual(
      [added['id'], added['source'], added['changed']],
      ['listen localhost/db', 'store', true],
    );
    await becomes('listen localhost/db', 'online');
    await json(['add', '--connection-string-file', 'db-send.txt', '--bind', '127.0.0.1:0']);
    await becomes('forward localhost/db', 'online');
    const forward = await json(['show', 'localhost/db', '--role', 'forward']);
    port = Number(String((forward['binds'] as string[])[0]).split(':')[1]);
    assert.equal(String(await ask(port, 'abc')), 'cba');
    await manager.event('closed', (line) => line['id'] === 'listen localhost/db');
    const listener = await json(['show', '-ns', 'localhost', '-n', 'db', '--role', 'listener']);
    assert.deepEqual([listener['target'], listener['opened']], [`127.0.0.1:${portOf(reversing)}`, 1]);
    assert.deepEqual([listener['bytesIn'], listener['bytesOut']], [3, 3]);
    const again = await json(['add', '--connection-string-file', 'db-listen.txt']);
    assert.equal(again['changed'], false);
  });

  it('is listed, for programs and for people, and says how it is', async () => {
    const [list, degraded, status, logs, table] = await Promise.all([
      json<Json[]>(['list']),
      json<Json[]>(['list', '--state', 'degraded']),
      json(['status']),
      run('logs', '--lines', '5', '--json'),
      run('list'),
    ]);
    assert.deepEqual(
      list.map(({ id, state }) => [id, state]),
      [
        ['listen localhost/db', 'online'],
        ['forward localhost/db', 'online'],
      ],
    );
    assert.deepEqual(degraded, []);
    const { pid, folder: shown, problems } = status['manager'] as Json;
    assert.deepEqual([pid, shown, problems], [manager.child.pid, folder, []]);
    const lines = logs.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
    assert.equal(lines.length, 5);
    assert.ok(lines.every(({ event, time }) => event && time));
    assert.match(table.stdout, /^CONNECTION +ROLE +STATE +SINCE/);
  });

  it('is alone on its folder', async () => {
    const { error } = await json<{ error: Json }>(['service', 'run'], 2);
    assert.equal(error['code'], 'HCM_STATE_LOCKED');
    assert.equal((await json<Json[]>(['list'])).length, 2, 'the first still answers');
  });

  it('keeps its files and its socket to its user', () => {
    if (process.platform === 'win32') return;
    const modes = ['', 'connections.json', 'secrets.json', 'manager.log', 'control.sock'].map(
      (name) => statSync(`${folder}/${name}`).mode & 0o777,
    );
    assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o600, 0o600]);
  });

  it('follows an edited file; a broken one changes nothing and is told', async () => {
    const entry = (target: Server) =>
      `manager:\n  listeners:\n    - connection: localhost/extra\n      connectionStringFile: extra-listen.txt\n      target: 127.0.0.1:${portOf(target)}\n`;
    writeFileSync(home.path('hcm.yaml'), entry(greeting));
    await becomes('listen localhost/extra', 'online');
    writeFileSync(home.path('hcm.yaml'), 'manager: {listeners: [{wrong: 1}]}\n');
    await manager.event('problem');
    const status = await json<{ manager: { problems: Json[] }; connections: Json[] }>(['status']);
    assert.deepEqual(
      status.manager.problems.map(({ code }) => code),
      ['HCM_CONFIG_INVALID'],
    );
    assert.equal(status.connections.length, 3);
    const { error } = await json<{ error: Json }>(['remove', 'localhost/extra'], 5);
    assert.equal(error['code'], 'HCM_RESOURCE_CONFLICT');
    writeFileSync(home.path('hcm.yaml'), 'manager: {listeners: [], forwards: []}\n');
    await becomes('listen localhost/extra', 'stopped');
    const mended = await json<{ manager: { problems: Json[] }; connections: Json[] }>(['status']);
    assert.deepEqual([mended.manager.problems, mended.connections.length], [[], 2]);
  });

  it('forwards to no target that was not confirmed', async () => {
    const moved = ['connection', 'update', 'local-relay/db', '--target', `127.0.0.1:${portOf(greeting)}`];
    await json([...moved, '--cloud', 'local']);
    let since = new Date().toISOString();
    await json(['restart', 'localhost/db', '--role', 'listener']);
    await becomes('listen localhost/db', 'degraded', since);
    const [shown] = await json<Json[]>(['list', '--state', 'degraded']);
    assert.equal((shown?.['reason'] as Json)['code'], 'HCM_TARGET_NOT_ALLOWED');
    await assert.rejects(ask(port, 'abc'), /ECONNRESET|EPIPE/);
    const { error } = await json<{ error: Json }>(
      ['restart', 'localhost/db', '--role', 'forward', '--accept-target'],
      2,
    );
    assert.match(String(error['message']), /^The forward of localhost\/db has no target to accept/);
    since = new Date().toISOString();
    assert.match(String((shown?.['reason'] as Json)['next']), /^hcm restart localhost\/db --accept-target/);
    const accepted = await home.run(['restart', 'localhost/db', '--accept-target']);
    assert.match(accepted.stdout, /^Restarted localhost\/db, which leads to 127\.0\.0\.1:\d+ from now on$/m);
    await becomes('listen localhost/db', 'online', since);
    assert.equal(String(await ask(port, 'abc')), 'hello');
    const again = await home.run(['restart', 'localhost/db', '--accept-target']);
    assert.equal(again.stdout, 'Restarted localhost/db\n');
  });

  it('comes back after it was killed, with all that it had', async () => {
    manager.kill('SIGKILL');
    await manager.ended;
    const { error } = await json<{ error: Json }>(['list'], 7);
    assert.equal(error['code'], 'HCM_NOT_RUNNING');
    manager = await startManager();
    await Promise.all([becomes('listen localhost/db', 'online'), becomes('forward localhost/db', 'online')]);
    const { binds } = await json<{ binds: string[] }>(['show', 'localhost/db', '--role', 'forward']);
    port = Number(binds[0]?.split(':')[1]);
    assert.equal(String(await ask(port, 'abc')), 'hello');
  });

  it('forgets what is removed', async () => {
    const removed = await json(['remove', '-ns', 'localhost', '-n', 'db', '--role', 'forward']);
    assert.deepEqual(removed, { changed: true });
    await becomes('forward localhost/db', 'stopped');
    await assert.rejects(ask(port, 'abc'), /ECONNREFUSED/);
    assert.deepEqual(await json(['remove', 'localhost/db', '--role', 'forward']), { changed: false });
    const { error } = await json<{ error: Json }>(['show', 'localhost/db', '--role', 'forward'], 5);
    assert.equal(error['code'], 'HCM_RESOURCE_NOT_FOUND');
    assert.doesNotMatch(readFileSync(`${folder}/secrets.json`, 'utf8'), /forward/);
  });

  it('ends in peace at Ctrl-C, and nobody answers then', async () => {
    assert.equal((await manager.interrupt()).status, 0);
    const { status, stderr } = await run('status');
    assert.equal(status, 7);
    assert.match(stderr, /hcm service run/);
  });

  it('has told no secret', () => {
    assert.match(
      readFileSync(home.path('db-listen.txt'), 'utf8'),
      SECRET,
      'the pattern finds what it looks for',
    );
    assert.match(readFileSync(`${folder}/secrets.json`, 'utf8'), SECRET);
    const told = [...said, manager.stdout, manager.stderr];
    for (const name of ['connections.json', 'manager.log'])
      told.push(readFileSync(`${folder}/${name}`, 'utf8'));
    for (const text of told) assert.doesNotMatch(text, SECRET);
  });
});
