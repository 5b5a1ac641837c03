import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadManagerFile } from '../../../../../src/lib/cli/manager/run-manager.ts';
import { watchFile } from '../../../../../src/lib/cli/manager/watch-file.ts';
import type { HcmError } from '../../../../../src/protocol/errors.ts';
import { until } from '../../../../helpers/until.ts';

describe('the hcm.yaml that does not exist yet', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'hcm-file-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('is named as such, with what to do', async () => {
    const file = join(folder, 'hcm.yaml');
    await assert.rejects(loadManagerFile(file, {}), (error: HcmError) => {
      assert.equal(error.message, `The file ${file} does not exist.`);
      assert.match(String(error.details['next']), /Write it, and it is followed at once/);
      return true;
    });
  });

  for (const path of ['hcm.yaml', 'etc/hcm.yaml'])
    it(`is followed from when it is written: ${path}`, async () => {
      const file = join(folder, path);
      let edits = 0;
      const end = await watchFile(file, () => Promise.resolve((edits += 1)), { lookMs: 10 });
      try {
        const before = edits;
        await mkdir(join(file, '..'), { recursive: true });
        await writeFile(file, 'manager: {}\n');
        await until(() => edits > before);
      } finally {
        await end();
      }
    });

  it('is read again once it is watched: it may have been edited since it was read at the start', async () => {
    const file = join(folder, 'hcm.yaml');
    await writeFile(file, 'manager: {}\n');
    let readings = 0;
    const end = await watchFile(file, () => Promise.resolve((readings += 1)));
    await end();
    assert.equal(readings, 1);
  });
});

describe('the hcm.yaml that is followed', () => {
  let folder: string;
  let file: string;
  let edits: number;
  let end: () => Promise<void>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-file-'));
    file = join(folder, 'etc', 'hcm.yaml');
    await mkdir(join(folder, 'etc'));
    edits = 0;
  });
  afterEach(async () => {
    await end();
    await rm(folder, { recursive: true });
  });

  const follow = async () =>
    (end = await watchFile(file, () => Promise.resolve((edits += 1)), { lookMs: 10 }));

  async function isSeen(edit: () => Promise<unknown>): Promise<void> {
    const before = edits;
    await edit();
    await until(() => edits > before);
  }

  it('is still followed when its folder was moved away and made anew', async () => {
    await writeFile(file, 'manager: {}\n');
    await follow();
    await isSeen(() => rename(join(folder, 'etc'), join(folder, 'old')));
    await isSeen(async () => {
      await mkdir(join(folder, 'etc'));
      await writeFile(file, 'manager: {listeners: []}\n');
    });
    await isSeen(() => writeFile(file, 'manager: {forwards: []}\n'));
  });

  it('is followed to where its link leads now', async () => {
    const [one, other, link] = ['one', 'other', 'link'].map((name) => join(folder, name));
    await writeFile(one ?? '', 'manager: {}\n');
    await writeFile(other ?? '', 'manager: {listeners: []}\n');
    await symlink(one ?? '', file);
    await follow();
    await isSeen(async () => {
      await symlink(other ?? '', link ?? '');
      await rename(link ?? '', file);
    });
    await isSeen(() => writeFile(other ?? '', 'manager: {forwards: []}\n'));
  });

  it('is followed where the system has no watch left', async () => {
    const { watch } = fs;
    fs.watch = () => {
      throw Object.assign(new Error('System limit for number of file watchers reached'), { code: 'ENOSPC' });
    };
    syncBuiltinESMExports();
    try {
      await writeFile(file, 'manager: {}\n');
      await follow();
      await isSeen(() => writeFile(file, 'manager: {listeners: []}\n'));
      await isSeen(() => rm(file));
    } finally {
      fs.watch = watch;
      syncBuiltinESMExports();
    }
  });

  it('is not read any more at the end', async () => {
    await writeFile(file, 'manager: {}\n');
    await follow();
    await end();
    const before = edits;
    let reads = 0;
    const endOther = await watchFile(file, () => Promise.resolve((reads += 1)), { lookMs: 10 });
    await writeFile(file, 'manager: {listeners: []}\n');
    await until(() => reads > 1);
    await endOther();
    assert.equal(edits, before);
  });
});
