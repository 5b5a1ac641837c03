// People who sign in at the emulator by hand-made requests: with a browser, a device code, a refresh token.
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { ARM, claimsOf, CLI, RELAY, useEntra, type EntraUnderTest } from './entra-under-test.ts';

const REDIRECT = 'http://localhost:8400/';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('signing in at the emulator', () => {
  expectNothingLeft();
  const start = useEntra({ insecure: true });

  describe('a browser', () => {
    const verifier = randomBytes(32).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const authorize = async (under: EntraUnderTest, change: Record<string, string> = {}) => {
      const query = new URLSearchParams({
        ...{ client_id: CLI, response_type: 'code', redirect_uri: REDIRECT, state: 'st&te', nonce: 'n1' },
        ...{ scope: `${ARM} openid profile offline_access` },
        ...{ code_challenge: challenge, code_challenge_method: 'S256', ...change },
      });
      return under.ask(`/organizations/oauth2/v2.0/authorize?${query.toString()}`);
    };
    const redeem = (
      under: EntraUnderTest,
      location: string | undefined,
      change: Record<string, string> = {},
    ) => {
      const code = new URL(location ?? '').searchParams.get('code') ?? '';
      const form = { grant_type: 'authorization_code', client_id: CLI, redirect_uri: REDIRECT };
      return under.token({ ...form, code, code_verifier: verifier, ...change });
    };

    it('is sent back at once with a code, which gives tokens once', async () => {
      const under = await start();
      const { status, headers } = await authorize(under);
      equal(status, 302);
      const location = new URL(headers.location ?? '');
      equal(location.origin + location.pathname, REDIRECT);
      equal(location.searchParams.get('state'), 'st&te');
      const { json } = await redeem(under, headers.location);
      const id = claimsOf(json['id_token']);
      deepEqual([id['aud'], id['iss'], id['nonce']], [CLI, `${under.base}/${under.tenantId}/v2.0`, 'n1']);
      equal(claimsOf(json['access_token'])['oid'], id['oid']);
      const info = JSON.parse(Buffer.from(String(json['client_info']), 'base64url').toString()) as object;
      deepEqual(info, { uid: id['oid'], utid: under.tenantId });
      const again = await redeem(under, headers.location);
      deepEqual(again.json['error_codes'], [54005]);
    });

    for (const [what, change, number] of [
      ['another verifier', { code_verifier: 'x'.repeat(43) }, 501481],
      ['no verifier', { code_verifier: '' }, 501481],
      ['another address', { redirect_uri: 'http://localhost:9999/' }, 500112],
      ['another client', { client_id: '1950a258-227b-4e31-a9cf-717495945fc2' }, 70008],
      ['a made-up code', { code: 'x' }, 70008],
    ] as const) {
      it(`gets nothing for its code with ${what}`, async () => {
        const under = await start();
        const { headers } = await authorize(under);
        deepEqual((await redeem(under, headers.location, change)).json['error_codes'], [number]);
        equal((await redeem(under, headers.location)).status, 200);
      });
    }

    it('gets nothing for a code that is ten minutes old', async () => {
      const under = await start();
      const { headers } = await authorize(under);
      under.clock.advance(10 * MINUTE_MS);
      deepEqual((await redeem(under, headers.location)).json['error_codes'], [70008]);
    });

    it('is never sent to another machine', async () => {
      const under = await start();
      for (const uri of [
        'https://evil.example/',
        'http://localhost.evil.example/',
        'http://localhost@evil.example/',
      ]) {
        const { status, json, headers } = await authorize(under, { redirect_uri: uri });
        deepEqual([status, json['error_codes'], headers.location], [400, [50011], undefined], uri);
      }
      equal((await authorize(under, { redirect_uri: 'javascript:alert(1)//localhost' })).status, 400);
    });

    it('learns of other errors at its address', async () => {
      const under = await start();
      const { headers } = await authorize(under, { login_hint: 'nobody@example.com' });
      const { searchParams } = new URL(headers.location ?? '');
      equal(searchParams.get('error'), 'invalid_grant');
      match(searchParams.get('error_description') ?? '', /AADSTS50020.*nobody@example\.com/);
    });

    it('gets a form or a fragment when the client wants it so', async () => {
      const under = await start();
      const form = await authorize(under, { response_mode: 'form_post', state: '"><script>' });
      match(form.text, /<form method="post" action="http:\/\/localhost:8400\/">.*name="code" value="/);
      ok(!form.text.includes('"><script>'));
      match(String(form.headers['content-security-policy']), /default-src 'none'/);
      const fragment = await authorize(under, { response_mode: 'fragment' });
      match(fragment.headers.location ?? '', /^http:\/\/localhost:8400\/#code=/);
    });

    it('sees a page with a button first when the emulator is told so', async () => {
      const under = await start({ behaviour: { signInPage: true } });
      const page = await authorize(under);
      match(page.text, /<button>Continue as Local Developer/);
      const fields = [...page.text.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value.replace('&#38;', '&')] as const,
      );
      const { headers } = await under.post('/common/oauth2/v2.0/authorize', Object.fromEntries(fields));
      equal((await redeem(under, headers.location)).status, 200);
    });

    it('of an application with a secret is no proof of the application', async () => {
      const under = await start();
      const { headers } = await authorize(under, { client_id: under.clientId });
      const without = await redeem(under, headers.location, { client_id: under.clientId });
      deepEqual(without.json['error_codes'], [7000218]);
      const { clientId, clientSecret } = under;
      const change = { client_id: clientId, client_secret: clientSecret };
      equal((await redeem(under, headers.location, change)).status, 200);
    });
  });

  describe('a refresh token', () => {
    const signIn = async (under: EntraUnderTest) => {
      const device = await under.post(`/common/oauth2/v2.0/devicecode`, {
        ...{ client_id: CLI, scope: `${ARM} openid offline_access` },
      });
      const form = { grant_type: DEVICE, client_id: CLI, device_code: String(device.json['device_code']) };
      await under.token(form);
      return (await under.token(form)).json;
    };
    const refresh = (under: EntraUnderTest, token: unknown, change = {}) =>
      under.token({
        ...{
          grant_type: 'refresh_token',
          client_id: CLI,
          refresh_token: String(token),
          scope: ARM,
          ...change,
        },
      });

    it('is good for another resource, and after a restart', async () => {
      const first = await start();
      const { refresh_token: token } = await signIn(first);
      const state = structuredClone(first.emulator.state);
      await first.emulator.stop();
      const second = await start({ state });
      const { json } = await refresh(second, token, { scope: RELAY });
      equal(claimsOf(json['access_token'])['aud'], 'https://relay.azure.net');
    });

    it('is not given unless it is asked for', async () => {
      const under = await start();
      const { refresh_token: token } = await signIn(under);
      equal((await refresh(under, token)).json['refresh_token'], undefined);
      ok((await refresh(under, token, { scope: `${ARM} offline_access` })).json['refresh_token']);
    });

    it('is no access token, and an access token is none', async () => {
      const under = await start();
      const { refresh_token: token, access_token: access } = await signIn(under);
      deepEqual((await refresh(under, access)).json['error_codes'], [70000]);
      const arm = await under.ask('/subscriptions?api-version=2022-12-01', {
        headers: { Authorization: `Bearer ${String(token)}` },
      });
      equal(arm.status, 401);
    });

    it('is bound to its client, lives 90 days, and dies with its person', async () => {
      const under = await start();
      const { refresh_token: token } = await signIn(under);
      const other = await refresh(under, token, { client_id: '1950a258-227b-4e31-a9cf-717495945fc2' });
      deepEqual(other.json['error_codes'], [70000]);
      under.clock.advance(90 * DAY_MS - 1_000);
      equal((await refresh(under, token)).status, 200);
      const { principals } = under.emulator.state;
      const at = principals.findIndex(({ type }) => type === 'User');
      const [person] = principals.splice(at, 1);
      deepEqual((await refresh(under, token)).json['error_codes'], [50173]);
      if (person !== undefined) principals.push(person);
      under.clock.advance(1_000);
      deepEqual((await refresh(under, token)).json['error_codes'], [700082]);
    });
  });

  describe('a device', () => {
    const begin = async (under: EntraUnderTest) => {
      const { json } = await under.post(`/${under.tenantId}/oauth2/v2.0/devicecode`, {
        ...{ client_id: CLI, scope: `${ARM} openid` },
      });
      return json as { device_code: string; user_code: string; verification_uri: string; interval: number };
    };
    const poll = async (under: EntraUnderTest, { device_code }: { device_code: string }) => {
      const { json } = await under.token({ grant_type: DEVICE, client_id: CLI, device_code });
      return (json['error'] ?? 'signed in') as string;
    };
    const decide = (under: EntraUnderTest, form: Record<string, string>) =>
      under.post('/common/oauth2/deviceauth', form);

    it('waits once, and is then let in by itself; its code is good once', async () => {
      const under = await start();
      const code = await begin(under);
      deepEqual(
        [await poll(under, code), await poll(under, code), await poll(under, code)],
        ['authorization_pending', 'signed in', 'invalid_grant'],
      );
    });

    it('waits for a person at the page when the emulator is told so', async () => {
      const under = await start({ behaviour: { deviceCodeApproval: 'page', deviceCodeIntervalS: 5 } });
      const code = await begin(under);
      equal(code.interval, 5);
      equal(await poll(under, code), 'authorization_pending');
      equal(await poll(under, code), 'authorization_pending');
      const page = await under.ask(new URL(code.verification_uri).pathname);
      match(page.text, /<form method="post">.*name="user_code"/s);
      match((await decide(under, { user_code: 'WRONG' })).text, /did not work/);
      equal(await poll(under, code), 'authorization_pending');
      match((await decide(under, { user_code: code.user_code.toLowerCase() })).text, /You are signed in/);
      equal(await poll(under, code), 'signed in');
    });

    it('is turned away when the person declines', async () => {
      const under = await start({ behaviour: { deviceCodeApproval: 'page' } });
      const code = await begin(under);
      await decide(under, { user_code: code.user_code, decision: 'decline' });
      equal(await poll(under, code), 'authorization_declined');
    });

    it('has a quarter of an hour', async () => {
      const under = await start({ behaviour: { deviceCodeApproval: 'page' } });
      const code = await begin(under);
      under.clock.advance(15 * MINUTE_MS - 1);
      equal(await poll(under, code), 'authorization_pending');
      under.clock.advance(1);
      equal(await poll(under, code), 'expired_token');
      match((await decide(under, { user_code: code.user_code })).text, /did not work/);
    });

    it('gets codes that differ', async () => {
      const under = await start();
      const [one, two] = [await begin(under), await begin(under)];
      notEqual(one.user_code, two.user_code);
      notEqual(one.device_code, two.device_code);
    });
  });
});
