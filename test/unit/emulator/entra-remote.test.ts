// Clients of other machines: they need a secret, whatever the emulator listens on.
import { deepEqual, equal } from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { UnsecuredJWT } from 'jose';
import { EntraFaults } from '../../../src/emulator/entra-faults.ts';
import { seedEntra } from '../../../src/emulator/entra-state.ts';
import { DEFAULT_SIGN_IN } from '../../../src/emulator/entra/context.ts';
import { createEntraHandler } from '../../../src/emulator/entra/handler.ts';
import { HttpRequest } from '../../../src/emulator/server/http-request.ts';
import { signingKey } from '../../helpers/signing-key.ts';

const CLI = '04b07795-8ddb-461a-bbee-02f9e1bf7b46';
const ARM = 'https://management.azure.com/.default';
const SECRET = 'secret';
const NOW_MS = Date.UTC(2026, 0, 1);
const identity = {
  ...{ tenantId: 'tenant', clientId: '11111111-1111-1111-1111-111111111111' },
  subscriptionId: '22222222-2222-2222-2222-222222222222',
};

interface Asked {
  readonly path: string;
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

describe('the token endpoint to a client of another machine', () => {
  const answerTo = async (remoteAddress: string, { path, form, headers = {} }: Asked) => {
    const handler = createEntraHandler({
      state: { ...identity, clientSecret: SECRET, signingKey: await signingKey(), ...seedEntra(identity) },
      behaviour: { ...DEFAULT_SIGN_IN, deviceCodeApproval: 'page' },
      faults: { entra: new EntraFaults() },
      ...{ nowMs: () => NOW_MS, changed: () => undefined },
    });
    const message = Object.assign(Readable.from([Buffer.from(new URLSearchParams(form).toString())]), {
      ...{ method: form === undefined ? 'GET' : 'POST', url: path, socket: { remoteAddress, localPort: 1 } },
      headers: { host: 'localhost:5443', ...headers },
    });
    const seen = { status: 0, text: '', location: '' };
    const response = {
      writeHead(status: number, { Location = '' }: { Location?: string }) {
        Object.assign(seen, { status, location: Location });
      },
      end: (text: string) => void (seen.text = text),
    };
    await handler(
      new HttpRequest(message as unknown as IncomingMessage),
      response as unknown as ServerResponse,
    );
    return seen;
  };

  const assertion = new UnsecuredJWT({})
    .setIssuer('https://oidc.example')
    .setSubject('any')
    .setAudience('api://AzureADTokenExchange')
    .setExpirationTime(NOW_MS / 1_000 + 60)
    .encode();
  const application = {
    ...{ grant_type: 'client_credentials', client_id: identity.clientId, scope: ARM },
  };
  const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const authorize = new URLSearchParams({
    ...{ client_id: CLI, response_type: 'code', redirect_uri: 'http://localhost/', scope: ARM },
  });
  const secretless: readonly [string, Asked][] = [
    ['a device code', { path: '/common/oauth2/v2.0/devicecode', form: { client_id: CLI, scope: ARM } }],
    ['the page for device codes', { path: '/common/oauth2/deviceauth' }],
    [
      'a federated token',
      {
        path: '/common/oauth2/v2.0/token',
        form: { ...application, client_assertion: assertion, client_assertion_type: assertionType },
      },
    ],
    [
      'a managed identity',
      {
        path: '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com',
        headers: { metadata: 'true' },
      },
    ],
  ];

  for (const [what, asked] of secretless) {
    it(`refuses ${what}, which it gives to its own machine`, async () => {
      equal([400, 403].includes((await answerTo('192.0.2.1', asked)).status), true);
      const forwarded = { ...asked.headers, 'x-forwarded-for': '192.0.2.1' };
      equal((await answerTo('127.0.0.1', { ...asked, headers: forwarded })).status === 200, false);
      for (const own of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
        equal((await answerTo(own, asked)).status, 200, own);
      }
    });
  }

  it('refuses a browser, which it sends back to its own machine with a code', async () => {
    const asked = { path: `/common/oauth2/v2.0/authorize?${authorize.toString()}` };
    const queryOf = ({ location }: { location: string }) => [...new URL(location).searchParams.keys()].sort();
    deepEqual(queryOf(await answerTo('192.0.2.1', asked)), ['error', 'error_description']);
    deepEqual(queryOf(await answerTo('127.0.0.1', asked)), ['code', 'session_state']);
  });

  it('gives tokens for a secret', async () => {
    const form = { ...application, client_secret: SECRET };
    equal((await answerTo('192.0.2.1', { path: '/common/oauth2/v2.0/token', form })).status, 200);
  });
});
