// The token endpoint by hand: documents, applications, errors, managed identities.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { ARM, claimsOf, CLI, RELAY, useEntra, type EntraUnderTest } from './entra-under-test.ts';

const OTHER = '33333333-3333-3333-3333-333333333333';

describe("the emulator's token endpoint", () => {
  expectNothingLeft();
  const start = useEntra({ insecure: true });

  const secretForm = ({ clientId, clientSecret }: EntraUnderTest, scope = ARM) => ({
    ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope },
  });

  describe('documents', () => {
    it('name endpoints of the tenant that was asked for, at the host that was asked for', async () => {
      const { ask, base, tenantId } = await start();
      for (const tenant of [tenantId, 'common', 'organizations']) {
        const { json } = await ask(`/${tenant}/v2.0/.well-known/openid-configuration`);
        equal(json['token_endpoint'], `${base}/${tenant}/oauth2/v2.0/token`);
        equal(json['jwks_uri'], `${base}/${tenant}/discovery/v2.0/keys`);
        equal(json['issuer'], `${base}/${tenant === tenantId ? tenantId : '{tenantid}'}/v2.0`);
      }
      const v1 = (await ask(`/${tenantId}/.well-known/openid-configuration`)).json;
      equal(v1['token_endpoint'], `${base}/${tenantId}/oauth2/token`);
      equal(v1['issuer'], `https://sts.windows.net/${tenantId}/`);
    });

    it('show the public half of the key and nothing else of it', async () => {
      const { ask } = await start();
      const { json, headers } = await ask('/common/discovery/keys');
      const [key] = json['keys'] as Record<string, string>[];
      deepEqual(Object.keys(key ?? {}).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use', 'x5t']);
      equal(headers['access-control-allow-origin'], '*');
    });

    it('answer instance discovery for this authority and no other', async () => {
      const { ask, base, tenantId } = await start();
      const path = '/common/discovery/instance?api-version=1.1&authorization_endpoint=';
      const { json } = await ask(`${path}${encodeURIComponent(`${base}/${tenantId}/oauth2/v2.0/authorize`)}`);
      equal(json['tenant_discovery_endpoint'], `${base}/${tenantId}/v2.0/.well-known/openid-configuration`);
      const other = await ask(`${path}${encodeURIComponent('https://login.example/x')}`);
      equal(other.status, 400);
    });
  });

  describe('an application', () => {
    it('may send its secret as Basic authorization', async () => {
      const under = await start();
      const { clientId, clientSecret, token } = under;
      const basic = Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString('base64');
      const form = { grant_type: 'client_credentials', scope: ARM };
      equal((await token(form, { Authorization: `Basic ${basic}` })).status, 200);
      const wrong = Buffer.from(`${clientId}:wrong`).toString('base64');
      equal((await token(form, { Authorization: `Basic ${wrong}` })).status, 401);
    });

    it('gets the audience to the letter: with a slash for a double slash', async () => {
      const under = await start();
      const aud = async (scope: string) => claimsOf(await under.accessToken(scope))['aud'];
      equal(
        await aud('https://management.core.windows.net//.default'),
        'https://management.core.windows.net/',
      );
      equal(await aud(`${under.base}/.default`), under.base);
    });

    it('may speak version 1, with `resource`, and gets its numbers as text', async () => {
      const under = await start();
      const resource = 'https://management.azure.com/';
      const form = { ...secretForm(under, ''), resource };
      const { json } = await under.post(`/${under.tenantId}/oauth2/token`, form);
      equal(json['resource'], resource);
      equal(typeof json['expires_on'], 'string');
      equal(claimsOf(json['access_token'])['aud'], resource);
    });

    it('that was registered has the secret it was given, and keeps its id over a restart', async () => {
      const principals = [{ clientId: OTHER, clientSecret: 'other', name: 'Other' }];
      const first = await start({ principals });
      const oid = claimsOf(await first.accessToken(ARM, { clientId: OTHER, clientSecret: 'other' }))['oid'];
      const state = structuredClone(first.emulator.state);
      const second = await start({ state, principals });
      const again = await second.accessToken(ARM, { clientId: OTHER, clientSecret: 'other' });
      equal(claimsOf(again)['oid'], oid);
    });
  });

  describe('a refusal', () => {
    type Change = (under: EntraUnderTest) => Record<string, string>;
    const cases: readonly [string, Change, number, string, number][] = [
      ['without grant_type', () => ({ grant_type: '' }), 400, 'invalid_request', 900144],
      ['of an unknown grant', () => ({ grant_type: 'password' }), 400, 'unsupported_grant_type', 70003],
      ['without a scope', () => ({ scope: '' }), 400, 'invalid_request', 90014],
      [
        'of a scope without .default',
        () => ({ scope: 'https://management.azure.com/x' }),
        400,
        'invalid_scope',
        1002012,
      ],
      ['of two resources', () => ({ scope: `${ARM} ${RELAY}` }), 400, 'invalid_scope', 70011],
      [
        'of an unknown resource',
        () => ({ scope: 'https://vault.azure.net/.default' }),
        400,
        'invalid_resource',
        500011,
      ],
      ['of an unknown application', () => ({ client_id: OTHER }), 400, 'unauthorized_client', 700016],
      ['of a wrong secret', () => ({ client_secret: 'x' }), 401, 'invalid_client', 7000215],
      ['of a public client', () => ({ client_id: CLI }), 400, 'unauthorized_client', 700016],
      ['of claims that are no JSON', () => ({ claims: '{' }), 400, 'invalid_request', 90023],
    ];
    for (const [what, change, status, error, number] of cases) {
      it(`${what} is ${error}, AADSTS${number}`, async () => {
        const under = await start();
        const answer = await under.token({ ...secretForm(under), ...change(under) });
        deepEqual([answer.status, answer.json['error']], [status, error]);
        deepEqual(answer.json['error_codes'], [number]);
        match(
          String(answer.json['error_description']),
          new RegExp(`^AADSTS${number}: .* Trace ID: .* Timestamp: `),
        );
      });
    }

    it('carries the id of the request that the client chose', async () => {
      const under = await start();
      const answer = await under.token({}, { 'client-request-id': OTHER });
      equal(answer.json['correlation_id'], OTHER);
      equal(answer.headers['client-request-id'], OTHER);
    });

    it('meets other tenants and methods', async () => {
      const under = await start();
      const foreign = await under.post(`/${OTHER}/oauth2/v2.0/token`, secretForm(under));
      deepEqual(foreign.json['error_codes'], [90002]);
      const get = await under.ask(`/${under.tenantId}/oauth2/v2.0/token`);
      deepEqual(get.json['error_codes'], [900561]);
    });

    it('meets a body that nobody sends', async () => {
      const under = await start();
      equal((await under.token({ grant_type: 'x'.repeat(300_000) })).status, 413);
    });

    it('can be ordered as a fault', async () => {
      const under = await start();
      under.emulator.faults.entra.refuse({ aadsts: 50076, times: 1 });
      const { status, json } = await under.token(secretForm(under));
      deepEqual([status, json['error'], json['suberror']], [400, 'interaction_required', 'basic_action']);
      ok(JSON.parse(String(json['claims'])));
      equal((await under.token(secretForm(under))).status, 200);
    });
  });

  describe('a managed identity', () => {
    const imds =
      '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/';
    const msi = '/msi/token?api-version=2019-08-01&resource=https://management.azure.com/';
    const metadata = { headers: { Metadata: 'true' } };

    it('is given by the metadata service to who says that it asks for it, and to no proxy', async () => {
      const { ask } = await start();
      const { status, json } = await ask(imds, metadata);
      deepEqual(
        [status, json['token_type'], json['resource']],
        [...[200, 'Bearer', 'https://management.azure.com/']],
      );
      match(String(json['expires_on']), /^\d+$/);
      equal((await ask(imds)).status, 400);
      equal((await ask(imds, { headers: { Metadata: 'true', 'X-Forwarded-For': '10.0.0.1' } })).status, 403);
    });

    it('is given by App Service to who knows IDENTITY_HEADER', async () => {
      const { ask, clientSecret } = await start();
      equal((await ask(msi, { headers: { 'X-IDENTITY-HEADER': clientSecret } })).status, 200);
      equal((await ask(msi, { headers: { 'X-IDENTITY-HEADER': 'wrong' } })).status, 401);
      equal((await ask(msi, metadata)).status, 401);
    });

    it('is another one when it is named by an id', async () => {
      const { ask, emulator } = await start({ principals: [{ clientId: OTHER, name: 'mine' }] });
      const objectId = emulator.state.principals.find(({ clientId }) => clientId === OTHER)?.objectId;
      const id = `/subscriptions/x/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mine`;
      for (const query of [
        `client_id=${OTHER}`,
        `object_id=${objectId}`,
        `msi_res_id=${encodeURIComponent(id)}`,
      ]) {
        const { json } = await ask(`${imds}&${query}`, metadata);
        equal(claimsOf(json['access_token'])['oid'], objectId, query);
      }
      equal((await ask(`${imds}&client_id=x`, metadata)).status, 400);
    });

    it('gets no token for what is unknown', async () => {
      const { ask } = await start();
      const { status, json } = await ask(imds.replace(/resource=.*/, 'resource=https://x.example'), metadata);
      deepEqual([status, json['error']], [400, 'invalid_resource']);
      equal((await ask(imds.replace(/api-version=[^&]*&/, ''), metadata)).status, 400);
    });
  });
});
