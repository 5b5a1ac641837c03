// The credential classes of @azure/identity, unmodified, against the emulator's token endpoint.
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RelayAPI } from '@azure/arm-relay';
import type { TokenCredential } from '@azure/core-auth';
import {
  AzurePipelinesCredential,
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  DeviceCodeCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { createLocalJWKSet, jwtVerify, UnsecuredJWT, type JSONWebKeySet } from 'jose';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { selfSignedRsa } from '../../helpers/rsa-certificate.ts';
import { signingKey } from '../../helpers/signing-key.ts';
import { ARM, claimsOf, RELAY, useEntra, withEnvironment, type EntraUnderTest } from './entra-under-test.ts';

const OTHER = '33333333-3333-3333-3333-333333333333';
const ASSERTION_AUDIENCE = 'api://AzureADTokenExchange';

describe('credentials of @azure/identity at the emulator', () => {
  expectNothingLeft();
  const start = useEntra();

  const principalOf = ({ emulator }: EntraUnderTest, type: string) =>
    emulator.state.principals.find((known) => known.type === type);
  /** A token of somebody else's making, as Kubernetes or GitHub would sign it. */
  const foreignToken = (subject: string, { audience = ASSERTION_AUDIENCE, lifetime = '5m' } = {}) =>
    new UnsecuredJWT({})
      .setIssuer('https://oidc.example/cluster')
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(lifetime)
      .encode();

  it('ClientSecretCredential gets a token that jose verifies with the published keys', async () => {
    const under = await start();
    const { tenantId, clientId, clientSecret, identity } = under;
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, identity);
    const { token, expiresOnTimestamp } = await credential.getToken(ARM);
    const { json } = await under.ask(`/${tenantId}/discovery/v2.0/keys`);
    const { payload } = await jwtVerify(token, createLocalJWKSet(json as unknown as JSONWebKeySet), {
      issuer: `https://sts.windows.net/${tenantId}/`,
      audience: 'https://management.azure.com',
    });
    equal(payload['appid'], clientId);
    equal(payload['oid'], principalOf(under, 'ServicePrincipal')?.objectId);
    equal(payload['tid'], tenantId);
    equal(expiresOnTimestamp > Date.now() + 3_500_000, true);
  });

  it('ClientSecretCredential with a wrong secret is told AADSTS7000215, and never the right one', async () => {
    const { tenantId, clientId, clientSecret, identity } = await start();
    const credential = new ClientSecretCredential(tenantId, clientId, 'wrong', identity);
    await rejects(credential.getToken(ARM), (error: Error) => {
      match(error.message, /^invalid_client: .*AADSTS7000215: Invalid client secret/);
      equal(error.message.includes(clientSecret), false);
      return true;
    });
  });

  it('ClientSecretCredential of an unknown application is told AADSTS700016', async () => {
    const { tenantId, identity } = await start();
    const credential = new ClientSecretCredential(tenantId, OTHER, 'secret', identity);
    await rejects(credential.getToken(ARM), /unauthorized_client: .*AADSTS700016/);
  });

  it('ClientSecretCredential of another tenant finds no endpoints', async () => {
    const { clientId, clientSecret, identity } = await start();
    await rejects(new ClientSecretCredential(OTHER, clientId, clientSecret, identity).getToken(ARM), {
      name: 'CredentialUnavailableError',
    });
  });

  it('ClientAssertionCredential exchanges a token of any issuer', async () => {
    const { tenantId, clientId, identity } = await start();
    const assert = () => Promise.resolve(foreignToken('any'));
    const { token } = await new ClientAssertionCredential(tenantId, clientId, assert, identity).getToken(
      RELAY,
    );
    equal(claimsOf(token)['appid'], clientId);
    equal(claimsOf(token)['aud'], 'https://relay.azure.net');
  });

  for (const [what, assertion, pattern] of [
    ['of another subject', () => foreignToken('stranger'), /AADSTS700213: .*'stranger'/],
    ['for another audience', () => foreignToken('known', { audience: 'https://x' }), /AADSTS700212/],
    ['that is over', () => foreignToken('known', { lifetime: '-10m' }), /AADSTS700024/],
    ['that is none', () => 'rubbish', /AADSTS50027/],
  ] as const) {
    it(`ClientAssertionCredential is refused with a token ${what}`, async () => {
      const principals = [{ clientId: OTHER, federatedSubjects: ['known'] }];
      const { tenantId, identity } = await start({ principals });
      const assert = () => Promise.resolve(assertion());
      const credential = new ClientAssertionCredential(tenantId, OTHER, assert, identity);
      await rejects(credential.getToken(ARM), pattern);
    });
  }

  it('ClientCertificateCredential signs in with a registered certificate, and with no other', async () => {
    const key = await signingKey();
    const certPem = selfSignedRsa(key);
    const keyPem = createPrivateKey({ key, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
    const certificate = { certificate: `${certPem}\n${keyPem.toString()}` };
    const principals = [{ clientId: OTHER, certificates: [certPem] }];
    const { tenantId, clientId, identity } = await start({ principals });
    const credential = new ClientCertificateCredential(tenantId, OTHER, certificate, identity);
    equal(claimsOf((await credential.getToken(ARM)).token)['appid'], OTHER);
    const stranger = new ClientCertificateCredential(tenantId, clientId, certificate, identity);
    await rejects(stranger.getToken(ARM), /AADSTS700027/);
  });

  it('WorkloadIdentityCredential reads its token from a file', async () => {
    const { tenantId, clientId, identity } = await start();
    const folder = await mkdtemp(join(tmpdir(), 'hcm-entra-'));
    try {
      const tokenFilePath = join(folder, 'token');
      await writeFile(tokenFilePath, foreignToken('system:serviceaccount:default:app'));
      const options = { tenantId, clientId, tokenFilePath, ...identity };
      const { token } = await new WorkloadIdentityCredential(options).getToken(ARM);
      equal(claimsOf(token)['appid'], clientId);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('AzurePipelinesCredential gets its job token from the emulator, too', async () => {
    const subject = 'sc://local/local/connection-1';
    const principals = [{ clientId: OTHER, federatedSubjects: [subject] }];
    const { tenantId, clientSecret, base, identity } = await start({ principals });
    const tokenOf = (connection: string) =>
      withEnvironment({ SYSTEM_OIDCREQUESTURI: `${base}/oauth2/pipelines` }, () =>
        new AzurePipelinesCredential(tenantId, OTHER, connection, clientSecret, identity).getToken(ARM),
      );
    equal(claimsOf((await tokenOf('connection-1')).token)['appid'], OTHER);
    await rejects(tokenOf('connection-2'), /AADSTS700213/);
  });

  it('a job on GitHub gets its token from the emulator, and exchanges it', async () => {
    const under = await start();
    const { tenantId, clientId, clientSecret, identity } = under;
    const assert = async () => {
      const path = `/oauth2/github?api-version=2.0&audience=${encodeURIComponent(ASSERTION_AUDIENCE)}`;
      const headers = { Authorization: `bearer ${clientSecret}` };
      const { json } = await under.ask(path, { headers });
      return String(json['value']);
    };
    const credential = new ClientAssertionCredential(tenantId, clientId, assert, identity);
    equal(claimsOf((await credential.getToken(ARM)).token)['appid'], clientId);
    equal((await under.ask('/oauth2/github?audience=x')).status, 401);
  });

  it('ManagedIdentityCredential finds the identity endpoint of App Service', async () => {
    const under = await start();
    const { base, clientSecret } = under;
    const claims = await managedIdentity(under, {
      ...{ IDENTITY_ENDPOINT: `${base}/msi/token`, IDENTITY_HEADER: clientSecret },
    });
    equal(claims['oid'], principalOf(under, 'ManagedIdentity')?.objectId);
    equal(claims['aud'], 'https://management.azure.com');
  });

  it('ManagedIdentityCredential finds the metadata service of a virtual machine', async () => {
    const under = await start();
    const claims = await managedIdentity(under, { AZURE_POD_IDENTITY_AUTHORITY_HOST: under.base });
    equal(claims['oid'], principalOf(under, 'ManagedIdentity')?.objectId);
  });

  it('DeviceCodeCredential signs a person in, and refreshes for other resources without asking', async () => {
    const under = await start();
    const { tenantId, identity, base } = under;
    const prompts: string[] = [];
    const credential = new DeviceCodeCredential({
      ...{ ...identity, tenantId },
      userPromptCallback: ({ message }) => void prompts.push(message),
    });
    const arm = claimsOf((await credential.getToken(ARM)).token);
    const person = principalOf(under, 'User');
    deepEqual(
      [arm['oid'], arm['upn'], arm['name']],
      [...[person?.objectId, person?.userPrincipalName, person?.displayName]],
    );
    const relay = claimsOf((await credential.getToken(RELAY)).token);
    equal(relay['aud'], 'https://relay.azure.net');
    equal(prompts.length, 1);
    match(prompts[0] ?? '', new RegExp(`open the page ${base}/common/oauth2/deviceauth and enter the code`));
  });

  it('a token that was revoked is given anew, with the claims of the challenge, by the SDK itself', async () => {
    const { emulator, clock, tenantId, clientId, clientSecret, identity, base } = await start();
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, identity);
    const asked: (string | undefined)[] = [];
    const getToken: TokenCredential['getToken'] = (scopes, options) => {
      asked.push(options?.claims);
      return credential.getToken(scopes, options);
    };
    const { tlsOptions } = identity;
    const relay = new RelayAPI({ getToken }, emulator.state.subscriptionId, { endpoint: base, tlsOptions });
    const list = () => relay.namespaces.list().next();
    await list();
    emulator.faults.entra.revokeTokens(clock.nowMs());
    await list();
    const fromS = clock.nowMs() / 1_000 + 1;
    deepEqual(asked, [...[undefined, `{"access_token":{"nbf":{"essential":true,"value":"${fromS}"}}}`]]);
  });
});

/** In a process of its own: MSAL decides once for all on which kind of machine it runs. */
async function managedIdentity(
  { emulator }: EntraUnderTest,
  env: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const script = `
    import { ManagedIdentityCredential } from '@azure/identity';
    const credential = new ManagedIdentityCredential({ tlsOptions: { ca: process.env.TEST_CA } });
    const { token } = await credential.getToken('${ARM}');
    console.log(token);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...env, PATH: process.env['PATH'], TEST_CA: emulator.caPem },
  });
  return claimsOf(stdout.trim());
}
