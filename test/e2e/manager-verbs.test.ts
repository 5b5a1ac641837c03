// The verbs of the manager, and Microsoft's own way to call them: names, arguments, flags and statuses, one by one.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { strFromU8, unzipSync } from 'fflate';
import type { Ended, HcmProcess } from './hcm-process.ts';
import { answerReversed, ask, portOf, RelayHome, startServer } from './relay-home.ts';

type Json = Record<string, unknown>;

describe('the verbs of the manager', function () {
  this.timeout(60_000);
  const home = new RelayHome();
  let target: Server;
  let manager: HcmProcess;

  before(async () => {
    target = await startServer(answerReversed);
    const named = ['db', 'web'].flatMap((name) => ['--connection', `${name}=127.0.0.1:${portOf(target)}`]);
    const args = ['emulator', 'start', '--port', '0', '--ephemeral', '--register', '--json', ...named];
    home.emulator = home.start(args);
    home.ready = await home.emulator.event('ready');
    for (const { name, listenerConnectionString, senderConnectionString } of home.connections) {
      writeFileSync(home.path(`${name}-listen.txt`), listenerConnectionString, { mode: 0o600 });
      writeFileSync(home.path(`${name}-send.txt`), senderConnectionString, { mode: 0o600 });
    }
    manager = await startManager();
  });
  after(async () => {
    target.close();
    await home.remove();
  });

  async function startManager(): Promise<HcmProcess> {
    const started = home.start([
      'service',
      'run',
      '--no-http',
      '--secrets',
      'file',
      '--cloud',
      'local',
      '--json',
    ]);
    await started.event('ready');
    return started;
  }
  const listenerString = () => home.connections[0]?.listenerConnectionString ?? '';
  const keys = () =>
    home.connections.flatMap(({ listenerConnectionString, senderConnectionString }) =>
      [listenerConnectionString, senderConnectionString].map(
        (text) => /SharedAccessKey=([^;]+)/.exec(text)?.[1] ?? 'no key',
      ),
    );
  async function run(args: readonly string[], wanted = 0): Promise<Ended> {
    const ended = await home.run(args);
    assert.equal(ended.status, wanted, `hcm ${args.join(' ')}\n${ended.stdout}${ended.stderr}`);
    return ended;
  }
  const json = async <T = Json>(args: readonly string[], wanted = 0) =>
    JSON.parse((await run([...args, '--json'], wanted)).stdout) as T;

  describe("as Microsoft's hcm is called", () => {
    const FOUR = ['-s', 'sub', '-rg', 'local', '-ns', 'local-relay'];
    const cases: [what: string, args: () => readonly string[], status: number, says: RegExp][] = [
      ['version', () => ['version'], 0, /^hcm-cli\/\d/],
      ['help', () => ['help'], 0, /connection/i],
      ['help of a verb', () => ['help', 'add'], 0, /USAGE/],
      ['add with nothing', () => ['add'], 2, /No connection is named/],
      ['add with three of the four flags', () => ['add', ...FOUR], 2, /No connection is named/],
      ['add with a connection string', () => ['add', listenerString()], 0, /Added localhost\/db/],
      [
        'add with the four flags and nothing else',
        () => [
          'add',
          '-s',
          String(home.ready['subscriptionId']),
          '-rg',
          'local',
          '-ns',
          'local-relay',
          '-n',
          'web',
          '--cloud',
          'local',
        ],
        0,
        /Added local-relay\/web/,
      ],
      ['list', () => ['list'], 0, /localhost\/db .*\n.*local-relay\/web/],
      ['show', () => ['show', '-ns', 'local-relay', '-n', 'web'], 0, /connection: +local-relay\/web/],
      ['show of what is not there', () => ['show', '-ns', 'local-relay', '-n', 'no'], 5, /hcm list/],
      ['show with half a name', () => ['show', '-ns', 'local-relay'], 2, /not clear/],
      ['restart', () => ['restart', '-ns', 'local-relay', '-n', 'web'], 0, /Restarted/],
      ['test of an address', () => ['test', `127.0.0.1:${portOf(target)}`], 0, /answers/],
      ['test of an address that refuses', () => ['test', '127.0.0.1:1'], 6, /HCM_TARGET_REFUSED/],
      [
        'test of a namespace that is not there',
        () => ['test', 'no-such.servicebus.localhost'],
        4,
        /HCM_CONNECT_REFUSED/,
      ],
      ['test of nothing', () => ['test'], 2, /not clear/],
      ['test of what is nothing', () => ['test', 'db'], 2, /neither a connection nor an address/],
      ['logs', () => ['logs'], 0, /online/],
      ['remove', () => ['remove', '-ns', 'local-relay', '-n', 'web'], 0, /Removed/],
    ];
    for (const [what, args, status, says] of cases)
      it(what, async () => {
        const { stdout, stderr } = await run(args(), status);
        assert.match(stdout + stderr, says);
        for (const key of keys()) assert.ok(!(stdout + stderr).includes(key), 'no key is shown');
      });
  });

  describe('on its own', () => {
    it('tests a connection from where the manager stands, and leaves it alone', async () => {
      await manager.event(
        'state',
        (line) => line['id'] === 'listen localhost/db' && line['state'] === 'online',
      );
      const before = await json<Json>(['show', 'localhost/db']);
      const { stdout } = await run(['test', 'localhost/db']);
      assert.match(stdout, /^✓ Target +127\.0\.0\.1:\d+ answers$/m);
      assert.match(stdout, /^- Through the relay and back +needs a rule with the right Send$/m);
      assert.match(stdout, /^✓ In the manager +online since/m);
      const report = await json<{ passed: boolean; exitStatus: number; proofs: Json[] }>([
        'test',
        'localhost/db',
      ]);
      assert.deepEqual([report.passed, report.exitStatus, report.proofs.length], [true, 0, 15]);
      const after = await json<Json>(['show', 'localhost/db']);
      assert.deepEqual([after['since'], after['opened'], after['refused']], [before['since'], 0, 0]);
    });

    it('has one id for a stream in its log and at the sender', async () => {
      const { process: sender, port } = await home.forward('db');
      assert.equal(String(await ask(port, 'abc')), 'cba');
      const { stream } = await sender.event('closed');
      const { stdout } = await run(['logs', '--stream', String(stream), '--event', 'accepted', '--json']);
      assert.equal((JSON.parse(stdout) as Json)['stream'], stream);
      await sender.interrupt();
    });

    it('lists by name, state and role', async () => {
      await json(['add', '--connection-string-file', 'web-listen.txt']);
      const names = async (...args: string[]) =>
        (await json<Json[]>(['list', ...args])).map(({ connection }) => connection);
      assert.deepEqual(await names('localhost/d*'), ['localhost/db']);
      assert.deepEqual(await names('LOCALHOST'), ['localhost/db', 'localhost/web']);
      assert.deepEqual(await names('--role', 'forward'), []);
    });

    it('has every connection proven by doctor, and a bundle with what the manager knows and no key', async () => {
      const report = await json<{
        result: string;
        proofs: Json[];
        connections: { connection: string; proofs: Json[] }[];
      }>([...['doctor', '--bundle', 'support.zip']]);
      assert.deepEqual(
        report.proofs.map(({ proof, result }) => [proof, result]),
        [
          ['machine', 'ok'],
          ['manager', 'ok'],
        ],
      );
      assert.deepEqual(
        report.connections.map(({ connection, proofs }) => [connection, proofs.length]),
        [
          ['localhost/db', 14],
          ['localhost/web', 7],
        ],
        'the way to the relay is proven once',
      );
      const files = unzipSync(readFileSync(home.path('support.zip')));
      assert.deepEqual(
        Object.keys(files).filter((name) => name.startsWith('manager/')),
        [...['manager/manager.json', 'manager/connections.json', 'manager/log.ndjson']],
      );
      const text = Object.values(files)
        .map((bytes) => strFromU8(bytes))
        .join('\n');
      assert.match(text, /"event":"accepted"/);
      assert.doesNotMatch(text, /SharedAccessSignature [^*]*sig=[^*]/);
      for (const key of keys()) assert.ok(!text.includes(key), 'no key is in it');
    });

    it('is watched as events, over the end and the beginning of a manager', async () => {
      const watching = home.start(['list', '--watch', '--json']);
      const { connections, time } = await watching.event('snapshot');
      assert.deepEqual((connections as Json[]).length, 2);
      manager.kill('SIGKILL');
      await watching.event('waiting');
      manager = await startManager();
      await watching.event('snapshot', (line) => line['time'] !== time);
      await run(['restart', 'localhost/db']);
      await watching.event('state', (line) => line['id'] === 'listen localhost/db');
      assert.equal(watching.lines.filter(({ event }) => event === 'snapshot').length, 2);
      assert.equal((await watching.interrupt()).status, 0);
    });

    it('has its log read, and addresses tested, when it does not run', async () => {
      assert.equal((await manager.interrupt()).status, 0);
      const { stdout, stderr } = await run(['logs', '--event', 'accepted', '--json']);
      assert.equal((JSON.parse(stdout.trim()) as Json)['event'], 'accepted');
      assert.match(stderr, /No manager runs/);
      const tested = await json(['test', `127.0.0.1:${portOf(target)}`]);
      assert.deepEqual([tested['from'], tested['passed']], ['here', true]);
      for (const args of [
        ['list'],
        ['list', '--watch'],
        ['show', 'a/b'],
        ['status'],
        ['restart', 'a/b'],
        ['test', 'a/b'],
        ['remove', 'a/b'],
      ]) {
        const { stdout: said } = await run([...args, '--json'], 7);
        const { error } = JSON.parse(said) as { error: Json };
        assert.equal(error['code'], 'HCM_NOT_RUNNING', args.join(' '));
      }
    });
  });
});
