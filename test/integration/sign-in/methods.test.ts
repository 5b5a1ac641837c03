// Each way to sign in that needs no person, from variables to an answer of Resource Manager, with the SDK's own code.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SignInBed } from './sign-in-bed.ts';

describe('signing in without a person', () => {
  const bed = SignInBed.use();
  const ofApp = () => ({ AZURE_TENANT_ID: bed.app.tenantId, AZURE_CLIENT_ID: bed.app.clientId });

  it('to the emulator needs no login and no variable', async () => {
    const session = await bed.open({
      env: { AZURE_TENANT_ID: 'not-of-here', AZURE_SUBSCRIPTION_ID: 'nor-this' },
    });
    assert.equal(session.method, 'local');
    assert.equal(session.subscriptionId, bed.emulator.state.subscriptionId);
    assert.deepEqual(await bed.see(session), ['Local']);
  });

  it('to an emulator that is gone is "not running"', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await bed.register(port);
    await assert.rejects(bed.see(await bed.open()), { code: 'HCM_NOT_RUNNING' });
  });

  it('by client id and secret in the environment', async () => {
    const env = { ...ofApp(), AZURE_CLIENT_SECRET: bed.app.clientSecret };
    assert.deepEqual(await bed.see(await bed.open({ auth: 'env', env })), ['Local']);
  });

  it('with a wrong secret is refused with the reason, and the secret is in no text', async () => {
    const env = { ...ofApp(), AZURE_CLIENT_SECRET: 'wrong-and-secret' };
    const session = await bed.open({ auth: 'env', env });
    await assert.rejects(bed.see(session), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'HCM_SIGN_IN_FAILED');
      assert.match(error.message, /AADSTS7000215/);
      assert.ok(!JSON.stringify([error, error.message]).includes('wrong-and-secret'));
      return true;
    });
  });

  it('to a tenant that is not there is refused with the reason, although MSAL does not tell it', async () => {
    const tenant = '11111111-2222-3333-4444-555555555555';
    const env = { ...ofApp(), AZURE_CLIENT_SECRET: bed.app.clientSecret };
    const session = await bed.open({ auth: 'env', env, tenant });
    await assert.rejects(bed.see(session), { code: 'HCM_SIGN_IN_FAILED', message: /AADSTS90002/ });
  });

  it('names the variables that are missing', async () => {
    await assert.rejects(bed.open({ auth: 'github', env: ofApp() }), {
      code: 'HCM_SIGN_IN_REQUIRED',
      message: /ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN/,
    });
  });

  it('by the token of a GitHub job, and of a file (workload identity)', async () => {
    const env = {
      ...ofApp(),
      ACTIONS_ID_TOKEN_REQUEST_URL: bed.url('/oauth2/github?api-version=2.0'),
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: bed.app.clientSecret,
    };
    const session = await bed.open({ auth: 'github', env });
    assert.deepEqual(await bed.see(session), ['Local']);
    const { fetchGithubToken } = await import('../../../src/lib/auth/oidc.ts');
    const file = join(bed.directory, 'token');
    await writeFile(file, await fetchGithubToken(session.cloud, env, session.httpClient));
    const workload = { ...ofApp(), AZURE_FEDERATED_TOKEN_FILE: file };
    assert.deepEqual(await bed.see(await bed.open({ auth: 'workload', env: workload })), ['Local']);
  });

  it('by the service connection of Azure Pipelines, as its tasks set the variables', async () => {
    const env = {
      SYSTEM_OIDCREQUESTURI: bed.url('/oauth2/pipelines'),
      SYSTEM_ACCESSTOKEN: bed.app.clientSecret,
      AZURESUBSCRIPTION_TENANT_ID: bed.app.tenantId,
      AZURESUBSCRIPTION_CLIENT_ID: bed.app.clientId,
      AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: 'connection-1',
    };
    assert.deepEqual(await bed.see(await bed.open({ auth: 'pipelines', env })), ['Local']);
  });

  it('by a job whose host gives no token fails with the host named, and without the token', async () => {
    const env = {
      ...ofApp(),
      ACTIONS_ID_TOKEN_REQUEST_URL: bed.url('/oauth2/github?api-version=2.0'),
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'not-the-token',
    };
    const session = await bed.open({ auth: 'github', env });
    await assert.rejects(bed.see(session), {
      code: 'HCM_SIGN_IN_FAILED',
      message: /^GitHub gave no token.*401/,
    });
  });

  it('as the managed identity of a machine', async () => {
    bed.setProcess({ IDENTITY_ENDPOINT: bed.url('/msi/token'), IDENTITY_HEADER: bed.app.clientSecret });
    assert.deepEqual(await bed.see(await bed.open({ auth: 'managed' })), ['Local']);
  });

  it('answers a claims challenge with a new token', async () => {
    const env = { ...ofApp(), AZURE_CLIENT_SECRET: bed.app.clientSecret };
    const session = await bed.open({ auth: 'env', env });
    await bed.see(session);
    bed.emulator.faults.entra.revokeTokens();
    assert.deepEqual(await bed.see(session), ['Local']);
  });

  describe('as the az CLI is', () => {
    /** az with a token for whoever asks; it notes how it was called. */
    const installSignedIn = async () => {
      const ours = await bed.open();
      const token = await ours.credential.getToken(ours.cloud.armScope);
      const answer = { accessToken: token?.token, expires_on: Math.round(Date.now() / 1_000) + 3_600 };
      const answerFile = join(bed.directory, 'answer.json');
      await writeFile(answerFile, JSON.stringify(answer));
      await bed.installAz(`echo "$*" >> ${bed.directory}/calls\ncat ${answerFile}`);
    };
    const calls = async () => (await readFile(join(bed.directory, 'calls'), 'utf8')).trim().split('\n');

    it('takes its token', async () => {
      await installSignedIn();
      assert.deepEqual(await bed.see(await bed.open({ auth: 'cli' })), ['Local']);
      const asked = `--resource ${bed.url('')}`;
      assert.deepEqual(await calls(), [`account get-access-token --output json ${asked}`]);
    });

    it('takes its subscription, too, and asks for the tenant of that', async () => {
      await installSignedIn();
      const tenantId = bed.app.tenantId;
      const of = (id: string, more: object) => ({ id, name: id, tenantId, environmentName: 'hub', ...more });
      const profile = {
        subscriptions: [of('s-1', {}), of('s-2', { isDefault: true, user: { name: 'jo@contoso.com' } })],
      };
      await writeFile(join(bed.directory, 'azureProfile.json'), `\uFEFF${JSON.stringify(profile)}`);
      const session = await bed.open({ auth: 'cli', env: { AZURE_CONFIG_DIR: bed.directory } });
      assert.deepEqual(
        [session.subscriptionId, session.account, session.tenantId],
        ['s-2', 'jo@contoso.com', tenantId],
      );
      await bed.see(session);
      assert.match((await calls()).join(), new RegExp(`--tenant ${tenantId}`));
    });

    it('says that it is signed out', async () => {
      await bed.installAz(`echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`);
      await assert.rejects(bed.see(await bed.open({ auth: 'cli' })), {
        ...{ code: 'HCM_SIGN_IN_REQUIRED', message: 'The az CLI is not signed in.' },
      });
    });

    it('is not there', async () => {
      bed.setProcess({ PATH: bed.directory });
      await assert.rejects(bed.see(await bed.open({ auth: 'cli' })), {
        ...{ code: 'HCM_SIGN_IN_REQUIRED', message: /no az CLI/ },
      });
    });

    it('cannot answer a claims challenge, and the error names the az login that can', async () => {
      await installSignedIn();
      const session = await bed.open({ auth: 'cli' });
      bed.emulator.faults.entra.revokeTokens();
      await assert.rejects(bed.see(session), (error: Error & { code?: string; details?: object }) => {
        assert.equal(error.code, 'HCM_SIGN_IN_REQUIRED');
        assert.match(JSON.stringify(error.details), /az login --claims-challenge/);
        return true;
      });
    });
  });
});
