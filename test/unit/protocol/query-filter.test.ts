import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodePercent, filterQuery, queryPairs } from '../../../src/protocol/query-filter.ts';

describe('filterQuery', () => {
  // What a listener sees behind the real service, by .NET's test HybridRequestTests.QueryString. Two rows of that test
  // (escapes of non-ASCII made upper-case, raw quotes escaped) come from the service's HTTP stack, not from its filter.
  const table: [sent: string, seen: string][] = [
    ['?sb-hc-id=1', ''],
    ['?custom=value&sb-hc-id=1', 'custom=value'],
    ['?sb-hc-id=1&custom=value', 'custom=value'],
    ['?sb-hc-undefined=true', ''],
    ['?sb-hc-whatever=', ''],
    ['?sb-hc-undefined', 'sb-hc-undefined'],
    ['?a=1&a=2&', 'a=1&a=2&'],
    ['?&&&', '&&&'],
    ['?&foo=bar', '&foo=bar'],
    ['?&&value&&', '&&value&&'],
    ['?+', '+'],
    ['?%2B', '%2B'],
    ['?%20', '%20'],
    ['?%2f%3a%3d%26', '%2f%3a%3d%26'],
    ['?name=%C3%b8', 'name=%C3%b8'],
    ['', ''],
    ['?', ''],
    ['a=1&SB-HC-Token=x&b=2', 'a=1&b=2'],
    ['a=1&sb%2Dhc%2dtoken=x', 'a=1'],
    ['a=sb-hc-token=x', 'a=sb-hc-token=x'],
    ['sb-hc=1', 'sb-hc=1'],
    ['%E0%A4=1&sb-hc-id=2', '%E0%A4=1'],
  ];
  for (const [sent, seen] of table) {
    it(`turns ${JSON.stringify(sent)} into ${JSON.stringify(seen)}`, () => {
      assert.equal(filterQuery(sent), seen);
    });
  }

  it('changes nothing the second time, and leaves no reserved pair', () => {
    const part = fc.oneof(
      fc.constantFrom('sb-hc-id=1', 'SB-HC-x=', 'sb-hc-y', '', 'a=1', '%73b-hc-z=1', '=', '+', '%'),
      fc.string().map((text) => text.replace(/[?&]/g, '')),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const once = filterQuery(parts.join('&'));
        assert.equal(filterQuery(once), once);
        assert.ok(![...queryPairs(once).keys()].some((name) => name.startsWith('sb-hc-')));
      }),
    );
  });
});

describe('queryPairs', () => {
  it('decodes both spellings of a space, folds the case of names, and takes the first of equal names', () => {
    const pairs = queryPairs('A=x+y%20z&a=2&novalue&b=c=d');
    assert.deepEqual(
      [...pairs],
      [
        ['a', 'x y z'],
        ['b', 'c=d'],
      ],
    );
  });
});

describe('decodePercent', () => {
  it('keeps what is no escape and what is not UTF-8', () => {
    assert.equal(decodePercent('100%/a%2Fb/%FF%41/%C3%B8+'), '100%/a/b/%FF%41/ø+');
  });
});
