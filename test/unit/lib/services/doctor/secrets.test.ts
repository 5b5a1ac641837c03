import assert from 'node:assert/strict';
import { scrub, secretsIn } from '../../../../../src/lib/services/doctor/secrets.ts';

describe('the secrets that a bundle is searched for', () => {
  it('are keys, signatures, passwords of proxies in both spellings, and variables that hold one', () => {
    const secrets = secretsIn(
      ['Endpoint=sb://ns/;SharedAccessKeyName=send;SharedAccessKey=a2V5LWE=;EntityPath=db', 'pass-file\n'],
      {
        HTTPS_PROXY: 'http://me-me:p%40ss-word@proxy.corp:3128',
        AZURE_CLIENT_SECRET: 'client~secret',
        HCM_PROXY_PASSWORD: 'proxy-pass',
        NO_PROXY: 'internal.corp',
        AZURE_FEDERATED_TOKEN_FILE: '/run/token-file',
        PATH: '/usr/bin',
      },
    );
    assert.deepEqual(
      [...secrets].sort(),
      ['a2V5LWE=', 'client~secret', 'me-me', 'p%40ss-word', 'p@ss-word', 'pass-file', 'proxy-pass'].sort(),
    );
  });

  it('a proxy without a password and a connection string without a key are none', () => {
    assert.deepEqual(
      secretsIn(['', 'sb://ns.servicebus.windows.net/'], { HTTPS_PROXY: 'http://proxy.corp:3128' }),
      [],
    );
  });

  it('are found escaped, too', () => {
    const text = scrub('a=k"y/1 b=k%22y%2F1 c=k\\"y/1 name', ['k"y/1']);
    assert.equal(text, 'a=*** b=*** c=*** name');
  });
});
