// Which subscription is meant when the file, a flag, or both say one.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declarationFlags, readDeclaredFile } from '../../../../src/lib/cli/apply-flags.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';

describe('the file of apply', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'hcm-apply-'))));
  afterEach(() => rm(folder, { recursive: true }));

  async function read(text: string, subscription?: string) {
    const file = join(folder, 'hcm.yaml');
    await writeFile(file, text);
    return readDeclaredFile({ file, timeout: 1_000, subscription }, { NAME: 'Local' });
  }

  const code = (wanted: string) => (error: unknown) => error instanceof HcmError && error.code === wanted;

  it('has a limit that help tells as one types it', async () => {
    const { defaultHelp } = declarationFlags.timeout;
    assert.ok(typeof defaultHelp === 'function');
    assert.equal(await defaultHelp({ flags: {}, options: declarationFlags.timeout }), '10m');
  });

  it('may name the subscription, as a flag may', async () => {
    const named = 'azure: {subscription: "${NAME}", namespaces: {}}';
    assert.equal((await read(named)).flags.subscription, 'Local');
    assert.equal((await read(named, 'LOCAL')).flags.subscription, 'Local');
    assert.equal((await read('azure: {namespaces: {}}', 'Other')).flags.subscription, 'Other');
    assert.equal((await read('azure: {namespaces: {}}')).flags.subscription, undefined);
  });

  it('is refused when the flag names another one', async () => {
    await assert.rejects(read('azure: {subscription: Local, namespaces: {}}', 'Other'), code('HCM_USAGE'));
  });

  it('must be there', async () => {
    const missing = readDeclaredFile({ file: join(folder, 'none.yaml'), timeout: 1_000 }, {});
    await assert.rejects(missing, code('HCM_FILE_UNREADABLE'));
  });
});
