import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatEntityEntry, parseEntityAnswer } from '../../../src/protocol/entity-description.ts';
import { HcmError } from '../../../src/protocol/errors.ts';

const entry = {
  host: 'ns1.servicebus.windows.net',
  path: 'hyco1',
  createdAt: '2026-01-02T03:04:05.678Z',
  updatedAt: '2026-01-02T03:04:06Z',
  requiresClientAuthorization: true,
  userMetadata: '[{"key":"endpoint","value":"db:5432"}]',
  listenerCount: 2,
};
const ok = (
  body: string,
  contentType = 'application/atom+xml;type=entry;charset=utf-8',
): ReturnType<typeof parseEntityAnswer> => parseEntityAnswer({ status: 200, contentType, body });
const description = (children: string): string =>
  `<?xml version="1.0"?><a:entry xmlns:a="http://www.w3.org/2005/Atom"><a:content type="application/xml"><h:HybridConnectionDescription xmlns:h="urn:x">${children}</h:HybridConnectionDescription></a:content></a:entry>`;

describe('formatEntityEntry', () => {
  it('writes the children in the order that .NET reads them, and escapes the metadata', () => {
    const xml = formatEntityEntry(entry);
    const inner = /<HybridConnectionDescription [^>]*>(.*)<\/HybridConnectionDescription>/.exec(xml)?.[1];
    assert.equal(
      inner,
      '<CreatedAt>2026-01-02T03:04:05.678Z</CreatedAt><UpdatedAt>2026-01-02T03:04:06Z</UpdatedAt>' +
        '<RequiresClientAuthorization>true</RequiresClientAuthorization>' +
        '<UserMetadata>[{&#34;key&#34;:&#34;endpoint&#34;,&#34;value&#34;:&#34;db:5432&#34;}]</UserMetadata>' +
        '<ListenerCount>2</ListenerCount>',
    );
    assert.match(xml, /^<entry xmlns="http:\/\/www\.w3\.org\/2005\/Atom">/);
    assert.match(
      xml,
      /<HybridConnectionDescription xmlns="http:\/\/schemas\.microsoft\.com\/netservices\/2010\/10\/servicebus\/connect"/,
    );
  });

  it('writes what reads back as the same, whatever the metadata holds', () => {
    const text = fc.string({ unit: 'grapheme' }).map((value) => value.replace(/[\u0000-\u001f]/g, ''));
    fc.assert(
      fc.property(
        text,
        fc.boolean(),
        fc.nat(25),
        (userMetadata, requiresClientAuthorization, listenerCount) => {
          const expected = {
            createdAt: entry.createdAt,
            updatedAt: entry.updatedAt,
            userMetadata: `${userMetadata}</UserMetadata><![CDATA[ ]]>&amp;`,
            requiresClientAuthorization,
            listenerCount,
          };
          assert.deepEqual(ok(formatEntityEntry({ ...entry, ...expected })), expected);
        },
      ),
    );
  });
});

describe('parseEntityAnswer', () => {
  it('tolerates prefixes, CDATA, comments, attributes and line breaks', () => {
    const parsed = ok(
      description(
        '\n<h:CreatedAt i:x="1">c</h:CreatedAt><!-- <h:ListenerCount>9</h:ListenerCount> -->' +
          '<h:UserMetadata><![CDATA[[{"a":"<b>&amp;"}]]]></h:UserMetadata\n><h:ListenerCount> 3 </h:ListenerCount>',
      ),
    );
    assert.deepEqual(parsed, {
      createdAt: 'c',
      requiresClientAuthorization: true,
      userMetadata: '[{"a":"<b>&amp;"}]',
      listenerCount: 3,
    });
  });

  it('counts absent authorization as required, and reads false', () => {
    const read = (children: string): boolean => ok(description(children)).requiresClientAuthorization;
    assert.equal(read(''), true);
    assert.equal(read('<RequiresClientAuthorization>false</RequiresClientAuthorization>'), false);
    assert.equal(read('<RequiresClientAuthorization>False</RequiresClientAuthorization>'), false);
  });

  it('tells empty metadata from none', () => {
    assert.equal(ok(description('<UserMetadata/>')).userMetadata, '');
    assert.equal(ok(description('<UserMetadata i:nil="true"/>')).userMetadata, undefined);
    assert.equal(ok(description('')).userMetadata, undefined);
  });

  it('resolves references once, by name, decimal and hexadecimal', () => {
    assert.equal(
      ok(description('<UserMetadata>&lt;&#65;&#x1F600;&amp;lt;&nope;</UserMetadata>')).userMetadata,
      '<A😀&lt;&nope;',
    );
  });

  const codeOf = (status: number, body = '', contentType?: string, reason?: string): string => {
    try {
      parseEntityAnswer({ status, contentType, body, ...(reason === undefined ? {} : { reason }) });
    } catch (error) {
      assert.ok(error instanceof HcmError);
      return error.code;
    }
    return 'none';
  };

  it('maps statuses as the .NET client does', () => {
    const feed = 'application/atom+xml; charset=utf-8; type="feed"';
    assert.equal(codeOf(200, formatEntityEntry(entry), feed), 'HCM_ENTITY_NOT_FOUND');
    assert.equal(codeOf(204), 'HCM_ENTITY_NOT_FOUND');
    assert.equal(codeOf(404), 'HCM_ENTITY_NOT_FOUND');
    assert.equal(codeOf(401), 'HCM_UNAUTHORIZED');
    assert.equal(codeOf(403), 'HCM_QUOTA_EXCEEDED');
    assert.equal(codeOf(409), 'HCM_ENTITY_CONFLICT');
    assert.equal(codeOf(503), 'HCM_RELAY_BUSY');
    assert.equal(codeOf(500), 'HCM_RELAY_FAULT');
  });

  it('prefers the words in the error body to the reason phrase', () => {
    const body =
      '<Error><Code>401</Code><Detail>InvalidSignature: The token has an invalid signature.</Detail></Error>';
    assert.equal(codeOf(401, body, undefined, 'MalformedToken'), 'HCM_TOKEN_SIGNATURE');
    assert.equal(codeOf(401, 'no xml', undefined, 'MalformedToken'), 'HCM_TOKEN_MALFORMED');
  });

  it('refuses what is no description: HTML, document types, cut and oversized answers', () => {
    const good = formatEntityEntry(entry);
    for (const body of [
      '',
      '<html></html>',
      '<!DOCTYPE x [<!ENTITY a "b">]>' + good,
      good.slice(0, -80),
      '<!--' + good,
      good + ' '.repeat(300_000),
    ]) {
      assert.equal(codeOf(200, body), 'HCM_HANDSHAKE_FAILED', body.slice(0, 40));
    }
  });
});
