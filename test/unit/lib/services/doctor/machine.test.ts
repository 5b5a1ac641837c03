import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { proveMachine } from '../../../../../src/lib/services/doctor/machine.ts';
import { DoctorBed } from '../../../../helpers/doctor-bed.ts';

describe('what doctor says of this machine', () => {
  let bed: DoctorBed;
  beforeEach(async () => (bed = await DoctorBed.make()));
  afterEach(() => bed.remove());

  const prove = (machine: { stateDirectory?: string; nodeVersion?: string; platform?: string } = {}) => {
    const scene = bed.scene({ caPem: '' }, []);
    return proveMachine({ scene: { ...scene, machine: { ...scene.machine, ...machine } } });
  };

  it('a Node that is too old is a warning', async () => {
    const { result, seen } = await prove({ nodeVersion: 'v20.18.3' });
    assert.deepEqual([result, seen], ['warning', 'Node v20.18.3 is older than 20.19']);
  });

  it('a state folder that is not there yet is well if it can be made', async () => {
    const { result, seen } = await prove({ stateDirectory: join(bed.directory, 'a', 'b') });
    assert.equal(result, 'ok');
    assert.match(seen, /nothing yet/);
  });

  it('a state folder that is a file is HCM_STATE_UNWRITABLE', async () => {
    const file = join(bed.directory, 'file');
    await writeFile(file, '');
    const finding = await prove({ stateDirectory: file });
    assert.equal(finding.result === 'failed' && finding.error.code, 'HCM_STATE_UNWRITABLE');
  });

  if (process.platform !== 'win32') {
    it('files that others can read are named, but for the certificate that is for them', async () => {
      await mkdir(join(bed.directory, 'ca'));
      for (const name of ['token.json', 'ca/ca.pem', 'ca/ca-key.pem', 'mine.json']) {
        const path = join(bed.directory, name);
        await writeFile(path, '');
        await chmod(path, name === 'mine.json' ? 0o600 : 0o644);
      }
      await chmod(bed.directory, 0o755);
      const { result, facts } = await prove();
      const open = (facts?.['openToOthers'] as string[])
        .map((path) => path.slice(bed.directory.length + 1))
        .sort();
      assert.deepEqual([result, open], ['warning', ['ca/ca-key.pem', 'token.json']]);
    });

    it('a folder that nobody else can enter covers what is in it', async () => {
      await writeFile(join(bed.directory, 'token.json'), '', { mode: 0o644 });
      await chmod(bed.directory, 0o700);
      assert.equal((await prove()).result, 'ok');
    });
  }
});
