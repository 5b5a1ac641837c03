// Forged and worn-out tokens, made with jose and by hand: none gets in.
import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject, createPrivateKey } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import { seedEntra, type DirectoryState, type SigningKeyState } from '../../../src/emulator/entra-state.ts';
import { BearerError, createVerifyBearer } from '../../../src/emulator/entra/verify.ts';
import { signingKey } from '../../helpers/signing-key.ts';

const TENANT = '22222222-2222-2222-2222-222222222222';
const SUBSCRIPTION = '11111111-1111-1111-1111-111111111111';
const AUDIENCES = ['https://management.azure.com'];
const NOW_MS = Date.UTC(2026, 0, 1);
const NOW_S = NOW_MS / 1_000;

describe('verifyBearer', () => {
  let key: SigningKeyState;
  let state: DirectoryState;
  let claims: JWTPayload;

  before(async () => {
    key = await signingKey();
  });

  beforeEach(() => {
    const identity = { tenantId: TENANT, subscriptionId: SUBSCRIPTION, clientId: 'client' };
    state = { ...identity, clientSecret: 'secret', signingKey: key, ...seedEntra(identity, NOW_MS) };
    claims = {
      ...{ iss: `https://sts.windows.net/${TENANT}/`, aud: 'https://management.azure.com/', tid: TENANT },
      ...{ oid: state.principals[0]?.objectId, appid: 'client' },
      ...{ nbf: NOW_S - 10, exp: NOW_S + 10 },
    };
  });

  const signed = (payload = claims, signer: SigningKeyState | KeyObject = key) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'RS256' }).sign(signer);
  const verify = (header: string | undefined, tokensNotBeforeS = 0) =>
    createVerifyBearer({ state, nowMs: () => NOW_MS, faults: { entra: { tokensNotBeforeS } } })(
      header,
      AUDIENCES,
    );
  const refused = (code: string, pattern = /./) => {
    return (error: unknown) => {
      const { code: seen, message, challenge } = error as BearerError;
      equal(seen, code);
      match(message, pattern);
      match(challenge, /^Bearer authorization_uri="https:\/\/login\.windows\.net\/22222222-[^"]*", error="/);
      return error instanceof BearerError;
    };
  };

  it('knows the bearer of a good token, with the roles of now', async () => {
    const caller = await verify(`Bearer ${await signed()}`);
    equal(caller.objectId, state.principals[0]?.objectId);
    equal(caller.appId, 'client');
    equal(caller.name, 'local-client');
    deepEqual(
      caller.roles.map(({ scope }) => scope),
      [`/subscriptions/${SUBSCRIPTION}`, `/subscriptions/${SUBSCRIPTION}`],
    );
  });

  it('refuses a request without a token, and one with another scheme', async () => {
    for (const header of [undefined, '', 'Basic YTpi', 'Bearer']) {
      await rejects(verify(header), refused('AuthenticationFailed'));
    }
  });

  it('refuses what is no token', async () => {
    const [, payload, signature] = (await signed()).split('.');
    for (const token of ['x', 'a.b.c', 'e30.e30', `.${payload}.${signature}`, `${await signed()}.x`]) {
      await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationToken'), token);
    }
  });

  it('refuses the algorithm "none", with a signature and without', async () => {
    const [, payload, signature] = (await signed()).split('.');
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    for (const token of [`${header}.${payload}.`, `${header}.${payload}.${signature}`]) {
      await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationToken'), token);
    }
  });

  it('refuses a token that is signed with the public key as a secret', async () => {
    const secret = Buffer.from(JSON.stringify({ kty: key.kty, n: key.n, e: key.e }));
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret);
    await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationToken'));
  });

  it('refuses another algorithm with the right key', async () => {
    const header = Buffer.from('{"alg":"RS512"}').toString('base64url');
    const text = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    const privateKey = createPrivateKey({ key, format: 'jwk' });
    for (const hash of ['sha512', 'sha256']) {
      const signature = sign(hash, Buffer.from(text), privateKey).toString('base64url');
      await rejects(verify(`Bearer ${text}.${signature}`), refused('InvalidAuthenticationToken'), hash);
    }
  });

  it('refuses a token of another key, even one that brings its key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const token = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', jwk }).sign(privateKey);
    await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationToken'));
  });

  it('refuses a token whose claims were changed', async () => {
    const [header, , signature] = (await signed()).split('.');
    const payload = Buffer.from(JSON.stringify({ ...claims, exp: NOW_S + 99_999 })).toString('base64url');
    await rejects(verify(`Bearer ${header}.${payload}.${signature}`), refused('InvalidAuthenticationToken'));
  });

  it('refuses every token while no key was made', async () => {
    const token = await signed();
    delete state.signingKey;
    await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationToken'));
  });

  it('refuses the issuer of another tenant', async () => {
    const other = await signed({ ...claims, iss: 'https://sts.windows.net/other/' });
    await rejects(verify(`Bearer ${other}`), refused('InvalidAuthenticationTokenTenant', /other/));
    const foreign = await signed({ ...claims, tid: 'other' });
    await rejects(verify(`Bearer ${foreign}`), refused('InvalidAuthenticationTokenTenant'));
  });

  it('refuses a token for another resource, and names both', async () => {
    const token = await signed({ ...claims, aud: 'https://relay.azure.net' });
    const words = /'https:\/\/relay\.azure\.net'.*'https:\/\/management\.azure\.com'/;
    await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationTokenAudience', words));
  });

  it('refuses a token from the second of its expiry on, and tells both times', async () => {
    await verify(`Bearer ${await signed({ ...claims, exp: NOW_S + 1 })}`);
    const token = await signed({ ...claims, exp: NOW_S });
    await rejects(verify(`Bearer ${token}`), refused('ExpiredAuthenticationToken', /'2026-01-01T00:00:00/));
  });

  it('forgives an issuer whose clock is five minutes ahead, and no more', async () => {
    await verify(`Bearer ${await signed({ ...claims, nbf: NOW_S + 300, exp: NOW_S + 600 })}`);
    const token = await signed({ ...claims, nbf: NOW_S + 301, exp: NOW_S + 600 });
    await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationToken'));
  });

  it('refuses a token that never ends', async () => {
    const endless = { ...claims };
    delete endless.exp;
    await rejects(verify(`Bearer ${await signed(endless)}`), refused('InvalidAuthenticationToken'));
  });

  it('refuses what was signed for another purpose, and audiences in a list', async () => {
    const refresh = await signed({ aud: 'urn:hcm:refresh-token', sub: 'x', exp: NOW_S + 10 });
    await rejects(verify(`Bearer ${refresh}`), refused('InvalidAuthenticationToken'));
    const listed = await signed({ ...claims, aud: AUDIENCES });
    await rejects(verify(`Bearer ${listed}`), refused('InvalidAuthenticationToken'));
  });

  it('refuses the token of a principal that is gone', async () => {
    const token = await signed();
    state.principals.shift();
    await rejects(verify(`Bearer ${token}`), refused('InvalidAuthenticationToken'));
  });

  it('challenges a revoked token with the claims to ask a new one with', async () => {
    await rejects(verify(`Bearer ${await signed()}`, NOW_S), (error: BearerError) => {
      const encoded = /error="insufficient_claims".*claims="([^"]*)"/.exec(error.challenge)?.[1] ?? '';
      deepEqual(JSON.parse(Buffer.from(encoded, 'base64').toString()), {
        access_token: { nbf: { essential: true, value: String(NOW_S) } },
      });
      return true;
    });
    await verify(`Bearer ${await signed({ ...claims, nbf: NOW_S })}`, NOW_S);
  });

  it('lets nothing of a token into a header that a header cannot hold', async () => {
    const token = await signed({ ...claims, aud: 'x"\r\nSet-Cookie: a=b\u{1F600}' });
    await rejects(verify(`Bearer ${token}`), (error: BearerError) => /^[\x20-\x7e]*$/.test(error.challenge));
  });
});
