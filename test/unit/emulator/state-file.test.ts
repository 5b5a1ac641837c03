/** The document on disk: the owner's alone, never half written, and kept when it cannot be read. */
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HcmError } from '../../../src/protocol/errors.ts';
import { StateFile } from '../../../src/emulator/state-file.ts';
import { createState } from '../../../src/emulator/state.ts';
import { useFolder } from './temporary-folder.ts';

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const posix = process.platform !== 'win32';

describe('StateFile', () => {
  const folder = useFolder();

  it('is empty at first', async () => {
    equal(await new StateFile(folder()).load(), undefined);
  });

  it('gives back what was saved', async () => {
    const state = createState();
    await new StateFile(folder()).save(state);
    deepEqual(await new StateFile(folder()).load(), state);
  });

  it('is readable to nobody else', async () => {
    const file = new StateFile(folder());
    await file.save(createState());
    if (!posix) return;
    equal(await modeOf(file.path), '600');
    equal(await modeOf(dirname(file.path)), '700');
  });

  it('makes one write of many calls, and the last one counts', async () => {
    const file = new StateFile(folder());
    const state = createState();
    const saves = Array.from({ length: 50 }, (_, index) => {
      state.clientSecret = `secret ${index}`;
      return file.save(state);
    });
    await Promise.all(saves);
    equal((await file.load())?.clientSecret, 'secret 49');
    deepEqual(await readdir(folder()), ['emulator.json']);
  });

  for (const [what, text] of [
    ['half a document', '{"version":1,"tena'],
    ['a document of another kind', '{"version":1}'],
    ['nothing', ''],
  ] as const) {
    it(`keeps ${what} aside, says where, and begins anew`, async () => {
      const file = new StateFile(folder());
      await mkdir(folder());
      await writeFile(file.path, text);
      const error = await file.load().then(
        () => undefined,
        (reason: HcmError) => reason,
      );
      equal(error?.code, 'HCM_STATE_CORRUPT');
      const keptAs = String(error?.details['keptAs']);
      match(keptAs, /emulator\.json\.corrupt-\d{4}-/);
      equal(await readFile(keptAs, 'utf8'), text);
      equal(await file.load(), undefined);
    });
  }

  it('leaves the document of a newer version where it is', async () => {
    const file = new StateFile(folder());
    await mkdir(folder());
    await writeFile(file.path, '{"version":99}');
    await rejects(file.load(), {
      code: 'HCM_STATE_CORRUPT',
      details: { reason: 'newer-version', version: 99 },
    });
    equal(await readFile(file.path, 'utf8'), '{"version":99}');
  });

  it('says HCM_STATE_UNWRITABLE where it cannot write, and works again when it can', async () => {
    await writeFile(folder(), 'a file where the folder should be');
    const file = new StateFile(folder());
    const failing = { code: 'HCM_STATE_UNWRITABLE' };
    await rejects(file.save(createState()), failing);
    const better = new StateFile(join(dirname(folder()), 'elsewhere'));
    await better.save(createState());
    equal((await better.load())?.version, 2);
  });

  it('says HCM_FILE_UNREADABLE for what is there and cannot be read', async () => {
    const file = new StateFile(folder());
    await mkdir(file.path, { recursive: true });
    await rejects(file.load(), { code: 'HCM_FILE_UNREADABLE' });
  });
});
