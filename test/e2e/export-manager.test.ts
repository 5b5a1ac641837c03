// `hcm export manager`, and back: another manager that runs the file has the same connections.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { answerReversed, ask, portOf, RelayHome, startServer } from './relay-home.ts';

type Json = Record<string, unknown>;

describe('hcm export manager', function () {
  this.timeout(30_000);
  const home = new RelayHome();
  let target: Server;
  const keys: string[] = [];

  before(async () => {
    target = await startServer(answerReversed);
    await home.startEmulator('db', 'web', 'declared');
    for (const { listenerConnectionString, senderConnectionString } of home.connections)
      for (const text of [listenerConnectionString, senderConnectionString])
        keys.push(/SharedAccessKey=([^;]+)/.exec(text)?.[1] ?? '?');
    const entry = 'connectionString: "${DECLARED}", dialTimeout: 3s';
    writeFileSync(
      home.path('first.yaml'),
      `manager: {listeners: [{connection: localhost/declared, ${entry}, target: "127.0.0.1:${portOf(target)}"}]}\n`,
    );
    const manager = home.start(['service', 'run', '--no-http', '--file', 'first.yaml', '--json'], {
      DECLARED: home.connections[2]?.listenerConnectionString,
    });
    await manager.event('ready');
    const to = `127.0.0.1:${portOf(target)}`;
    const add = async (...args: string[]) => {
      const { status, stderr } = await home.run(['add', ...args]);
      assert.equal(status, 0, stderr);
    };
    await add('--connection-string-file', 'db-listen.txt', '--target', to, '--max-streams', '7');
    await add('--connection-string-file', 'db-send.txt', '--bind', 'unix:db.sock');
    await add('--connection-string-file', 'web-listen.txt', '--target', `http://${to}/base`, '--allow', to);
  });
  after(async () => {
    target.close();
    await home.remove();
  });

  it('writes what was added and what was declared, with variables for the keys, which stand above it', async () => {
    const { status, stdout, stderr } = await home.run(['export', 'manager']);
    assert.deepEqual([status, stderr], [0, '']);
    for (const key of keys) assert.ok(!stdout.includes(key));
    assert.match(
      stdout,
      /^# No key is in this file\. Set these variables to the connection strings:\n# {3}DECLARED: localhost\/declared, a rule with Listen$/m,
    );
    assert.match(stdout, /^# {3}HCM_CONNECTION_STRING_LOCALHOST_DB_SEND: localhost\/db, a rule with Send$/m);
    writeFileSync(home.path('exported.yaml'), stdout);
  });

  it('is what another manager runs', async () => {
    const other = { HCM_STATE_DIR: home.path('other'), HCM_CA_FILE: String(home.ready['caFile']) };
    const [db, web, declared] = home.connections;
    const manager = home.start(['service', 'run', '--no-http', '--file', 'exported.yaml', '--json'], {
      ...other,
      DECLARED: declared?.listenerConnectionString,
      HCM_CONNECTION_STRING_LOCALHOST_DB_LISTEN: db?.listenerConnectionString,
      HCM_CONNECTION_STRING_LOCALHOST_DB_SEND: db?.senderConnectionString,
      HCM_CONNECTION_STRING_LOCALHOST_WEB_LISTEN: web?.listenerConnectionString,
    });
    for (const id of ['listen localhost/db', 'listen localhost/web', 'listen localhost/declared'])
      await manager.event('state', (line) => line['id'] === id && line['state'] === 'online');
    const listOf = async (env: NodeJS.ProcessEnv) => {
      const { stdout } = await home.run(['list', '--json'], { env });
      return (JSON.parse(stdout) as Json[]).map(({ id, target: leadsTo }) => [id, leadsTo]).sort();
    };
    assert.deepEqual(await listOf(other), await listOf({}));
    const again = await home.run(['export', 'manager', '--json'], { env: other });
    const first = await home.run(['export', 'manager', '--json']);
    const { manager: section } = JSON.parse(first.stdout) as { manager: Record<string, Json[]> };
    const { manager: sectionAgain } = JSON.parse(again.stdout) as { manager: Record<string, Json[]> };
    const sorted = (list: Json[] = []) =>
      list.toSorted((a, b) => String(a['connection']).localeCompare(String(b['connection'])));
    assert.deepEqual(sorted(sectionAgain['listeners']), sorted(section['listeners']));
    assert.deepEqual(sectionAgain['forwards'], section['forwards']);
    await manager.interrupt();
  });

  it('names files with --key-files, and works with them', async () => {
    const { stdout } = await home.run(['export', 'manager', '--key-files', 'keys']);
    assert.match(stdout, /^# {3}keys\/localhost-db-listen\.txt: localhost\/db, a rule with Listen$/m);
    mkdirSync(home.path('keys'));
    for (const name of ['db', 'web'])
      writeFileSync(
        home.path(`keys/localhost-${name}-listen.txt`),
        readFileSync(home.path(`${name}-listen.txt`)),
        { mode: 0o600 },
      );
    writeFileSync(home.path('keys/declared.txt'), readFileSync(home.path('declared-listen.txt')), {
      mode: 0o600,
    });
    writeFileSync(home.path('in-files.yaml'), stdout);
    const listener = home.start(['listen', '--file', 'in-files.yaml', '--json']);
    await listener.event('online', ({ connection }) => String(connection).endsWith('declared'));
    await listener.event('online', ({ connection }) => String(connection).endsWith('db'));
    const { port } = await home.forward('db', '--bind', '127.0.0.1:0');
    assert.equal(String(await ask(port, 'abc')), 'cba');
    await listener.interrupt();
  });

  it('says that no manager runs', async () => {
    const { status, stdout } = await home.run(['export', 'manager', '--json'], {
      env: { HCM_STATE_DIR: home.path('nobody') },
    });
    assert.equal(status, 7);
    assert.equal((JSON.parse(stdout) as { error: Json }).error['code'], 'HCM_NOT_RUNNING');
  });
});
