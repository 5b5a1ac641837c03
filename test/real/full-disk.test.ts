// A manager whose folder is on a disk that is full: on a small tmpfs of its own. Needs root.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'node:net';
import type { HcmProcess } from '../e2e/hcm-process.ts';
import { answerReversed, ask, portOf, RelayHome, startServer } from '../e2e/relay-home.ts';
import { runCommand } from './servers/run-command.ts';

type Json = Record<string, unknown>;

const SIZE = '256k';

describe('a full disk under the manager', () => {
  let home: RelayHome;
  let disk: string;
  let target: Server;

  beforeEach(async () => {
    home = new RelayHome();
    target = await startServer(answerReversed);
    await home.startEmulator('db', 'web');
    disk = home.path('disk');
    mkdirSync(disk);
    await runCommand('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=700`, 'tmpfs', disk]);
  });
  afterEach(async () => {
    target.close();
    await home.killAll();
    await runCommand('umount', [disk]);
    await home.remove();
  });

  const env = () => ({ HCM_STATE_DIR: disk, HCM_CA_FILE: String(home.ready['caFile']) });
  const file = (name: string) => join(disk, 'manager', name);

  async function startManager(): Promise<HcmProcess> {
    const manager = home.start(['service', 'run', '--no-http', '--json'], env());
    await manager.event('ready');
    return manager;
  }

  async function hcm(args: string[], wanted = 0): Promise<Json> {
    const { status, signal, stdout, stderr } = await home.run([...args, '--json'], { env: env() });
    assert.equal(status, wanted, `${signal} ${stderr}${stdout}`);
    return JSON.parse(stdout) as Json;
  }

  const add = (name: string, wanted = 0) => {
    const to = ['--target', `127.0.0.1:${portOf(target)}`];
    return hcm(['add', '--connection-string-file', `${name}-listen.txt`, ...to], wanted);
  };

  /** Not a byte is left. */
  function fill(): void {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize));
    assert.equal(statfsSync(disk).bavail, 0);
  }

  const store = () => ['connections.json', 'secrets.json'].map((name) => readFileSync(file(name), 'utf8'));

  it('is told by add and remove, which change nothing; what runs goes on; with room again all is well', async () => {
    const manager = await startManager();
    await add('db');
    await manager.event('online');
    const before = store();
    fill();
    for (const command of [() => add('web', 1), () => hcm(['remove', 'localhost/db'], 1)]) {
      const { error } = (await command()) as { error: Json };
      assert.equal(error['code'], 'HCM_STATE_UNWRITABLE');
      assert.match(String(error['message']), /ENOSPC/);
    }
    assert.deepEqual(store(), before);
    assert.deepEqual(
      readdirSync(join(disk, 'manager')).filter((name) => /\.\d+$/.test(name)),
      [],
      'nothing half-written is left',
    );
    const { port } = await home.forward('db', '--bind', '127.0.0.1:0');
    assert.equal(String(await ask(port, 'abc')), 'cba');

    manager.kill('SIGKILL');
    await manager.ended;
    const again = await startManager();
    await again.event('online');
    rmSync(join(disk, 'filler'));
    await add('web');
    await again.event('online', ({ id }) => id === 'listen localhost/web');
    await hcm(['remove', 'localhost/db']);
    assert.equal(((await hcm(['list'])) as unknown as Json[]).length, 1);
  });
});
