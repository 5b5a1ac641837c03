// Keys of the manager in a real keychain: gnome-keyring on a session bus of its own.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'node:net';
import type { HcmProcess } from '../e2e/hcm-process.ts';
import { answerReversed, ask, portOf, RelayHome, startServer } from '../e2e/relay-home.ts';
import { SecretService } from './servers/secret-service.ts';

type Json = Record<string, unknown>;

const DB = 'listen localhost/db';

describe('keys in the keychain of a desktop', () => {
  let home: RelayHome;
  let keychain: SecretService;
  let target: Server;
  let key: string;

  beforeEach(async () => {
    home = new RelayHome();
    target = await startServer(answerReversed);
    await home.startEmulator('db');
    keychain = await SecretService.startBus(home.directory);
    key = /SharedAccessKey=([^;]+)/.exec(readFileSync(home.path('db-listen.txt'), 'utf8'))?.[1] ?? '';
    assert.notEqual(key, '');
  });
  afterEach(async () => {
    target.close();
    await home.killAll();
    await keychain.stop();
    await home.remove();
  });

  async function startManager(...args: string[]): Promise<HcmProcess> {
    const manager = home.start(['service', 'run', '--no-http', '--json', ...args], keychain.env);
    await manager.event('ready');
    return manager;
  }

  async function hcm(args: string[], wanted = 0): Promise<Json> {
    const { status, stdout, stderr } = await home.run([...args, '--json'], { env: keychain.env });
    assert.equal(status, wanted, stderr + stdout);
    return JSON.parse(stdout) as Json;
  }

  const add = (wanted = 0) =>
    hcm(
      ['add', '--connection-string-file', 'db-listen.txt', '--target', `127.0.0.1:${portOf(target)}`],
      wanted,
    );

  const becomes = (manager: HcmProcess, state: string) =>
    manager.event('state', (line) => line['id'] === DB && line['state'] === state);

  /** Everything in the folder of the manager, as one text. */
  function folderText(): string {
    const folder = home.path('state/hcm/manager');
    const files = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isFile());
    return files.map(({ name }) => readFileSync(join(folder, name), 'utf8')).join('\n');
  }

  const kept = () =>
    (JSON.parse(readFileSync(home.path('state/hcm/manager/connections.json'), 'utf8')) as Json)['keys'];

  it('lie there and nowhere in the folder of the manager, work after a restart, and go with their connection', async () => {
    await keychain.unlock();
    const first = await startManager();
    await add();
    await becomes(first, 'online');
    assert.deepEqual(kept(), { 'listener localhost/db': 'keychain' });
    assert.ok(!folderText().includes(key));
    assert.equal((await first.interrupt()).status, 0);

    const second = await startManager();
    await becomes(second, 'online');
    const { port } = await home.forward('db', '--bind', '127.0.0.1:0');
    assert.equal(String(await ask(port, 'abc')), 'cba');
    assert.equal((await add())['changed'], false);
    await hcm(['remove', 'localhost/db']);
    await add();
    assert.deepEqual(kept(), { 'listener localhost/db': 'keychain' });
    assert.ok(!(folderText() + second.stdout + second.stderr).includes(key));
    assert.equal((await second.interrupt()).status, 0);
  });

  it('of a keychain that is locked or that hangs are a reason, in time; the manager serves on, and comes back', async () => {
    await keychain.unlock();
    const first = await startManager();
    await add();
    await becomes(first, 'online');
    await first.interrupt();

    await keychain.lock();
    const manager = await startManager();
    await becomes(manager, 'waiting');
    const { reason } = await hcm(['show', 'localhost/db']);
    assert.equal((reason as Json)['code'], 'HCM_KEYCHAIN_UNAVAILABLE');
    assert.match(String((reason as Json)['message']), /unlock prompt was dismissed/);
    await keychain.unlock();
    await hcm(['restart', 'localhost/db']);
    await becomes(manager, 'online');

    keychain.hang();
    const since = new Date().toISOString();
    await hcm(['restart', 'localhost/db']);
    const waiting = await manager.event(
      'state',
      (line) => line['state'] === 'waiting' && String(line['time']) > since,
    );
    assert.equal((waiting['reason'] as Json)['code'], 'HCM_KEYCHAIN_UNAVAILABLE');
    assert.equal((await manager.interrupt()).status, 0);
  });

  it('move with --secrets, and none is left behind', async () => {
    await keychain.unlock();
    const inFile = await startManager('--secrets', 'file');
    await add();
    await becomes(inFile, 'online');
    assert.ok(folderText().includes(key));
    await inFile.interrupt();

    const moved = await startManager('--secrets', 'keychain');
    await becomes(moved, 'online');
    await moved.event('secrets');
    assert.ok(!folderText().includes(key));
    await moved.interrupt();

    const back = await startManager('--secrets', 'file');
    await back.event('secrets');
    assert.ok(folderText().includes(key));
    await back.interrupt();
    await keychain.quit();
    await becomes(await startManager('--secrets', 'file'), 'online');
  });

  it('without a keychain go to the file by default, and nowhere when it must be the keychain', async () => {
    const manager = await startManager();
    await add();
    await becomes(manager, 'online');
    assert.deepEqual(kept(), { 'listener localhost/db': 'file' });
    assert.deepEqual(
      (await hcm(['status']))['manager'] && ((await hcm(['status']))['manager'] as Json)['problems'],
      [],
    );
    await hcm(['remove', 'localhost/db']);
    await manager.interrupt();

    await startManager('--secrets', 'keychain');
    const { error } = await add(1);
    assert.equal((error as Json)['code'], 'HCM_KEYCHAIN_UNAVAILABLE');
    assert.ok(!folderText().includes(key));
  });
});
