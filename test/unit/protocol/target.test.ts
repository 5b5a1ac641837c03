import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HcmError } from '../../../src/protocol/errors.ts';
import { formatBind, formatTarget, parseBind, parseTarget } from '../../../src/protocol/target.ts';

function reasonOf(run: () => unknown, code: string): unknown {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof HcmError);
    assert.equal(error.code, code);
    assert.ok(!error.message.includes('s3cret'), error.message);
    return error.details['reason'];
  }
  return 'none';
}

describe('parseTarget', () => {
  it('reads names, addresses and IPv6 in brackets', () => {
    assert.deepEqual(parseTarget(' db.corp:5432\n'), { host: 'db.corp', port: 5432 });
    assert.deepEqual(parseTarget('10.0.0.1:1'), { host: '10.0.0.1', port: 1 });
    assert.deepEqual(parseTarget('[::1]:65535'), { host: '::1', port: 65535 });
    assert.deepEqual(parseTarget('[fe80::1%eth0]:22'), { host: 'fe80::1%eth0', port: 22 });
    assert.deepEqual(parseTarget('bücher.example:80'), { host: 'bücher.example', port: 80 });
  });

  const faults: [text: string, reason: string][] = [
    ['d\u001b[2Jb:1', 'host'],
    ['d\u0000b:1', 'host'],
    ['', 'empty'],
    ['5432', 'host'],
    [':5432', 'host'],
    ['db', 'port-missing'],
    ['db:', 'port'],
    ['db:0', 'port'],
    ['db:65536', 'port'],
    ['db:http', 'port'],
    ['db:+5', 'port'],
    ['::1', 'ipv6-brackets'],
    ['::1:5432', 'ipv6-brackets'],
    ['fe80::1', 'ipv6-brackets'],
    ['[::1]', 'port-missing'],
    ['[::1]:', 'port'],
    ['[::1]5432', 'ipv6-brackets'],
    ['[db]:5432', 'host'],
    ['tcp://db:5432', 'scheme'],
    ['https://me:s3cret@db:5432', 'scheme'],
    ['me@s3cret:1', 'host'],
    ['a b:1', 'host'],
    ['a/b:1', 'host'],
    ['*:1', 'host'],
  ];
  for (const [text, reason] of faults) {
    it(`calls "${text}" a fault of the kind ${reason}`, () => {
      assert.equal(
        reasonOf(() => parseTarget(text), 'HCM_TARGET_INVALID'),
        reason,
      );
    });
  }

  it('reads what formatTarget writes', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        assert.deepEqual(parseTarget(formatTarget({ host: name, port })), { host: name, port });
      }),
    );
  });
});

describe('parseBind', () => {
  it('takes a port alone for loopback, port 0, and sockets in the file system', () => {
    assert.deepEqual(parseBind('1433'), { kind: 'tcp', host: '127.0.0.1', port: 1433 });
    assert.deepEqual(parseBind('0'), { kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert.deepEqual(parseBind('0.0.0.0:80'), { kind: 'tcp', host: '0.0.0.0', port: 80 });
    assert.deepEqual(parseBind('[::]:80'), { kind: 'tcp', host: '::', port: 80 });
    assert.deepEqual(parseBind('unix:/run/a b.sock'), { kind: 'unix', path: '/run/a b.sock' });
    assert.deepEqual(parseBind('unix:///run/x'), { kind: 'unix', path: '/run/x' });
    assert.deepEqual(parseBind('unix:x.sock'), { kind: 'unix', path: 'x.sock' });
    assert.deepEqual(parseBind('/run/x:1'), { kind: 'unix', path: '/run/x:1' });
    assert.deepEqual(parseBind('\\\\.\\pipe\\db'), { kind: 'unix', path: '\\\\.\\pipe\\db' });
  });

  it('names what is wrong', () => {
    const reason = (text: string): unknown => reasonOf(() => parseBind(text), 'HCM_BIND_INVALID');
    assert.equal(reason(''), 'empty');
    assert.equal(reason('localhost'), 'port-missing');
    assert.equal(reason(':80'), 'host');
    assert.equal(reason('70000'), 'port');
    assert.equal(reason('::1:80'), 'ipv6-brackets');
    assert.equal(reason('unix:'), 'path');
    assert.equal(reason('/a\0b'), 'path');
  });

  it('takes UDP only where it is asked for', () => {
    const udp = (text: string): unknown => parseBind(text, { udp: true });
    assert.deepEqual(udp('udp:5353'), { kind: 'udp', host: '127.0.0.1', port: 5353 });
    assert.deepEqual(udp('UDP:[::1]:0'), { kind: 'udp', host: '::1', port: 0 });
    assert.deepEqual(udp('5353'), { kind: 'tcp', host: '127.0.0.1', port: 5353 });
    assert.equal(
      reasonOf(() => udp('udp:'), 'HCM_BIND_INVALID'),
      'empty',
    );
    assert.equal(
      reasonOf(() => parseBind('udp:127.0.0.1:53'), 'HCM_BIND_INVALID'),
      'ipv6-brackets',
    );
    assert.equal(formatBind({ kind: 'udp', host: '::1', port: 53 }), 'udp:[::1]:53');
  });

  it('reads what formatBind writes', () => {
    for (const text of ['127.0.0.1:0', '[::1]:80', 'unix:/run/x'])
      assert.equal(formatBind(parseBind(text)), text);
  });
});
