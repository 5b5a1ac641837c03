import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logFile } from '../../../src/manager/event-log.ts';

describe("the manager's log on the disk", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-log-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is five older files and a new one, which nobody else may read, and nothing beside them', async () => {
    for (let count = 0; count < 14; count += 1) {
      const sink = await logFile(folder, assert.ifError, '8B');
      sink.write(`line ${count}\n`);
      await sink.close();
    }
    const names = (await readdir(folder)).sort();
    assert.deepEqual(names, ['manager.log', ...[1, 2, 3, 4, 5].map((number) => `manager.log.${number}`)]);
    for (const name of names) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
    assert.match(await readFile(join(folder, 'manager.log.1'), 'utf8'), /line 13/);
  });
});
