import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyFileWatch } from '../../../../../src/lib/cli/manager/watch-key-files.ts';
import { until } from '../../../../helpers/until.ts';

describe('the watch on key files', () => {
  let folder: string;
  let told: string[];
  let watch: KeyFileWatch;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-keys-'));
    told = [];
    watch = new KeyFileWatch((path) => told.push(path), 10);
  });
  afterEach(async () => {
    watch.stop();
    await rm(folder, { recursive: true });
  });

  /** The first look is only noted. */
  async function follow(...paths: string[]): Promise<void> {
    watch.follow(paths);
    let isNoted = false;
    const probe = join(folder, 'probe');
    const first = new KeyFileWatch(() => (isNoted = true), 10);
    first.follow([probe]);
    for (let count = 0; !isNoted; count += 1) {
      await writeFile(probe, String(count));
      await new Promise((resolve) => setImmediate(resolve));
    }
    first.stop();
  }

  it('tells of a file that is written, replaced, or behind a link that is moved', async () => {
    const [plain, replaced, linked] = ['plain', 'replaced', 'linked'].map((name) => join(folder, name));
    assert.ok(plain && replaced && linked);
    await writeFile(plain, 'one');
    await writeFile(replaced, 'one');
    await writeFile(join(folder, 'v1'), 'one');
    await writeFile(join(folder, 'v2'), 'two!');
    await symlink('v1', linked);
    await follow(plain, replaced, linked);
    await writeFile(plain, 'two!');
    await until(() => told.includes(plain));
    await writeFile(join(folder, 'new'), 'two!');
    await rename(join(folder, 'new'), replaced);
    await until(() => told.includes(replaced));
    await symlink('v2', join(folder, 'link'));
    await rename(join(folder, 'link'), linked);
    await until(() => told.includes(linked));
  });
});
