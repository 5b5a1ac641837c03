import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSecrets } from '../../../src/manager/secrets.ts';
import { ConnectionStore, type StoredConnection } from '../../../src/manager/store.ts';

const SECRET = 'Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKey=very-secret';

describe("the manager's store", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-store-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = () => ConnectionStore.open({ folder, secrets: fileSecrets(folder) });

  const stored = (connection: string): StoredConnection => ({
    role: 'listener',
    connection,
    pinnedTarget: 'db:5432',
    addedAt: '2026-01-01T00:00:00.000Z',
    entry: {},
  });

  it('gives back what was put into it, after a restart too, and the secret apart from it', async () => {
    await (await open()).put(stored('my-relay/db'), SECRET);
    const store = await open();
    assert.deepEqual(store.connections, [stored('my-relay/db')]);
    assert.equal(await store.secret(stored('My-Relay/DB')), SECRET);
    assert.doesNotMatch(await readFile(join(folder, 'connections.json'), 'utf8'), /secret/);
    for (const name of await readdir(folder))
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
  });

  it('holds a connection once, whatever its case, and forgets it with its secret', async () => {
    const store = await open();
    await store.put(stored('my-relay/db'), SECRET);
    await store.put(stored('MY-RELAY/db'), undefined);
    assert.deepEqual(
      store.connections.map(({ connection }) => connection),
      ['MY-RELAY/db'],
    );
    assert.equal(await store.remove('listener', 'my-relay/DB'), true);
    assert.equal(await store.remove('listener', 'my-relay/db'), false);
    assert.doesNotMatch(await readFile(join(folder, 'secrets.json'), 'utf8'), /very-secret/);
  });

  it('loses nothing when many are added at once', async () => {
    const store = await open();
    const names = Array.from({ length: 20 }, (_, at) => `my-relay/c${at}`);
    await Promise.all(names.map((name) => store.put(stored(name), `secret of ${name}`)));
    const again = await open();
    assert.deepEqual(
      again.connections.map(({ connection }) => connection),
      names,
    );
    assert.equal(await again.secret(stored('my-relay/c7')), 'secret of my-relay/c7');
  });

  for (const [what, text] of [
    ['half-written', '{"version":1,"connections":[{"role":"lis'],
    ['foreign', '{"hello":"world"}'],
    ['damaged', '{"version":1,"connections":[{"role":"listener"}]}'],
  ] as const) {
    it(`keeps a ${what} file aside and starts empty`, async () => {
      await writeFile(join(folder, 'connections.json'), text);
      const store = await open();
      assert.deepEqual(store.connections, []);
      const [problem] = await store.takeOver();
      assert.equal(problem?.code, 'HCM_STATE_CORRUPT');
      assert.match(String(problem.details['next']), /hcm add$/);
      const [aside = ''] = /\S+connections\.json\.corrupt-\d{4}-\S+Z/.exec(problem.message) ?? [];
      assert.equal(await readFile(aside, 'utf8'), text);
    });

    it(`leaves a ${what} file alone while the folder may be another manager's, until something is added`, async () => {
      await writeFile(join(folder, 'connections.json'), text);
      const store = await open();
      assert.deepEqual(await readdir(folder), ['connections.json']);
      assert.equal(await readFile(join(folder, 'connections.json'), 'utf8'), text);
      await store.put(stored('my-relay/db'), undefined);
      const aside = (await readdir(folder)).find((name) => name.startsWith('connections.json.corrupt-'));
      assert.equal(await readFile(join(folder, aside ?? ''), 'utf8'), text);
    });
  }

  it('keeps one copy of a file with an entry that makes no sense, however often it starts', async () => {
    const text = JSON.stringify({ version: 1, connections: [{ role: 'boss' }, stored('my-relay/db')] });
    await writeFile(join(folder, 'connections.json'), text);
    for (let starts = 0; starts < 2; starts += 1) {
      const store = await open();
      assert.match((await store.takeOver())[0]?.message ?? '', /1 of its connections make no sense/);
      assert.equal(store.connections.length, 1);
    }
    assert.equal((await readdir(folder)).length, 2);
  });

  it('has what another manager wrote before it left the folder to this one', async () => {
    const [leaving, next] = [await open(), await open()];
    await leaving.put(stored('my-relay/db'), SECRET);
    assert.deepEqual(await next.takeOver(), []);
    await next.put(stored('my-relay/web'), undefined);
    const again = await open();
    assert.deepEqual(
      again.connections.map(({ connection }) => connection),
      ['my-relay/db', 'my-relay/web'],
    );
    assert.equal(await again.secret(stored('my-relay/db')), SECRET);
  });

  it('confirms a target in what is there by then', async () => {
    const store = await open();
    await store.put(stored('my-relay/db'), SECRET);
    const [, isConfirmed] = await Promise.all([
      store.put({ ...stored('my-relay/db'), entry: { maxStreams: 7 } }, SECRET),
      store.pin('listener', 'my-relay/db', 'db2:5432'),
    ]);
    assert.equal(isConfirmed, true);
    const { entry, pinnedTarget } = store.get('listener', 'my-relay/db') ?? {};
    assert.deepEqual([entry, pinnedTarget], [{ maxStreams: 7 }, 'db2:5432']);
    assert.equal(await store.pin('listener', 'my-relay/db', 'db2:5432'), false);
    assert.equal(await store.pin('listener', 'my-relay/web', 'db2:5432'), false);
    await store.put({ ...stored('my-relay/web'), pinnedTarget: undefined }, undefined);
    assert.equal(
      await store.pin('listener', 'my-relay/web', 'db2:5432'),
      false,
      'it was told none to confirm',
    );
    assert.equal(store.get('listener', 'my-relay/web')?.pinnedTarget, undefined);
  });

  it('does not start on a file of a newer version, and leaves it as it is', async () => {
    const text = '{"version":2,"connections":[]}';
    await writeFile(join(folder, 'connections.json'), text);
    await assert.rejects(open(), { code: 'HCM_STATE_CORRUPT', message: /newer version of hcm \(2\)/ });
    assert.equal(await readFile(join(folder, 'connections.json'), 'utf8'), text);
  });

  it('changes nothing when its file cannot be written', async () => {
    const store = await open();
    await store.put(stored('my-relay/db'), SECRET);
    // A folder in the place of the file: no user, not even root, can write that.
    await rm(join(folder, 'connections.json'));
    await mkdir(join(folder, 'connections.json'));
    await assert.rejects(store.put(stored('my-relay/web'), undefined), { code: 'HCM_STATE_UNWRITABLE' });
    assert.deepEqual(store.connections, [stored('my-relay/db')]);
    await rm(join(folder, 'connections.json'), { recursive: true });
    await store.put(stored('my-relay/web'), undefined);
    assert.equal((await open()).connections.length, 2, 'what is changed next is written');
  });
});
