import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { Cloud } from '../../../../src/lib/auth/cloud.ts';
import { BUILT_IN_CLOUDS } from '../../../../src/lib/auth/cloud.ts';
import { loadCloud, loadClouds, saveCloud, useCloud } from '../../../../src/lib/auth/clouds.ts';
import { registerLocalCloud } from '../../../../src/lib/auth/local-cloud.ts';
import type { HcmError } from '../../../../src/protocol/errors.ts';
import { useFolder } from '../../emulator/temporary-folder.ts';

const HUB: Cloud = {
  ...{ name: 'hub', armEndpoint: 'https://management.hub.corp', authority: 'https://login.hub.corp' },
  ...{ armScope: 'https://management.hub.corp/x/.default', relaySuffix: 'servicebus.hub.corp' },
  ...{ relayScope: 'https://relay.azure.net/.default', tenantId: 'adfs' },
};
const LOCAL = {
  ...{ port: 5443, tenantId: 't', subscriptionId: 's', clientId: 'c', clientSecret: 'made-up' },
};

describe('the clouds of a user', () => {
  const folder = useFolder();
  const load = (name?: string, env = {}) => loadCloud({ name, env, directory: folder() });

  it('are public, usgov and china to begin with, and public is used', async () => {
    const { clouds, current } = await loadClouds({ env: {}, directory: folder() });
    assert.deepEqual(
      clouds.map(({ name }) => name),
      ['public', 'usgov', 'china'],
    );
    assert.equal(current, 'public');
    assert.equal((await load()).armEndpoint, 'https://management.azure.com');
  });

  it('each have endpoints without a slash at the end, and scopes and suffixes of their own', () => {
    for (const cloud of BUILT_IN_CLOUDS) {
      assert.doesNotMatch(cloud.armEndpoint + cloud.authority, /\/(?:https|$)/);
      assert.equal(cloud.armScope, `${cloud.armEndpoint}/.default`);
    }
    assert.equal(new Set(BUILT_IN_CLOUDS.map(({ relaySuffix }) => relaySuffix)).size, 3);
  });

  it('the one to use: a flag, else HCM_CLOUD, else what was chosen', async () => {
    await useCloud('china', folder());
    assert.equal((await load()).name, 'china');
    assert.equal((await load(undefined, { HCM_CLOUD: 'usgov' })).name, 'usgov');
    assert.equal((await load('public', { HCM_CLOUD: 'usgov' })).name, 'public');
    assert.equal((await load(undefined, { HCM_CLOUD: '' })).name, 'china');
  });

  it('keeps those that were added, and replaces one of the same name', async () => {
    await saveCloud(HUB, folder());
    await useCloud('HUB', folder());
    await saveCloud({ ...HUB, caFile: '/hub.pem' }, folder());
    assert.deepEqual(await load(), { ...HUB, caFile: '/hub.pem' });
    assert.equal((await loadClouds({ env: {}, directory: folder() })).clouds.length, 4);
  });

  it('does not let one be added as a built-in one, or under what is no name', async () => {
    for (const name of ['public', 'a b', '', '-x', 'x'.repeat(51)]) {
      await assert.rejects(saveCloud({ ...HUB, name }, folder()), { code: 'HCM_CLOUD_INVALID' });
    }
  });

  it('an unknown one is named, with those that there are', async () => {
    await assert.rejects(load('moon'), {
      code: 'HCM_CLOUD_UNKNOWN',
      message: /"moon".*public, usgov, china/,
    });
    await assert.rejects(useCloud('moon', folder()), { code: 'HCM_CLOUD_UNKNOWN' });
  });

  it('local is not running as long as no emulator has registered it', async () => {
    await assert.rejects(load('local'), { code: 'HCM_NOT_RUNNING' });
  });

  it('an emulator registers local, with its secret in a file of its own that only the user can read', async () => {
    await saveCloud(HUB, folder());
    await registerLocalCloud(folder(), LOCAL);
    const { armEndpoint, authority, relayPort, relaySuffix, local } = await load('local');
    assert.deepEqual([armEndpoint, authority], ['https://localhost:5443', 'https://localhost:5443']);
    assert.deepEqual([relaySuffix, relayPort], ['servicebus.localhost', 5443]);
    assert.equal(local?.clientId, 'c');
    assert.equal((await load('hub')).name, 'hub');
    const list = `${folder()}/clouds.json`;
    assert.ok(!(await readFile(list, 'utf8')).includes('made-up'));
    assert.equal(await readFile(local?.secretFile ?? '', 'utf8'), 'made-up\n');
    for (const file of [list, local?.secretFile ?? '']) assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it('a file that cannot be used is an error, and stays as it is', async () => {
    const file = `${folder()}/clouds.json`;
    await mkdir(folder());
    for (const text of ['{"clouds":', '{}', '{"clouds":[{"name":"x"}]}', '[]']) {
      await writeFile(file, text);
      await assert.rejects(load(), (error: HcmError) => {
        assert.deepEqual([error.code, error.message.includes(file)], ['HCM_STATE_CORRUPT', true]);
        return String(error.details['next']).startsWith(`Move ${file} away`);
      });
      assert.equal(await readFile(file, 'utf8'), text);
    }
  });
});
