import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { HcmHome, type Line } from './hcm-process.ts';

const STRING = (port: string, rule: string, entity = '') =>
  new RegExp(
    `^Endpoint=sb://localhost:${port}/;SharedAccessKeyName=${rule};SharedAccessKey=[A-Za-z0-9+/]{43}=${entity && `;EntityPath=${entity}`}$`,
  );
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('hcm emulator start', () => {
  let home: HcmHome;
  beforeEach(() => (home = new HcmHome()));
  afterEach(() => home.remove());

  const start = async (...args: string[]) => {
    const emulator = home.start(['emulator', 'start', '--port', '0', '--json', ...args]);
    return { emulator, ready: await emulator.event('ready') };
  };

  it('prints a ready line with all that was promised, to the letter', async () => {
    const { emulator, ready } = await start('--connection', 'db=localhost:5432', '--connection', 'a/b');
    assert.equal(emulator.stdout.split('\n', 1)[0], JSON.stringify(ready));
    const { time, ...fields } = ready;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.deepEqual(Object.keys(fields), [
      ...['event', 'endpoint', 'arm', 'authority', 'tenantId', 'subscriptionId', 'clientId', 'clientSecret'],
      ...['caFile', 'resourceGroup', 'namespace', 'connectionString', 'connections'],
    ]);
    const port = /^sb:\/\/localhost:(\d+)\/$/.exec(String(ready['endpoint']))?.[1] ?? '';
    assert.deepEqual(
      [ready['arm'], ready['authority']],
      [`https://localhost:${port}/`, `https://localhost:${port}/`],
    );
    assert.deepEqual([ready['resourceGroup'], ready['namespace']], ['local', 'local-relay']);
    for (const id of ['tenantId', 'subscriptionId', 'clientId']) assert.match(String(ready[id]), UUID);
    assert.match(String(ready['connectionString']), STRING(port, 'RootManageSharedAccessKey'));
    const connections = ready['connections'] as Record<string, string>[];
    assert.deepEqual(
      connections.map(({ name }) => name),
      ['db', 'a/b'],
    );
    for (const connection of connections) {
      assert.deepEqual(Object.keys(connection), [
        'name',
        'listenerConnectionString',
        'senderConnectionString',
      ]);
      assert.match(
        String(connection['listenerConnectionString']),
        STRING(port, 'defaultListener', connection['name']),
      );
      assert.match(
        String(connection['senderConnectionString']),
        STRING(port, 'defaultSender', connection['name']),
      );
    }
  });

  it('makes one CA for the user, whose key nobody else can read', async () => {
    const { emulator, ready } = await start('--ephemeral');
    const caFile = String(ready['caFile']);
    assert.match(readFileSync(caFile, 'utf8'), /BEGIN CERTIFICATE/);
    if (process.platform !== 'win32') {
      const key = caFile.replace(/ca\.pem$/, 'ca-key.pem');
      assert.equal(statSync(key).mode & 0o777, 0o600);
    }
    const before = readFileSync(caFile);
    await emulator.interrupt();
    const again = await start('--ephemeral');
    assert.deepEqual(readFileSync(String(again.ready['caFile'])), before);
  });

  it('keeps tenant, keys and connections across a restart, and ends with 0 at Ctrl-C', async () => {
    const first = await start('--connection', 'db=localhost:5432');
    assert.equal((await first.emulator.interrupt()).status, 0);
    const second = await start();
    assert.deepEqual(lasting(second.ready), lasting(first.ready));
  });

  it('forgets everything with --ephemeral', async () => {
    const first = await start('--ephemeral', '--connection', 'db');
    await first.emulator.interrupt();
    const second = await start('--ephemeral');
    assert.notEqual(second.ready['tenantId'], first.ready['tenantId']);
    assert.deepEqual(second.ready['connections'], []);
  });

  it('a second start is status 2 and names the first; with its own state it runs beside it', async () => {
    const { emulator, ready } = await start();
    const second = await home.run(['emulator', 'start', '--port', '0', '--json']);
    const { error } = JSON.parse(second.stdout) as { error: Line };
    assert.deepEqual([second.status, error['code']], [2, 'HCM_STATE_LOCKED']);
    assert.match(
      String(error['message']),
      new RegExp(`${String(ready['endpoint'])}.*process ${emulator.child.pid}`),
    );
    await start('--state-dir', home.path('other'));
  });

  it('a lock whose owner was killed is taken over', async () => {
    const { emulator } = await start();
    emulator.kill('SIGKILL');
    await emulator.ended;
    await start();
  });

  it('a corrupt state is an error that loses nothing, and the next start begins anew', async () => {
    const directory = home.path('state-here');
    const { emulator } = await start('--state-dir', directory);
    await emulator.interrupt();
    const file = readdirSync(directory).find((name) => name.endsWith('.json')) ?? '';
    writeFileSync(`${directory}/${file}`, '{"version":1');
    const args = ['emulator', 'start', '--port', '0', '--state-dir', directory];
    const { status, stderr } = await home.run(args);
    assert.equal(status, 2);
    const keptAs = /kept as (\S+?)\.?$/m.exec(stderr)?.[1] ?? '';
    assert.equal(readFileSync(keptAs, 'utf8'), '{"version":1');
    await start('--state-dir', directory);
  });

  it('leaves no lock behind, whether it drains or is cut short', async () => {
    const directory = home.path('state-here');
    const { emulator } = await start('--state-dir', directory);
    assert.ok(existsSync(`${directory}/emulator.lock`));
    await emulator.interrupt();
    assert.ok(!existsSync(`${directory}/emulator.lock`));
  });

  it('that lost its lock says so, and leaves the state to the others', async () => {
    const directory = home.path('state-here');
    const { emulator } = await start('--state-dir', directory);
    rmSync(`${directory}/emulator.lock`, { recursive: true });
    const second = await start('--state-dir', directory, '--connection', 'of-the-second');
    await emulator.says('Its changes are not kept any more.');
    await second.emulator.interrupt();
    assert.equal((await emulator.interrupt()).status, 0);
    const { ready } = await start('--state-dir', directory);
    const [connection] = ready['connections'] as Record<string, string>[];
    assert.equal(connection?.['name'], 'of-the-second');
  });

  it('its events name a connection as those of a tunnel do', async () => {
    const { emulator, ready } = await start('--ephemeral', '--connection', 'db');
    const [db] = ready['connections'] as Record<string, string>[];
    const listener = home.start(['listen', '--target', 'x:1', '--json'], {
      HCM_CONNECTION_STRING: db?.['listenerConnectionString'],
    });
    const { connection } = await listener.event('online');
    const seen = await emulator.event('listener-online');
    assert.deepEqual([connection, seen['connection']], ['localhost/db', 'localhost/db']);
    await home.run(['connect', 'elsewhere'], {
      env: { HCM_CONNECTION_STRING: String(ready['connectionString']) },
    });
    assert.equal((await emulator.event('refused'))['connection'], 'localhost/elsewhere');
  });

  it('for people, prints the strings to copy, and no events on stdout', async () => {
    const emulator = home.start(['emulator', 'start', '--port', '0', '--ephemeral', '--connection', 'db']);
    await emulator.answers('Next: ');
    assert.match(emulator.stdout, /EntityPath=db$/m);
    assert.match(emulator.stdout, /NODE_EXTRA_CA_CERTS=\S+ca\.pem/);
    assert.equal((await emulator.interrupt()).status, 0);
  });
});

/** Without the port, which is a free one each time. */
function lasting(ready: Line): unknown {
  return JSON.parse(JSON.stringify({ ...ready, time: '' }).replace(/localhost:\d+/g, 'localhost:N'));
}
