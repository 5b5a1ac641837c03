// One manager, many edits and bad neighbours: whatever happens to one connection reaches no other.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ConnectionView } from '../../src/manager/control/operations.ts';
import { LongStream } from './load.ts';
import { askOnce, kill, ManagerBed, summary } from './manager-bed.ts';
import { startBlackHole } from './servers/black-hole.ts';

const EDITS = 100;
const KILLS = 5;
/** Quicker than the 200 ms after which an edit counts as done, mostly. */
const EDIT_PAUSE_MS = 60;

describe('a manager among bad neighbours, edits and kills', () => {
  let bed: ManagerBed;

  beforeEach(async () => {
    bed = await ManagerBed.start({ raw: 40, azbridge: 2, http: 2, forwards: 2 });
  });
  afterEach(() => bed?.stop());

  const stateOf = async (id: string) => (await bed.manager.client.list()).find((one) => one.id === id);

  it('four bad connections touch none of 50 good ones', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const good = (await readFile(join(bed.path.directory, 'raw-1.listener'), 'utf8')).trim();
    const whole = String(bed.emulator.events.find(({ event }) => event === 'ready')?.['connectionString']);
    const bad = {
      'wrong-key': good
        .replace(/SharedAccessKey=[^;]*/, 'SharedAccessKey=d3Jvbmc=')
        .replace('raw-1', 'wrong-key'),
      missing: `${whole};EntityPath=missing`,
    };
    for (const [name, text] of Object.entries(bad))
      await writeFile(join(bed.path.directory, `${name}.listener`), text, { mode: 0o600 });
    const listeners = Object.keys(bad).map((name) => ({
      connection: `localhost/${name}`,
      connectionStringFile: `${name}.listener`,
      target: '127.0.0.1:9',
    }));
    const forwards = [
      { connection: 'localhost/raw-40', connectionStringFile: 'raw-40.sender', bind: `127.0.0.1:${port}` },
      { connection: 'localhost/raw-39', connectionStringFile: 'nowhere.sender', bind: '127.0.0.1:0' },
    ];
    await bed.startManager({
      entries: { listeners: [...listeners, ...bed.listeners], forwards: [...forwards, ...bed.forwards] },
    });
    const codes = (all: readonly ConnectionView[]) =>
      all.flatMap(({ reason }) => (reason === undefined ? [] : [reason.code])).sort();
    const wanted = ['HCM_ENTITY_NOT_FOUND', 'HCM_FILE_UNREADABLE', 'HCM_PORT_IN_USE', 'HCM_TOKEN_SIGNATURE'];
    const isIt = (all: readonly ConnectionView[]) =>
      codes(all).length === 4 && all.filter(({ state }) => state === 'online').length === 50;
    await bed.becomes('50 online, 4 not', isIt, 30_000);
    assert.deepEqual(codes(await bed.list()), wanted);
    for (const name of bed.names) if (name.startsWith('raw')) await bed.answers(name);
    const reconnects = (await bed.list())
      .filter(({ state }) => state === 'online')
      .map((one) => one.reconnects);
    assert.deepEqual(new Set(reconnects), new Set([0]));
    taken.close();
    await bed.becomes('the port that was let go', (all) => codes(all).length === 3, 45_000);
  });

  it('two targets that take no connection and refuse none hold up nobody else', async () => {
    const hole = await startBlackHole();
    const lead = (one: Record<string, unknown>) => {
      const swallowed = { ...one, target: `127.0.0.1:${hole.port}` };
      if (one['connection'] === 'localhost/raw-40') return swallowed;
      return one['connection'] === 'localhost/raw-39' ? { ...swallowed, healthCheck: 'tcp' } : one;
    };
    try {
      await bed.startManager({ entries: { listeners: bed.listeners.map(lead), forwards: bed.forwards } });
      const goodOnes = (all: readonly ConnectionView[]) =>
        all.filter(({ id, state }) => !/raw-(39|40)$/.test(id) && state === 'online').length === 48;
      await bed.becomes('48 online', goodOnes, 30_000);
      const asked = askOnce(await bed.outside('raw-40'), 'hello').then(
        () => 'answered',
        () => 'refused',
      );
      for (let round = 0; round < 3; round += 1)
        for (const name of bed.names.filter((one) => /raw-[1-9]$/.test(one))) await bed.answers(name);
      const codeOf = async (name: string) => (await stateOf(`listen localhost/${name}`))?.reason?.code;
      const isTold = async () =>
        (await codeOf('raw-39')) === 'HCM_TARGET_TIMEOUT' &&
        (await codeOf('raw-40')) === 'HCM_TARGET_TIMEOUT';
      await bed.until('both are told', isTold, 30_000);
      assert.equal(await asked, 'refused');
      assert.equal((await stateOf('listen localhost/raw-39'))?.state, 'target-down');
      assert.equal((await stateOf('listen localhost/raw-40'))?.state, 'degraded');
      assert.ok(goodOnes(await bed.list()));
    } finally {
      await hole.stop();
    }
  });

  it('100 quick edits open anew what they change, and cut no stream of all others', async () => {
    await bed.startManager({ args: ['--grace-period', '60s'] });
    await bed.allOnline(30_000);
    const touched = 'listen localhost/raw-40';
    const since = new Map((await bed.list()).map(({ id, since }) => [id, since]));
    const streams = [];
    for (const name of ['raw-1', 'raw-2', 'raw-3', 'raw-40'])
      streams.push(await LongStream.open(await bed.outside(name), `${name}: `));
    const file = join(bed.path.directory, 'hcm.yaml');
    for (let edit = 0; edit < EDITS; edit += 1) {
      const listeners = bed.listeners.map((one) =>
        one['connection'] === 'localhost/raw-40' ? { ...one, maxStreams: 100 + edit } : one,
      );
      // Broken, in another order, and with a change, in turn; some are followed, some are overtaken.
      if (edit % 3 === 0) await writeFile(file, 'manager: {listeners: [{wrong: 1');
      else if (edit % 3 === 1)
        await bed.writeFile({ listeners: listeners.reverse(), forwards: bed.forwards });
      else await bed.writeFile({ listeners, forwards: bed.forwards });
      if (edit % 10 === 0) await bed.manager.client.reload().catch(() => undefined);
      else await new Promise((resolve) => setTimeout(resolve, EDIT_PAUSE_MS));
    }
    const last = bed.listeners.filter((one) => one['connection'] !== 'localhost/raw-39');
    await bed.writeFile({ listeners: last, forwards: bed.forwards });
    await bed.becomes(
      'the last edit',
      (all) => all.length === 49 && all.every(({ state }) => state === 'online'),
      20_000,
    );
    const { problems } = await bed.manager.client.describe();
    assert.deepEqual(problems, []);
    for (const { id, since: now, reconnects } of await bed.list()) {
      assert.equal(reconnects, 0, id);
      if (id !== touched) assert.equal(now, since.get(id), `${id} was touched`);
    }
    assert.notEqual((await stateOf(touched))?.since, since.get(touched));
    const outcomes = await Promise.all(streams.map((stream) => stream.finish()));
    assert.deepEqual(
      outcomes.filter((outcome) => outcome !== undefined),
      [],
    );
  });

  it('comes back after kill -9, again and again, on its stale socket and its ports', async () => {
    await bed.startManager();
    await bed.allOnline(30_000);
    for (let count = 0; count < KILLS; count += 1) {
      await kill(bed.manager.process);
      await bed.startManager();
    }
    await bed.allOnline(30_000);
    await bed.bytesFlow();
    assert.equal(summary(await bed.list()), '50 online');
    // A second one beside it changes nothing.
    const { status, stdout } = await bed.tryManager();
    assert.equal(status, 2);
    assert.match(stdout, /HCM_STATE_LOCKED/);
    assert.equal(summary(await bed.list()), '50 online');
  });
});
