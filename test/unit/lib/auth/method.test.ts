import assert from 'node:assert/strict';
import { BUILT_IN_CLOUDS, type Cloud } from '../../../../src/lib/auth/cloud.ts';
import { chooseMethod, METHOD_VARIABLES, missingVariables } from '../../../../src/lib/auth/method.ts';

const [PUBLIC] = BUILT_IN_CLOUDS as [Cloud];
const LOCAL: Cloud = {
  ...PUBLIC,
  local: { tenantId: 't', subscriptionId: 's', clientId: 'c', secretFile: '/secret' },
};
const APP = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c' };
const GITHUB = { ...APP, ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'j' };
const PIPELINES = {
  ...{ SYSTEM_OIDCREQUESTURI: 'https://x', SYSTEM_ACCESSTOKEN: 'j', AZURESUBSCRIPTION_TENANT_ID: 't' },
  ...{ AZURESUBSCRIPTION_CLIENT_ID: 'c', AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: 'e' },
};

describe('the way to sign in', () => {
  it('is the one asked for, else the remembered one, whatever the environment says', () => {
    const env = { ...APP, AZURE_CLIENT_SECRET: 'x' };
    const account = { method: 'device' } as const;
    assert.equal(chooseMethod({ auth: 'cli', account, cloud: PUBLIC, env }), 'cli');
    assert.equal(chooseMethod({ account, cloud: LOCAL, env }), 'device');
  });

  it('for the emulator is its own app, unless another was remembered', () => {
    const env = { ...APP, AZURE_CLIENT_SECRET: 'x' };
    assert.equal(chooseMethod({ cloud: LOCAL, env }), 'local');
    assert.equal(chooseMethod({ account: { subscriptionId: 's' }, cloud: LOCAL, env }), 'local');
  });

  for (const [method, env] of [
    ['env', { ...APP, AZURE_CLIENT_SECRET: 'x' }],
    ['env', { ...APP, AZURE_CLIENT_CERTIFICATE_PATH: '/x.pem' }],
    ['workload', { ...APP, AZURE_FEDERATED_TOKEN_FILE: '/token' }],
    ['github', GITHUB],
    ['pipelines', PIPELINES],
    ['cli', APP],
    ['cli', { ...APP, AZURE_CLIENT_SECRET: '' }],
    ['cli', {}],
  ] as const) {
    it(`is "${method}" where ${Object.keys(env).join(', ') || 'nothing'} is set`, () => {
      assert.equal(chooseMethod({ cloud: PUBLIC, env }), method);
    });
  }

  it('by a secret comes before by a federated token, and GitHub before the az CLI', () => {
    const all = { ...GITHUB, ...PIPELINES, AZURE_FEDERATED_TOKEN_FILE: '/t', AZURE_CLIENT_SECRET: 'x' };
    assert.equal(chooseMethod({ cloud: PUBLIC, env: all }), 'env');
    assert.equal(chooseMethod({ cloud: PUBLIC, env: { ...all, AZURE_CLIENT_SECRET: '' } }), 'workload');
    assert.equal(chooseMethod({ cloud: PUBLIC, env: { ...PIPELINES, ...GITHUB } }), 'github');
  });

  it('names the variables that are missing, of the list that is nearest to complete', () => {
    const env = { ...APP, AZURE_CLIENT_CERTIFICATE_PATH: '/x.pem' };
    assert.deepEqual(missingVariables(env, METHOD_VARIABLES.env), []);
    assert.deepEqual(missingVariables({ AZURE_CLIENT_ID: 'c' }, METHOD_VARIABLES.workload), [
      'AZURE_TENANT_ID',
      'AZURE_FEDERATED_TOKEN_FILE',
    ]);
    const pipeline = { ...PIPELINES, SYSTEM_ACCESSTOKEN: '' };
    assert.deepEqual(missingVariables(pipeline, METHOD_VARIABLES.pipelines), ['SYSTEM_ACCESSTOKEN']);
  });
});
