import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import {
  audienceCovers,
  isSasToken,
  parseSasToken,
  sasResource,
  signSasToken,
  stripBearer,
  verifySasSignature,
} from '../../../src/protocol/sas-token.ts';
import { HcmError } from '../../../src/protocol/errors.ts';

const WORKED =
  'SharedAccessSignature sr=http%3A%2F%2Fns1.example%2Fhyco1&sig=TK9J4ODpHvo12r3Nm7DeDaz3MeYcBFVxiC4KBAaKrnw%3D&se=1900000000&skn=send';

describe('signSasToken', () => {
  it('makes the token of the worked example', () => {
    const token = signSasToken({
      resource: 'http://ns1.example/hyco1',
      keyName: 'send',
      key: 'abc=',
      expiresAtMs: 1_900_000_000_999,
    });
    assert.equal(token, WORKED);
  });

  it('makes tokens that read back and verify, and only with the right key', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(text, text, text, fc.nat(), (resource, keyName, key, seconds) => {
        const parsed = parseSasToken(signSasToken({ resource, keyName, key, expiresAtMs: seconds * 1000 }));
        assert.equal(parsed.resource, resource);
        assert.equal(parsed.keyName, keyName);
        assert.equal(parsed.expiresAtMs, seconds * 1000);
        assert.ok(verifySasSignature(parsed, key));
        assert.ok(!verifySasSignature(parsed, `${key}x`));
      }),
    );
  });
});

describe('sasResource', () => {
  it('has scheme http, a lower-case host, no port and a slash at the end', () => {
    assert.equal(sasResource('NS1.Example', '/Team/DB/'), 'http://ns1.example/Team/DB/');
    assert.equal(sasResource('ns1.example', ''), 'http://ns1.example/');
    assert.equal(sasResource('::1', 'db'), 'http://[::1]/db/');
  });
});

describe('parseSasToken', () => {
  const reasonOf = (text: string): unknown => {
    try {
      parseSasToken(text);
    } catch (error) {
      assert.ok(error instanceof HcmError && error.code === 'HCM_TOKEN_MALFORMED');
      assert.ok(!error.message.includes('TK9J'));
      return error.details['reason'];
    }
    return 'none';
  };

  it('takes pairs in any order, the scheme in any case, and Bearer in front', () => {
    const parsed = parseSasToken(
      'Bearer sharedaccesssignature sig=TK9J4ODpHvo12r3Nm7DeDaz3MeYcBFVxiC4KBAaKrnw%3d&skn=a+b%20c&se=1900000000&sr=http%3A%2F%2Fns1.example%2Fhyco1',
    );
    assert.equal(parsed.keyName, 'a b c');
    assert.ok(verifySasSignature(parsed, 'abc='));
  });

  it('verifies over the resource as written: lower-case escapes of other producers count', () => {
    const sr = 'http%3a%2f%2fns1.example%3a443%2fhyco1';
    const sig = createHmac('sha256', 'k').update(`${sr}\n1900000000`).digest('base64');
    const parsed = parseSasToken(`SharedAccessSignature sr=${sr}&sig=${sig}&se=1900000000&skn=x`);
    assert.equal(parsed.resource, 'http://ns1.example:443/hyco1');
    assert.ok(verifySasSignature(parsed, 'k'));
    assert.ok(!verifySasSignature({ ...parsed, rawResource: sr.toUpperCase() }, 'k'));
    assert.ok(!verifySasSignature({ ...parsed, rawExpiry: '1900000001' }, 'k'));
  });

  it('names each fault, without repeating the token', () => {
    assert.equal(reasonOf(''), 'not-sas');
    assert.equal(reasonOf('eyJ0eXAi.e30.x'), 'not-sas');
    assert.equal(reasonOf('SharedAccessSignature'), 'not-sas');
    for (const part of ['sr', 'sig', 'se', 'skn']) {
      assert.equal(reasonOf(WORKED.replace(new RegExp(`\\b${part}=`), 'x=')), `missing-${part}`);
    }
    assert.equal(reasonOf(WORKED.replace('skn=send', 'skn=')), 'missing-skn');
    assert.equal(reasonOf(WORKED.replace('1900000000', '19e8')), 'expiry');
    assert.equal(reasonOf(`${WORKED}&SR=x`), 'repeated-pair');
    assert.equal(reasonOf(WORKED), 'none');
  });
});

describe('isSasToken', () => {
  it('tells SAS tokens from Entra tokens', () => {
    assert.ok(isSasToken(WORKED));
    assert.ok(isSasToken(`bearer ${WORKED}`));
    assert.ok(!isSasToken('eyJ0eXAi.e30.x'));
    assert.equal(stripBearer(' Bearer  eyJ '), 'eyJ');
  });
});

describe('audienceCovers', () => {
  const hosts = ['ns1.servicebus.windows.net', 'LOCALHOST:5671', '::1'];
  const table: [resource: string, path: string, covers: boolean][] = [
    ['http://ns1.servicebus.windows.net/hyco1/', 'hyco1', true],
    ['http://ns1.servicebus.windows.net:443/hyco1', 'hyco1', true],
    ['sb://NS1.servicebus.windows.net/HYCO1', 'hyco1/suffix', true],
    ['ns1.servicebus.windows.net/hyco1', 'hyco1', true],
    ['https://ns1.servicebus.windows.net/', 'anything', true],
    ['http://ns1.servicebus.windows.net', 'anything', true],
    ['http://user:x@ns1.servicebus.windows.net/hyco1?a=1', 'hyco1', true],
    ['http://ns1.servicebus.windows.net/hyco1/suffix', 'hyco1/suffix/x', true],
    ['http://ns1.servicebus.windows.net/hyco1/a%20b', 'hyco1/a b', true],
    ['http://localhost/db', 'db', true],
    ['http://localhost:1/db', '/db/', true],
    ['http://[::1]:5671/db', 'db', true],
    ['http://[::1]/db', 'db', true],
    ['http://ns1.servicebus.windows.net/hyco1', 'hyco', false],
    ['http://ns1.servicebus.windows.net/hyco1', 'hyco12', false],
    ['http://ns1.servicebus.windows.net/hyco1/suffix', 'hyco1', false],
    ['http://ns2.servicebus.windows.net/hyco1', 'hyco1', false],
    ['http://ns1.servicebus.windows.net.evil.example/', 'hyco1', false],
    ['https://relay.azure.net/', 'hyco1', false],
    ['', 'hyco1', false],
  ];
  for (const [resource, path, covers] of table) {
    it(`says ${covers} for a token of "${resource}" asked for "${path}"`, () => {
      assert.equal(audienceCovers(resource, hosts, path), covers);
    });
  }
});
