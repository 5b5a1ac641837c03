// Where the store puts secrets, how they move, and what is left when something fails in between.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileSecrets } from '../../../src/manager/secrets.ts';
import { ConnectionStore, type SecretChoice, type StoredConnection } from '../../../src/manager/store.ts';
import { FakeKeychain } from '../../helpers/fake-keychain.ts';

const SECRET = 'Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKey=very-secret';
const OTHER = 'Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKey=another-secret';

describe("the store's secrets", () => {
  let folder: string;
  let keychain: FakeKeychain;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-store-'));
    keychain = new FakeKeychain();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (choice: SecretChoice, withKeychain = true) =>
    ConnectionStore.open({
      ...{ folder, choice, secrets: fileSecrets(folder) },
      ...(withKeychain ? { keychain } : {}),
    });

  const db: StoredConnection = {
    role: 'listener',
    connection: 'my-relay/db',
    addedAt: '2026-01-01T00:00:00.000Z',
    entry: {},
  };
  const web: StoredConnection = { ...db, connection: 'my-relay/web' };

  const file = (name: string) => join(folder, name);
  const filesText = async () =>
    (await Promise.all((await readdir(folder)).map((name) => readFile(file(name), 'utf8')))).join('\n');

  describe('in the keychain', () => {
    for (const choice of ['keychain', 'auto'] as const) {
      it(`with ${choice} lie there and nowhere else, and are found after a restart`, async () => {
        await (await open(choice)).put(db, SECRET);
        assert.doesNotMatch(await filesText(), /very-secret/);
        assert.deepEqual([...keychain.entries.values()], [SECRET]);
        const again = await open(choice);
        assert.equal(await again.secret(db), SECRET);
        assert.equal(again.secretPlace(db), 'keychain');
      });
    }

    it('are replaced, and removed with their connection', async () => {
      const store = await open('keychain');
      await store.put(db, SECRET);
      await store.put(db, OTHER);
      assert.deepEqual([...keychain.entries.values()], [OTHER]);
      await store.remove('listener', 'MY-RELAY/db');
      assert.equal(keychain.entries.size, 0);
      assert.equal(store.keeper.problem, undefined);
    });

    it('of a connection that gives its key up are removed, and it has none then', async () => {
      const store = await open('keychain');
      await store.put(db, SECRET);
      await store.put(db, undefined);
      assert.equal(keychain.entries.size, 0);
      assert.equal(await store.secret(db), undefined);
    });

    it('stay where they are while only the entry changes, locked or not', async () => {
      const store = await open('keychain');
      await store.put({ ...db, pinnedTarget: 'db:0' }, SECRET);
      keychain.locked = true;
      await store.pin('listener', 'my-relay/db', 'db:1');
      keychain.locked = false;
      const again = await open('keychain');
      assert.deepEqual(
        [again.get('listener', 'my-relay/db')?.pinnedTarget, await again.secret(db)],
        ['db:1', SECRET],
      );
    });

    it('that cannot be had are a clear reason, not "no key"', async () => {
      await (await open('keychain')).put(db, SECRET);
      keychain.locked = true;
      await assert.rejects((await open('keychain')).secret(db), { code: 'HCM_KEYCHAIN_UNAVAILABLE' });
      await assert.rejects((await open('file', false)).secret(db), { code: 'HCM_KEYCHAIN_UNAVAILABLE' });
      keychain.locked = false;
      keychain.entries.clear();
      await assert.rejects((await open('keychain')).secret(db), {
        code: 'HCM_SECRET_MISSING',
        message: /my-relay\/db is gone: the keychain has no entry/,
      });
    });

    it('with keychain, a locked one refuses what is new and changes nothing', async () => {
      const store = await open('keychain');
      await store.put(db, SECRET);
      keychain.locked = true;
      await assert.rejects(store.put(web, OTHER), { code: 'HCM_KEYCHAIN_UNAVAILABLE' });
      await assert.rejects(store.put(db, OTHER), { code: 'HCM_KEYCHAIN_UNAVAILABLE' });
      keychain.locked = false;
      assert.deepEqual(store.connections, [db]);
      assert.equal(await (await open('keychain')).secret(db), SECRET);
    });

    it('with auto, a locked one leaves what is new to the file, without asking again for each', async () => {
      keychain.locked = true;
      const store = await open('auto');
      await store.put(db, SECRET);
      const { acts } = keychain;
      await store.put(web, OTHER);
      assert.equal(keychain.acts, acts);
      assert.deepEqual([await store.secret(db), await store.secret(web)], [SECRET, OTHER]);
      assert.equal(store.secretPlace(db), 'file');
    });

    it('of a removed connection, when it is locked just then, are removed at the next start', async () => {
      const store = await open('keychain');
      await store.put(db, SECRET);
      keychain.locked = true;
      await store.remove('listener', 'my-relay/db');
      assert.deepEqual([store.connections, store.keeper.problem?.code], [[], 'HCM_KEYCHAIN_UNAVAILABLE']);
      keychain.locked = false;
      assert.equal(keychain.entries.size, 1);
      const again = await open('file');
      await again.settle();
      assert.equal(keychain.entries.size, 0);
      assert.doesNotMatch(await readFile(file('connections.json'), 'utf8'), /leftovers/);
    });

    it('that were written when the manager died, before their connection was, are removed at the next start', async () => {
      const store = await open('keychain');
      keychain.before = (act) => {
        if (act !== 'save') return;
        // From here on nothing can be written, as if it had ended here.
        renameSync(file('connections.json'), file('kept'));
        mkdirSync(file('connections.json'));
      };
      await assert.rejects(store.put(db, SECRET), { code: 'HCM_STATE_UNWRITABLE' });
      rmdirSync(file('connections.json'));
      renameSync(file('kept'), file('connections.json'));
      assert.deepEqual([store.connections, keychain.entries.size], [[], 1]);
      await (await open('file')).settle();
      assert.equal(keychain.entries.size, 0);
    });

    it('of two stores of a user, of the same name, lie beside each other', async () => {
      const other = await mkdtemp(join(tmpdir(), 'hcm-store-'));
      try {
        await (await open('keychain')).put(db, SECRET);
        const second = { folder: other, choice: 'keychain', secrets: fileSecrets(other), keychain } as const;
        await (await ConnectionStore.open(second)).put(db, OTHER);
        assert.equal(await (await open('keychain')).secret(db), SECRET);
        assert.equal(await (await ConnectionStore.open(second)).secret(db), OTHER);
        assert.equal(keychain.entries.size, 2);
      } finally {
        await rm(other, { recursive: true });
      }
    });

    it('with auto, what the disk does not take is no matter of the keychain', async () => {
      const store = await open('auto');
      await mkdir(file('connections.json'));
      await assert.rejects(store.put(db, SECRET), { code: 'HCM_STATE_UNWRITABLE' });
      assert.equal(store.keeper.noKeychain, undefined);
    });

    it('that one could not remove are no problem any more once it could', async () => {
      const store = await open('keychain');
      await store.put(db, SECRET);
      keychain.locked = true;
      await store.remove('listener', 'my-relay/db');
      keychain.locked = false;
      await store.put(web, undefined);
      assert.deepEqual([store.keeper.problem, keychain.entries.size], [undefined, 0]);
    });

    it('are not asked for by a store that has none there', async () => {
      const store = await open('auto');
      await store.settle();
      await store.put(db, undefined);
      await store.secret(db);
      await store.remove('listener', 'my-relay/db');
      assert.equal(keychain.acts, 0);
    });
  });

  describe('move', () => {
    it('to the keychain and back when the choice changes, and nothing is lost or left', async () => {
      const first = await open('file');
      await first.put(db, SECRET);
      await first.put(web, OTHER);
      const second = await open('keychain');
      await second.settle();
      assert.deepEqual([await second.secret(db), await second.secret(web)], [SECRET, OTHER]);
      assert.doesNotMatch(await filesText(), /very-secret|another-secret/);
      const third = await open('file');
      await third.settle();
      assert.deepEqual([await third.secret(db), await third.secret(web)], [SECRET, OTHER]);
      assert.equal(keychain.entries.size, 0);
    });

    it('not at all while the keychain is locked; with keychain that is told, with auto it is no matter', async () => {
      await (await open('file')).put(db, SECRET);
      keychain.locked = true;
      for (const [choice, problem] of [
        ['keychain', 'HCM_KEYCHAIN_UNAVAILABLE'],
        ['auto', undefined],
      ] as const) {
        const store = await open(choice);
        await store.settle();
        assert.deepEqual([store.keeper.problem?.code, await store.secret(db)], [problem, SECRET]);
      }
    });

    it('what could not be moved is told until it is, whatever else is changed', async () => {
      await (await open('file')).put(db, SECRET);
      keychain.locked = true;
      const store = await open('keychain');
      await store.settle();
      await store.put(web, undefined);
      assert.equal(store.keeper.problem?.code, 'HCM_KEYCHAIN_UNAVAILABLE');
      await store.remove('listener', 'my-relay/db');
      assert.equal(store.keeper.problem, undefined, 'nothing is left to be moved');
      keychain.locked = false;
      await store.put(db, SECRET);
      await store.settle();
      assert.equal(store.keeper.problem, undefined);
    });

    for (const [name, dies] of [
      ['before it is written there', 'save'],
      ['before it is deleted where it was', 'remove'],
    ] as const) {
      it(`cut off ${name} loses nothing, and the next start ends it`, async () => {
        const from = dies === 'save' ? 'file' : 'keychain';
        const to = dies === 'save' ? 'keychain' : 'file';
        await (await open(from)).put(db, SECRET);
        const cut = await open(to);
        keychain.before = (act) => {
          if (act === dies) throw new Error('killed');
        };
        await cut.settle();
        keychain.before = () => undefined;
        const next = await open(to);
        assert.equal(await next.secret(db), SECRET);
        await next.settle();
        assert.deepEqual([await next.secret(db), next.secretPlace(db)], [SECRET, to]);
        assert.equal(keychain.entries.size, to === 'keychain' ? 1 : 0);
        assert.equal(/very-secret/.test(await filesText()), to === 'file');
      });
    }
  });

  describe('in their file', () => {
    const CASES: [what: string, text: string][] = [
      ['half-written', '{"version":1,"secrets":{"listener my-re'],
      ['of another kind', '[1,2]'],
      ['with wrong types inside', '{"version":1,"secrets":{"listener my-relay/db":5}}'],
      ['without its list', '{"version":1}'],
      ['empty', ''],
    ];
    for (const [what, text] of CASES) {
      it(`that is ${what}: it is put aside and told, and only who needs it waits`, async () => {
        const store = await open('file');
        await store.put(db, SECRET);
        await store.put(web, undefined);
        await writeFile(file('secrets.json'), text);
        const again = await open('file');
        assert.equal(await readFile(file('secrets.json'), 'utf8'), text, 'it may be of another manager');
        const problems = await again.takeOver();
        assert.deepEqual(
          problems.map(({ code }) => code),
          ['HCM_STATE_CORRUPT'],
        );
        assert.match(String(problems[0]?.details['next']), /hcm add … --connection-string-file/);
        const aside = /aside as (\S+);/.exec(problems[0]?.message ?? '')?.[1] ?? '';
        assert.equal(await readFile(aside, 'utf8'), text);
        assert.equal(again.connections.length, 2);
        await assert.rejects(again.secret(db), {
          code: 'HCM_SECRET_MISSING',
          message: /my-relay\/db is gone: secrets\.json/,
        });
        assert.equal(await again.secret(web), undefined);
        await again.put(db, OTHER);
        assert.equal(await again.secret(db), OTHER);
      });
    }

    it('of a newer version is left as it is, and nothing is written over it', async () => {
      await (await open('file')).put(db, SECRET);
      const text = '{"version":9,"all":"different"}';
      await writeFile(file('secrets.json'), text, { mode: 0o600 });
      const store = await open('file');
      assert.match((await store.takeOver())[0]?.message ?? '', /newer version of hcm \(9\)/);
      await assert.rejects(store.secret(db), { code: 'HCM_STATE_CORRUPT' });
      await assert.rejects(store.put(web, OTHER), { code: 'HCM_STATE_CORRUPT' });
      assert.deepEqual(store.connections, [db]);
      assert.equal(await readFile(file('secrets.json'), 'utf8'), text);
    });

    for (const mode of [0o644, 0o640, 0o602, 0o610])
      it(`that others may open are closed and told (mode ${mode.toString(8)})`, async function () {
        if (process.platform === 'win32') return;
        await (await open('file')).put(db, SECRET);
        await chmod(file('secrets.json'), mode);
        const [problem] = await (await open('file')).takeOver();
        assert.equal((await stat(file('secrets.json'))).mode & 0o777, 0o600);
        assert.equal(problem?.code, 'HCM_SECRET_EXPOSED');
        assert.ok(problem.message.endsWith(`(mode ${mode.toString(8)}); it is closed now.`));
        assert.deepEqual(await (await open('file')).takeOver(), []);
      });

    it('that cannot be written refuse what is new; what was there before stays', async () => {
      const store = await open('file');
      await store.put(db, SECRET);
      await rm(file('secrets.json'));
      await mkdir(file('secrets.json'));
      await assert.rejects(store.put(db, OTHER), { code: 'HCM_FILE_UNREADABLE', message: /it is no file/ });
      assert.deepEqual(store.connections, [db]);
      assert.deepEqual((await open('file')).connections, [db]);
    });

    it('get their old key back when the entry cannot be written', async () => {
      const store = await open('file');
      await store.put(db, SECRET);
      await rm(file('connections.json'));
      await mkdir(file('connections.json'));
      await assert.rejects(store.put({ ...db, pinnedTarget: 'x:1' }, OTHER), {
        code: 'HCM_STATE_UNWRITABLE',
      });
      assert.equal(await store.secret(db), SECRET);
    });

    it('leave no half-written copy behind, which would hold them', async () => {
      await writeFile(file('secrets.json.123456'), SECRET);
      await writeFile(file('connections.json.77'), '{');
      await (await open('file')).settle();
      assert.deepEqual(await readdir(folder), []);
    });

    it('may be a symbolic link, which stays one', async function () {
      if (process.platform === 'win32') return;
      await mkdir(file('elsewhere'));
      await writeFile(file('elsewhere/s.json'), '{"version":1,"secrets":{}}', { mode: 0o600 });
      await symlink(file('elsewhere/s.json'), file('secrets.json'));
      await (await open('file')).put(db, SECRET);
      assert.match(await readFile(file('elsewhere/s.json'), 'utf8'), /very-secret/);
    });
  });
});
