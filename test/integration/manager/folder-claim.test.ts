import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTurn } from '../../../src/manager/folder-claim.ts';
import { ManagerService } from '../../../src/manager/manager-service.ts';
import { fileSecrets } from '../../../src/manager/secrets.ts';
import { ConnectionStore } from '../../../src/manager/store.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeTunnels } from '../../helpers/fake-tunnels.ts';

const ROUNDS = 10;

describe('the folder of a manager', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'hcm-claim-'))));
  afterEach(() => rm(folder, { recursive: true }));

  async function manager(socket: string): Promise<ManagerService> {
    return new ManagerService({
      ...{ version: '1.2.3', pid: 7, folder, socketPath: join(folder, socket) },
      store: await ConnectionStore.open({ folder, secrets: fileSecrets(folder) }),
      keys: { choice: 'file' },
      open: new FakeTunnels().open,
      sink: { write: () => undefined, close: () => Promise.resolve() },
      clock: systemClock,
      random: Math.random,
      graceMs: 0,
    });
  }

  it('has one, though two with sockets of their own start at once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const both = [await manager('one.sock'), await manager('other.sock')];
      const outcomes = await Promise.allSettled(both.map((one) => one.start()));
      const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
      const [note] = await Promise.all([
        readFile(join(folder, 'manager.socket'), 'utf8'),
        ...both.map((one, index) => outcomes[index]?.status === 'fulfilled' && one.stop(0)),
      ]);
      assert.deepEqual(
        refused.map((error) => (error as { code: string }).code),
        ['HCM_STATE_LOCKED'],
      );
      assert.match(note, outcomes[0]?.status === 'fulfilled' ? /one\.sock$/m : /other\.sock$/m);
      assert.deepEqual(await readdir(folder), []);
    }
  });

  it('is left as it is, and free, by one that finds in it what a newer version has written meanwhile', async () => {
    const late = await manager('one.sock');
    const text = '{"version":2,"connections":[]}';
    await writeFile(join(folder, 'connections.json'), text);
    await assert.rejects(late.start(), { code: 'HCM_STATE_CORRUPT', message: /newer version of hcm \(2\)/ });
    assert.deepEqual(await readdir(folder), ['connections.json']);
    assert.equal(await readFile(join(folder, 'connections.json'), 'utf8'), text);
  });

  it('is taken from one that was killed, whatever it has left', async () => {
    await writeFile(join(folder, 'manager.socket'), `${join(folder, 'gone.sock')}\n`);
    await writeFile(join(folder, 'manager.socket.123'), '');
    const next = await manager('one.sock');
    await next.start();
    await next.stop(0);
    assert.deepEqual(await readdir(folder), []);
  });

  it('is not waited for longer than a start takes, when one was killed in the midst of it', async () => {
    await mkdir(join(folder, 'manager.starting'));
    const clock = new FakeClock();
    let isDone = false;
    const turn = inTurn(folder, clock, () => Promise.resolve((isDone = true)));
    while (!isDone) await clock.advanceAsync(10);
    await turn;
    assert.equal(clock.monotonicMs() >= 5_000, true);
    assert.deepEqual(await readdir(folder), []);
  });
});
