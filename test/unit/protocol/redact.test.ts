import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { connectUrl } from '../../../src/protocol/addresses.ts';
import { formatRenewToken } from '../../../src/protocol/control-messages.ts';
import { redact } from '../../../src/protocol/redact.ts';
import { signSasToken } from '../../../src/protocol/sas-token.ts';

const JWT = 'eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJzZWNyZXQifQ.c2lnbmF0dXJl-_x';

describe('redact', () => {
  const table: [text: string, shown: string][] = [
    [
      'Endpoint=sb://ns1/;SharedAccessKeyName=k;SharedAccessKey=aB+/=;EntityPath=e',
      'Endpoint=sb://ns1/;SharedAccessKeyName=k;SharedAccessKey=***;EntityPath=e',
    ],
    ['sharedaccesskey = a&b<c', 'sharedaccesskey = ***'],
    [
      'SharedAccessSignature sr=http%3A&sig=aB%3D&se=1&skn=k',
      'SharedAccessSignature sr=http%3A&sig=***&se=1&skn=k',
    ],
    [
      'wss://h/$hc/e?a=1&sb-hc-token=Shared%20sig%3Dx&sb-hc-id=7',
      'wss://h/$hc/e?a=1&sb-hc-token=***&sb-hc-id=7',
    ],
    ['?sb-hc-sas-key-name=n&sb-hc-sas-key=secret', '?sb-hc-sas-key-name=n&sb-hc-sas-key=***'],
    ['x%26sig%3DaB%253D%26se%3D1', 'x%26sig%3D***%26se%3D1'],
    ['x%2526sig%253DaB%2526se', 'x%2526sig%253D***%2526se'],
    [`got ${JWT}, sorry`, 'got ***, sorry'],
    [
      'GET / HTTP/1.1\r\nAuthorization: Basic abc\r\nHost: h',
      'GET / HTTP/1.1\r\nAuthorization: ***\r\nHost: h',
    ],
    ['proxy-authorization: Basic abc', 'proxy-authorization: ***'],
    ['ServiceBusAuthorization: Shared x', 'ServiceBusAuthorization: ***'],
    ['{"Authorization":"Basic abc","Host":"h"}', '{"Authorization":"***","Host":"h"}'],
    ["[ 'Authorization', 'Basic abc', 'Host' ]", "[ 'Authorization', '***', 'Host' ]"],
    ["{ Authorization: 'Basic abc', Host: 'h' }", "{ Authorization: '***', Host: 'h' }"],
    ['Bearer abcdefghijklmnop', 'Bearer ***'],
    ['via http://me:p%40ss@proxy:8080/', 'via http://me:***@proxy:8080/'],
    ['socks5://me:p@ss@proxy:1080', 'socks5://me:***@proxy:1080'],
    ['{"primaryKey":"abc","keyName":"k"}', '{"primaryKey":"***","keyName":"k"}'],
    ['"{\\"clientSecret\\":\\"abc\\",\\"a\\":1}"', '"{\\"clientSecret\\":\\"***\\",\\"a\\":1}"'],
    ['AZURE_CLIENT_SECRET=abc npm test', 'AZURE_CLIENT_SECRET=*** npm test'],
    ["password: 'abc'", "password: '***'"],
  ];
  for (const [text, shown] of table) {
    it(`shows ${JSON.stringify(shown).slice(0, 70)}`, () => assert.equal(redact(text), shown));
  }

  it('leaves what is no secret', () => {
    for (const text of [
      'Endpoint=sb://ns1.servicebus.windows.net:443/;SharedAccessKeyName=defaultListener;EntityPath=e',
      'InvalidAudience: The authorization header contains a token with a wrong audience.',
      'Authorization failed for specified action: Listen.',
      'RequiresClientAuthorization: true',
      'http://db.corp:5432/x?design=1',
      'The token is expired: renew it.',
      '',
    ]) {
      assert.equal(redact(text), text);
    }
  });

  const secret = fc.stringMatching(/^[A-Za-z0-9+/]{20,43}=$/);
  const around: ((key: string) => string)[] = [
    (key) => `Endpoint=sb://x/;SharedAccessKeyName=k;SharedAccessKey=${key};EntityPath=e`,
    (key) => JSON.stringify({ connectionString: `SharedAccessKey=${key}` }),
    (key) => JSON.stringify(JSON.stringify({ primaryKey: key, password: key })),
    (key) => inspect({ password: key, headers: { 'Proxy-Authorization': `Basic ${key}` } }),
    (key) => `ServiceBusAuthorization: ${key}\r\nHost: x`,
    (key) => formatRenewToken(key),
    (key) => connectUrl({ host: 'x', port: 1 }, 'e', {}).href + `&sb-hc-token=${encodeURIComponent(key)}`,
    (key) => `http://user:${encodeURIComponent(key)}@proxy:8080`,
    (key) => encodeURIComponent(`sb-hc-token=${encodeURIComponent(key)}&a=1`),
  ];

  it('never lets a secret through in any of its usual places, alone or side by side', () => {
    fc.assert(
      fc.property(
        secret,
        fc.array(fc.constantFrom(...around), { minLength: 1, maxLength: 3 }),
        (key, places) => {
          const shown = redact(places.map((place) => place(key)).join(' '));
          for (const form of [key, encodeURIComponent(key), encodeURIComponent(encodeURIComponent(key))]) {
            assert.ok(!shown.includes(form.slice(0, 12)), shown);
          }
        },
      ),
    );
  });

  it('hides the signature of our own tokens at every depth of escaping', () => {
    fc.assert(
      fc.property(secret, fc.nat(3), (key, depth) => {
        let text = signSasToken({ resource: 'http://x/', keyName: 'k', key, expiresAtMs: 1e12 });
        const signature = /sig=([^&%]{8})/.exec(text)?.[1];
        fc.pre(signature !== undefined);
        for (let level = 0; level < depth; level++) text = encodeURIComponent(text);
        assert.ok(!redact(text).includes(signature));
        assert.ok(!redact(`sb-hc-token=${encodeURIComponent(text)}`).includes(signature));
      }),
    );
  });

  it('changes nothing the second time', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        ...table.map(([text]) => text),
        'sig=',
        'token',
        '="',
        "'",
        '\\"',
        'eyJ',
        '://a:',
        '@',
        '%3D',
        ': ',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const once = redact(pieces.join(''));
        assert.equal(redact(once), once);
      }),
      { numRuns: 2000 },
    );
  });

  it('stays quick on long hostile text', function () {
    this.timeout(2000);
    for (const piece of [
      'a',
      '://',
      'a://b:',
      'sig',
      'sig%25',
      'token="',
      'eyJ',
      'Authorization',
      '%25',
      ' ',
      '@',
    ]) {
      redact(piece.repeat(60_000 / piece.length));
    }
  });
});
