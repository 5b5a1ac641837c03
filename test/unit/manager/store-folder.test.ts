import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeStoreFolder } from '../../../src/manager/store-folder.ts';

/** Of nobody on this machine. */
const OTHER_USER = 54_321;

describe("the folder of the manager's store", () => {
  let place: string;
  let folder: string;

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'hcm-folder-'));
    folder = join(place, 'hcm', 'manager');
  });
  afterEach(() => rm(place, { recursive: true }));

  it('is made for its user alone', async () => {
    await makeStoreFolder(folder);
    if (platform() !== 'win32') assert.equal((await stat(folder)).mode & 0o777, 0o700);
    await makeStoreFolder(folder);
  });

  // Only Linux has a folder in which no other may be made and that says so with ENOENT.
  if (platform() === 'linux') {
    it('is refused at once where none may be made', async () => {
      await assert.rejects(makeStoreFolder('/proc/hcm/manager'), { code: 'HCM_STATE_UNWRITABLE' });
    });
  }

  for (const mode of [0o770, 0o775, 0o757, 0o1777]) {
    it(`is refused where others may write to it (mode ${mode.toString(8)})`, async () => {
      if (platform() === 'win32') return;
      await mkdir(folder, { recursive: true });
      await chmod(folder, mode);
      await assert.rejects(makeStoreFolder(folder), (error: { code: string; details: { next: string } }) => {
        assert.equal(error.code, 'HCM_FORBIDDEN');
        assert.ok(error.details.next.endsWith(`chmod go-w ${folder}`));
        return true;
      });
      await chmod(folder, mode & ~0o22);
      await makeStoreFolder(folder);
    });
  }

  it('is refused where it belongs to another user, with what to do', async () => {
    if (platform() === 'win32') return;
    await makeStoreFolder(folder);
    const { uid } = await stat(folder);
    // Only root can give a folder away; everybody else asks as another one.
    const [owner, user] = uid === 0 ? [OTHER_USER, 0] : [uid, OTHER_USER];
    await chown(folder, owner, -1);
    await assert.rejects(makeStoreFolder(folder, user), {
      code: 'HCM_FORBIDDEN',
      message: `The folder ${folder} of the manager cannot be trusted: user ${owner} owns it.`,
      details: {
        folder,
        next: `See that all in it is yours (ls -la ${folder}), then: sudo chown ${user} ${folder}`,
      },
    });
    await makeStoreFolder(folder, owner);
  });

  it('is refused to a user whose it is not, but for that of root', async () => {
    if (platform() === 'win32') return;
    await makeStoreFolder(folder);
    const { uid } = await stat(folder);
    const outcome = makeStoreFolder(folder, uid + 1);
    if (uid === 0) await outcome;
    else await assert.rejects(outcome, { code: 'HCM_FORBIDDEN' });
  });

  it('may be a link: what it leads to counts', async () => {
    if (platform() === 'win32') return;
    const real = join(place, 'real');
    await mkdir(real);
    await mkdir(join(place, 'hcm'));
    await symlink(real, folder);
    await chmod(real, 0o755);
    await makeStoreFolder(folder);
    await chmod(real, 0o777);
    await assert.rejects(makeStoreFolder(folder), { code: 'HCM_FORBIDDEN', message: /\(mode 777\)/ });
  });

  it('is told when it cannot be made', async () => {
    await writeFile(join(place, 'hcm'), '');
    await assert.rejects(makeStoreFolder(folder), { code: 'HCM_STATE_UNWRITABLE' });
  });
});
