// What the program loads: help, versions and tunnels with a key do not pay for Azure's SDKs, which take longer to load than
// all the rest.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HcmHome } from './hcm-process.ts';

/** Words that stand in the SDKs as they are in the bundle: a policy of their pipeline, their user agent, and MSAL's. */
const OF_SDKS = /bearerTokenAuthenticationPolicy|azsdk-js|msal\.js\.node/;
const HOOK = fileURLToPath(new URL('../fixtures/scripts/loaded-files.mjs', import.meta.url));
const NOBODY = 'Endpoint=sb://localhost:1/;SharedAccessKeyName=send;SharedAccessKey=a2V5;EntityPath=db';

describe('what hcm loads', () => {
  const home = new HcmHome();
  before(() => writeFileSync(home.path('key.txt'), NOBODY, { mode: 0o600 }));
  after(() => home.remove());

  /** The files of the SDKs among those that the program loaded, and how it ended. */
  async function sdkFiles(line: string, env: NodeJS.ProcessEnv = {}) {
    const list = home.path(`${line.replace(/\W+/g, '-')}.txt`);
    const options = { NODE_OPTIONS: `--import=${HOOK}`, LOADED_FILES: list };
    const { status } = await home.run(line.split(' '), { env: { ...env, ...options } });
    const files = readFileSync(list, 'utf8').split('\n');
    const ours = files.filter((file) => file.startsWith('file:'));
    assert.ok(ours.length > 1, `${ours.length} files`);
    const found = ours.filter((file) => OF_SDKS.test(readFileSync(fileURLToPath(file), 'utf8')));
    return { status, found };
  }

  for (const [line, wanted] of [
    ['--version', 0],
    ['--help', 0],
    ['listen --help', 0],
    ['namespace list --help', 0],
    ['connect --connection-string-file key.txt', 4],
    ['doctor --connection-string-file key.txt', 4],
  ] as const) {
    it(`hcm ${line} needs no SDK`, async () => {
      const { status, found } = await sdkFiles(line);
      assert.deepEqual([status, found], [wanted, []]);
    });
  }

  it('hcm namespace list does', async () => {
    const { status, found } = await sdkFiles('namespace list --auth env --proxy http://127.0.0.1:1', {
      ...{ AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'app', AZURE_CLIENT_SECRET: 'secret' },
      AZURE_SUBSCRIPTION_ID: '11111111-1111-1111-1111-111111111111',
    });
    assert.equal(status, 4);
    assert.ok(found.length > 0);
  });
});
