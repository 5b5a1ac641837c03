/** A folder of its own for each test, gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** To be called inside `describe`. The path has a part that does not exist yet. */
export function useFolder(): () => string {
  let folder = '';
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'hcm-emulator-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return () => join(folder, 'state');
}
