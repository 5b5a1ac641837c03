import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HcmError } from '../../../src/protocol/errors.ts';
import {
  formatTargetAddress,
  hostHeaderOf,
  parseTargetAddress,
  type TargetAddress,
} from '../../../src/protocol/target-address.ts';

function faultOf(text: string): HcmError {
  try {
    parseTargetAddress(text);
  } catch (error) {
    assert.ok(error instanceof HcmError);
    assert.equal(error.code, 'HCM_TARGET_INVALID');
    return error;
  }
  throw new Error(`"${text}" was taken`);
}

function http(fields: Partial<Extract<TargetAddress, { kind: 'http' }>>): TargetAddress {
  return { kind: 'http', secure: false, host: 'app', port: 80, basePath: '', ...fields };
}

describe('parseTargetAddress', () => {
  const taken: [text: string, address: TargetAddress, formatted?: string][] = [
    [' db.corp:5432\n', { kind: 'tcp', host: 'db.corp', port: 5432 }, 'db.corp:5432'],
    ['[::1]:5432', { kind: 'tcp', host: '::1', port: 5432 }],
    ['tcp:db:5432', { kind: 'tcp', host: 'db', port: 5432 }, 'db:5432'],
    ['TCP:[::1]:22', { kind: 'tcp', host: '::1', port: 22 }, '[::1]:22'],
    ['http:80', { kind: 'tcp', host: 'http', port: 80 }],
    ['tcp:udp:53', { kind: 'tcp', host: 'udp', port: 53 }],
    ['udp:10.0.0.2:53', { kind: 'udp', host: '10.0.0.2', port: 53 }],
    ['udp:[fd00::53]:53', { kind: 'udp', host: 'fd00::53', port: 53 }],
    ['unix:/run/app.sock', { kind: 'unix', path: '/run/app.sock' }],
    ['unix:///run/app.sock', { kind: 'unix', path: '/run/app.sock' }, 'unix:/run/app.sock'],
    ['/run/a b:1', { kind: 'unix', path: '/run/a b:1' }, 'unix:/run/a b:1'],
    ['unix:app.sock', { kind: 'unix', path: 'app.sock' }],
    ['\\\\.\\pipe\\db', { kind: 'unix', path: '\\\\.\\pipe\\db' }, 'unix:\\\\.\\pipe\\db'],
    ['http://app', http({})],
    ['http://app:8080', http({ port: 8080 })],
    ['http://app:443', http({ port: 443 })],
    ['HTTPS://App/', http({ secure: true, port: 443, host: 'app' }), 'https://app'],
    ['https://app:80/', http({ secure: true }), 'https://app:80'],
    ['http://[::1]/', http({ host: '::1' }), 'http://[::1]'],
    ['http://[fd00::1]:8080/api', http({ host: 'fd00::1', port: 8080, basePath: '/api' })],
    ['http://app/api/v1//', http({ basePath: '/api/v1' }), 'http://app/api/v1'],
    ['http://app/a/../b c', http({ basePath: '/b%20c' }), 'http://app/b%20c'],
    ['http://app//x', http({ basePath: '//x' })],
    ['http://bücher.example', http({ host: 'xn--bcher-kva.example' }), 'http://xn--bcher-kva.example'],
  ];
  for (const [text, address, formatted = text] of taken) {
    it(`takes ${JSON.stringify(text)}, and writes it as ${JSON.stringify(formatted)}`, () => {
      assert.deepEqual(parseTargetAddress(text), address);
      assert.equal(formatTargetAddress(address), formatted);
      assert.deepEqual(parseTargetAddress(formatted), address);
    });
  }

  const refused: [text: string, reason: string][] = [
    ['', 'empty'],
    ['5432', 'host'],
    ['db', 'port-missing'],
    ['db:0', 'port'],
    ['tcp:5432', 'host'],
    ['udp:53', 'host'],
    ['udp:', 'empty'],
    ['udp:dns', 'port-missing'],
    ['udp:::1:53', 'ipv6-brackets'],
    ['tcp://db:5432', 'scheme'],
    ['udp://dns:53', 'scheme'],
    ['ftp://me:s3cret@db', 'scheme'],
    ['unix:', 'path'],
    [`unix:/${'a'.repeat(107)}`, 'path'],
    ['unix:/a\0b', 'path'],
    ['http://', 'host'],
    ['http:///path', 'host'],
    ['http://:80', 'host'],
    ['http://app:0', 'port'],
    ['http://app:65536/', 'port'],
    ['http://app:', 'port'],
    ['http://::1/', 'ipv6-brackets'],
    ['http://a b/', 'host'],
    ['http://1.2.3.400/', 'host'],
    ['http://app/a\nb', 'path'],
    ['http://app/?x=s3cret', 'query'],
    ['http://app/#s3cret', 'query'],
    ['http://me:s3cret@app/', 'userinfo'],
    ['http://s3cret@app', 'userinfo'],
  ];
  for (const [text, reason] of refused) {
    it(`calls ${JSON.stringify(text)} a fault of the kind ${reason}`, () => {
      const fault = faultOf(text);
      assert.equal(fault.details['reason'], reason);
      assert.ok(!fault.message.includes('s3cret'), fault.message);
    });
  }

  it('reads what formatTargetAddress writes', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4());
    const port = fc.integer({ min: 1, max: 65_535 });
    const base = fc.array(fc.stringMatching(/^[a-z0-9_~-]{1,8}$/)).map((parts) => parts.map((p) => `/${p}`));
    fc.assert(
      fc.property(host, port, base, fc.boolean(), (name, number, parts, secure) => {
        const at = { host: name.toLowerCase(), port: number };
        for (const address of [
          { kind: 'tcp', ...at },
          { kind: 'udp', ...at },
          { kind: 'http', ...at, secure, basePath: parts.join('') },
        ] as const)
          assert.deepEqual(parseTargetAddress(formatTargetAddress(address)), address);
      }),
    );
  });
});

describe('hostHeaderOf', () => {
  it('names a port only where it is not the default, and no zone', () => {
    const header = (text: string): string => {
      const address = parseTargetAddress(text);
      assert.ok(address.kind === 'http');
      return hostHeaderOf(address);
    };
    assert.equal(header('http://app/base'), 'app');
    assert.equal(header('https://app:443'), 'app');
    assert.equal(header('https://app:80'), 'app:80');
    assert.equal(header('http://[::1]:8080'), '[::1]:8080');
    assert.equal(header('http://[fe80::1%eth0]'), '[fe80::1]');
    assert.equal(header('http://app:8080'), 'app:8080');
  });
});
