import assert from 'node:assert/strict';
import { allows, allowsPath, parseAllowRule } from '../../../src/protocol/allow-list.ts';
import { HcmError } from '../../../src/protocol/errors.ts';

describe('allows', () => {
  const table: [rule: string, host: string, address: string, port: number, allowed: boolean][] = [
    ['db.corp:5432', 'DB.corp.', '10.0.0.1', 5432, true],
    ['db.corp:5432', 'db.corp', '10.0.0.1', 5433, false],
    ['db.corp:5432', 'xdb.corp', '10.0.0.1', 5432, false],
    ['db.corp:80-90', 'db.corp', '10.0.0.1', 80, true],
    ['db.corp:80-90', 'db.corp', '10.0.0.1', 90, true],
    ['db.corp:80-90', 'db.corp', '10.0.0.1', 91, false],
    ['db.corp:*', 'db.corp', '10.0.0.1', 65_535, true],
    ['*.corp.example:443', 'a.b.Corp.example', '10.0.0.1', 443, true],
    ['*.corp.example:443', 'corp.example', '10.0.0.1', 443, false],
    ['*.corp.example:443', '.corp.example', '10.0.0.1', 443, false],
    ['*.corp.example:443', 'evilcorp.example', '10.0.0.1', 443, false],
    ['10.0.0.0/8:5432', 'db.corp', '10.255.0.1', 5432, true],
    ['10.0.0.0/8:5432', '10.0.0.1', '192.168.0.1', 5432, false],
    ['10.0.0.0/8:5432', 'db.corp', '11.0.0.1', 5432, false],
    ['10.0.0.0/8:5432', 'db.corp', '::ffff:10.1.2.3', 5432, true],
    ['10.0.0.0/8:5432', 'db.corp', '::ffff:0a01:203', 5432, true],
    ['10.0.0.0/8:5432', 'db.corp', '::ffff:11.1.2.3', 5432, false],
    ['10.0.0.5:5432', 'db.corp', '10.0.0.5', 5432, true],
    ['10.0.0.5:5432', 'db.corp', '10.0.0.6', 5432, false],
    ['0.0.0.0/0:1', 'x', '203.0.113.1', 1, true],
    ['0.0.0.0/0:1', 'x', '2001:db8::1', 1, false],
    ['[fd00::]/8:443', 'x', 'fdab::1', 443, true],
    ['[fd00::]/8:443', 'x', 'fe80::1%eth0', 443, false],
    ['[fe80::]/10:443', 'x', 'fe80::1%eth0', 443, true],
    ['[::1]:443', 'x', '0:0:0:0:0:0:0:1', 443, true],
    ['[::ffff:10.0.0.0]/104:1', 'x', '10.9.9.9', 1, true],
    ['[::ffff:10.0.0.0]/104:1', 'x', '11.9.9.9', 1, false],
    ['[::]/0:1', 'x', '10.0.0.1', 1, false],
    ['10.0.0.0/8:5432', '10.0.0.1', 'not an address', 5432, false],
    ['tcp:db.corp:5432', 'db.corp', '10.0.0.1', 5432, true],
    ['tcp:5432', 'tcp', '10.0.0.1', 5432, true],
    ['unix:/run/db', '/run/db', '/run/db', 0, false],
  ];
  for (const [rule, host, address, port, allowed] of table) {
    it(`${allowed ? 'lets' : 'does not let'} ${rule} cover ${host} at ${address} port ${port}`, () => {
      assert.equal(allows([parseAllowRule(rule)], { host, address, port }), allowed);
    });
  }

  it('needs one rule of several, and none allows nothing', () => {
    const candidate = { host: 'db', address: '10.0.0.1', port: 1 };
    assert.ok(allows([parseAllowRule('x:1'), parseAllowRule('db:1')], candidate));
    assert.ok(!allows([], candidate));
  });
});

describe('allowsPath', () => {
  it('lets a rule cover the one socket that it names', () => {
    const rules = [parseAllowRule('*.corp:*'), parseAllowRule('unix:/run/db.sock')];
    assert.equal(allowsPath(rules, '/run/db.sock'), true);
    assert.equal(allowsPath([parseAllowRule('/run/db.sock')], '/run/db.sock'), true);
    for (const path of ['/run/db.sock2', '/run/../run/db.sock', 'run/db.sock', '/run/'])
      assert.equal(allowsPath(rules, path), false, path);
    assert.equal(allowsPath([], '/run/db.sock'), false);
  });
});

describe('parseAllowRule', () => {
  it('keeps the text and names the parts', () => {
    assert.deepEqual(parseAllowRule(' [fd00::]/8:80-90 '), {
      text: '[fd00::]/8:80-90',
      host: { kind: 'net', address: 'fd00::', prefix: 8 },
      fromPort: 80,
      toPort: 90,
    });
  });

  const faults: [text: string, reason: string][] = [
    ['', 'ports-missing'],
    ['db', 'ports-missing'],
    ['[::1]', 'ports-missing'],
    ['db:', 'ports'],
    ['db:0', 'ports'],
    ['db:90-80', 'ports'],
    ['db:1-65536', 'ports'],
    ['db:1-', 'ports'],
    [':80', 'host'],
    ['*:80', 'host'],
    ['a*b:80', 'host'],
    ['*.*.x:80', 'host'],
    ['10.0.0:80', 'host'],
    ['10.0.0.256:80', 'host'],
    ['10.0.0.0/33:80', 'network'],
    ['10.0.0.0/:80', 'network'],
    ['10.0.0.0/x:80', 'network'],
    ['db/8:80', 'network'],
    ['[db]:80', 'network'],
    ['[fd00::]/129:80', 'network'],
    ['fd00::/8:80', 'ipv6-brackets'],
    ['::1:80', 'ipv6-brackets'],
  ];
  for (const [text, reason] of faults) {
    it(`calls "${text}" a fault of the kind ${reason}`, () => {
      assert.throws(
        () => parseAllowRule(text),
        (error) => {
          assert.ok(error instanceof HcmError);
          assert.equal(error.code, 'HCM_ALLOW_INVALID');
          assert.equal(error.details['reason'], reason, error.message);
          return true;
        },
      );
    });
  }
});
