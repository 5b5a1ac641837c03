import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveJson } from '../../../../src/lib/config/json-file.ts';
import { makeFolder } from '../../../../src/lib/config/make-folder.ts';

describe('a folder of the state', () => {
  let root: string;
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'hcm-folder-'))));
  afterEach(() => rm(root, { recursive: true }));

  const isFolder = async (...names: string[]) => (await stat(join(root, ...names))).isDirectory();

  it('is made with all that is missing above it, by several at once, too', async () => {
    await Promise.all([1, 2, 3].map((number) => makeFolder(join(root, 'a', 'b', `c${number}`), 0o700)));
    assert.ok(await isFolder('a', 'b', 'c3'));
    await makeFolder(join(root, 'a', 'b'), 0o700);
  });

  it('may stand behind a link', async () => {
    await makeFolder(join(root, 'real'), 0o700);
    await symlink(join(root, 'real'), join(root, 'link'));
    await makeFolder(join(root, 'link', 'b'), 0o700);
    await makeFolder(join(root, 'link'), 0o700);
    assert.ok(await isFolder('real', 'b'));
  });

  it('is refused where a file or a dangling link has its place', async () => {
    await writeFile(join(root, 'file'), '');
    await symlink(join(root, 'nothing'), join(root, 'dangling'));
    await assert.rejects(makeFolder(join(root, 'file'), 0o700), { code: 'EEXIST' });
    await assert.rejects(makeFolder(join(root, 'file', 'b'), 0o700), { code: 'ENOTDIR' });
    await assert.rejects(makeFolder(join(root, 'dangling', 'b'), 0o700), { code: 'EEXIST' });
  });

  // Only Linux has a folder in which no other may be made and that says so with ENOENT.
  if (process.platform === 'linux') {
    it('is refused at once where none may be made, instead of tried for ever', async () => {
      await assert.rejects(saveJson('/proc/hcm/state/account.json', {}), {
        code: 'HCM_STATE_UNWRITABLE',
        message: /ENOENT/,
      });
    });
  }
});
