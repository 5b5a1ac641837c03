import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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
      assert.equal(error.message, `The file ${file} does not exist, so nothing of it runs.`);
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
