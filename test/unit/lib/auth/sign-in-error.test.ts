import assert from 'node:assert/strict';
import { BUILT_IN_CLOUDS, type Cloud } from '../../../../src/lib/auth/cloud.ts';
import { toSignInError, type SignInAttempt } from '../../../../src/lib/auth/sign-in-error.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';
import { redact } from '../../../../src/protocol/redact.ts';

const [cloud] = BUILT_IN_CLOUDS as [Cloud];
const ID = '8f1c2f30-0000-4000-8000-00000000000a';

/** As @azure/identity 4.13 and az 2.x word them. */
const TEXTS = {
  badSecret: `invalid_client: Error(s): 7000215 - Timestamp: 2026-11-22 10:00:00Z - Description: AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'app-1'. Trace ID: ${ID} Correlation ID: ${ID} Timestamp: 2026-11-22 10:00:00Z - Correlation ID: ${ID} - Trace ID: ${ID}`,
  noAz: "Azure CLI could not be found. Please visit https://aka.ms/azure-cli for installation instructions and then, once installed, authenticate to your Azure account using 'az login'.",
  azLogin: "Please run 'az login' from a command prompt to authenticate before using this credential.",
  azExpired: `ERROR: AADSTS700082: The refresh token has expired due to inactivity. The token was issued on 2026-01-01 and was inactive for 90.00:00:00. Trace ID: ${ID} Correlation ID: ${ID} Timestamp: 2026-11-22 10:00:00Z\nInteractive authentication is needed. Please run:\naz login --scope https://management.core.windows.net//.default\n`,
  azOther: 'ERROR: Something odd\nmore of it',
  claims: `The Azure CLI credential does not support claims challenges. To authenticate with the required claims, please run the following command: az login --claims-challenge eyJhIjoxfQ== --scope https://management.azure.com/.default`,
  silent: 'Automatic authentication has been disabled. You may call the authentication() method.',
};

function fail(text: string, attempt: Partial<SignInAttempt>, name = 'CredentialUnavailableError'): HcmError {
  const error = toSignInError(Object.assign(new Error(text), { name }), { cloud, method: 'cli', ...attempt });
  assert.ok(error instanceof HcmError);
  return error;
}

describe('a sign-in that fails', () => {
  it("keeps Entra ID's words, number and correlation id, and says what to do", () => {
    const { code, message, details } = fail(TEXTS.badSecret, {
      ...{ method: 'env', tenantId: 'contoso.com', clientId: 'app-1' },
    });
    assert.equal(code, 'HCM_SIGN_IN_FAILED');
    assert.match(
      message,
      /^The sign-in of the app app-1 to the tenant contoso.com was refused: Invalid client/,
    );
    assert.match(message, /\(AADSTS7000215\)$/);
    assert.doesNotMatch(message, /Trace ID|Timestamp/);
    assert.deepEqual([details['azureCode'], details['correlationId']], ['AADSTS7000215', ID]);
    assert.match(String(details['next']), /AZURE_CLIENT_SECRET/);
  });

  it('without an az CLI, says how to do without', () => {
    const { code, details } = fail(TEXTS.noAz, {});
    assert.equal(code, 'HCM_SIGN_IN_REQUIRED');
    assert.match(String(details['next']), /^hcm login --device-code.*hcm emulator start/);
  });

  it('where the az CLI is signed out, or its sign-in has expired, names az login', () => {
    const out = fail(TEXTS.azLogin, {});
    assert.deepEqual([out.code, out.details['next']], ['HCM_SIGN_IN_REQUIRED', 'az login']);
    const expired = fail(TEXTS.azExpired, { tenantId: 'contoso.com' });
    assert.deepEqual(
      [expired.code, expired.details['next']],
      ['HCM_SIGN_IN_REQUIRED', 'az login --tenant contoso.com'],
    );
    assert.match(expired.message, /refresh token has expired/);
  });

  it('for any other reason of the az CLI, shows its first line', () => {
    const { code, message } = fail(TEXTS.azOther, {});
    assert.deepEqual(
      [code, message],
      ['HCM_SIGN_IN_FAILED', 'Signing in to public (cli) failed: az says: Something odd.'],
    );
  });

  it('since Azure asks for more than the az CLI has shown, gives the az login that does, whole', () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1795371382"},"acrs":{"value":"p1"}}}';
    const { code, details } = fail(TEXTS.claims, { claims });
    assert.equal(code, 'HCM_SIGN_IN_REQUIRED');
    const next = String(details['next']);
    const [, encoded = ''] = /^az login --claims-challenge (\S+) --scope https:/.exec(next) ?? [];
    assert.deepEqual(JSON.parse(Buffer.from(encoded, 'base64').toString()), JSON.parse(claims));
    assert.equal(redact(next), next);
  });

  it('of a person whom the cache does not know, asks to sign in again in the same way', () => {
    const attempt = { method: 'device', tenantId: 'contoso.com' } as const;
    const { code, details } = fail(TEXTS.silent, attempt, 'AuthenticationRequiredError');
    assert.deepEqual(
      [code, details['next']],
      ['HCM_SIGN_IN_REQUIRED', 'hcm login --device-code --tenant contoso.com'],
    );
  });

  it('of a person, tells the refusal that MSAL has lost', () => {
    const refusal = `AADSTS50173: The provided grant has expired. Trace ID: ${ID}`;
    const { code, message } = fail(
      TEXTS.silent,
      { method: 'browser', refusal },
      'AuthenticationRequiredError',
    );
    assert.equal(code, 'HCM_SIGN_IN_REQUIRED');
    assert.match(message, /The provided grant has expired. \(AADSTS50173\)$/);
  });

  it('names a tenant that is not there', () => {
    const text = 'endpoints_resolution_error: Endpoints cannot be resolved';
    const { code, message } = fail(text, { method: 'env', tenantId: 'nope' });
    assert.equal(code, 'HCM_SIGN_IN_FAILED');
    assert.match(message, /^There is no tenant nope at https:/);
  });

  it('is final for an app where a person could sign in again', () => {
    assert.equal(fail('AADSTS50076: more', { method: 'env' }).code, 'HCM_SIGN_IN_FAILED');
    assert.equal(fail('AADSTS50076: more', { method: 'device' }).code, 'HCM_SIGN_IN_REQUIRED');
  });

  it('because of the network is an error of the network', () => {
    const failure = new HcmError('HCM_DNS_FAILED', 'no such name');
    assert.equal(fail('network_error', { method: 'env', failure }), failure);
    assert.equal(fail(TEXTS.silent, { method: 'device', failure }, 'AuthenticationRequiredError'), failure);
  });

  it('on a machine without an identity says so, and what was seen', () => {
    const failure = new HcmError(
      'HCM_CONNECT_TIMEOUT',
      'The connection to 169.254.169.254:80 failed: nobody',
    );
    const { code, message } = fail('ManagedIdentityCredential: x', { method: 'managed', failure });
    assert.equal(code, 'HCM_SIGN_IN_FAILED');
    assert.match(message, /^The managed identity gave no token: The connection to 169.254.169.254:80 failed/);
  });

  it('by our own error, or because the caller gave up, is passed on', () => {
    const ours = new HcmError('HCM_SIGN_IN_REQUIRED', 'x');
    const aborted = Object.assign(new Error('stop'), { name: 'AbortError' });
    assert.equal(toSignInError(ours, { cloud, method: 'cli' }), ours);
    assert.equal(toSignInError(aborted, { cloud, method: 'cli' }), aborted);
  });
});
