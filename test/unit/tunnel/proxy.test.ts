import assert from 'node:assert/strict';
import { HcmError } from '../../../src/protocol/errors.ts';
import { parseProxy, proxyFromEnvironment, withPassword } from '../../../src/tunnel/proxy.ts';

describe('the address of a proxy', () => {
  const good: [string, object][] = [
    ['http://proxy.corp:3128', { kind: 'http', host: 'proxy.corp', port: 3128 }],
    ['http://proxy.corp', { kind: 'http', host: 'proxy.corp', port: 80 }],
    ['socks5://127.0.0.1', { kind: 'socks5', host: '127.0.0.1', port: 1080 }],
    ['socks5h://proxy:9050', { kind: 'socks5', host: 'proxy', port: 9050 }],
    ['socks://proxy:9050', { kind: 'socks5', host: 'proxy', port: 9050 }],
    ['http://[::1]:3128', { kind: 'http', host: '::1', port: 3128 }],
    [
      'http://us%40er:p%3Aw@proxy:1',
      { kind: 'http', host: 'proxy', port: 1, username: 'us@er', password: 'p:w' },
    ],
    ['socks5://user@proxy', { kind: 'socks5', host: 'proxy', port: 1080, username: 'user' }],
  ];
  for (const [text, expected] of good) {
    it(`reads ${text}`, () => assert.deepEqual(parseProxy(text), expected));
  }

  const bad = [
    '',
    'proxy',
    'https://proxy:443',
    'ftp://proxy',
    'http://',
    'http://u:s3cret@proxy:99999',
    'http://u:s3cret%zz@proxy:80',
    `socks5://u:${'s3cret'.repeat(50)}@proxy`,
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}, without repeating a password`, () => {
      assert.throws(
        () => parseProxy(text),
        (error: unknown) =>
          error instanceof HcmError && error.code === 'HCM_PROXY_INVALID' && !/s3cret/.test(error.message),
      );
    });
  }

  it('takes a password from elsewhere where the address has a user without one', () => {
    const proxy = parseProxy('http://user@proxy');
    assert.equal(withPassword(proxy, 'pw').password, 'pw');
    assert.equal(withPassword(parseProxy('http://user:own@proxy'), 'pw').password, 'own');
    assert.equal(withPassword(parseProxy('http://proxy'), 'pw').password, undefined);
  });
});

describe('the proxy of the environment', () => {
  const names = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy'];
  let saved: [string, string | undefined][];

  beforeEach(() => {
    saved = names.map((name) => [name, process.env[name]]);
    for (const name of names) delete process.env[name];
  });
  afterEach(() => {
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  const relay = 'ns.servicebus.windows.net';

  it('is none where nothing is set', () => assert.equal(proxyFromEnvironment(relay, 443), undefined));

  for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) {
    it(`is what ${name} says`, () => {
      process.env[name] = 'http://proxy:3128';
      assert.deepEqual(proxyFromEnvironment(relay, 443), { kind: 'http', host: 'proxy', port: 3128 });
    });
  }

  it('may leave out the scheme, as other programs allow', () => {
    process.env['HTTPS_PROXY'] = 'user@proxy.corp:3128';
    const expected = { kind: 'http', host: 'proxy.corp', port: 3128, username: 'user', password: 'pw' };
    assert.deepEqual(proxyFromEnvironment(relay, 443, 'pw'), expected);
  });

  it('is refused, not spoken to in the clear, when it wants TLS itself', () => {
    process.env['HTTPS_PROXY'] = 'https://proxy.corp:3128';
    assert.throws(() => proxyFromEnvironment(relay, 443), /https: is not supported/);
  });

  const exceptions: [string, boolean][] = [
    ['*', true],
    [relay, true],
    ['servicebus.windows.net', false],
    ['.servicebus.windows.net', true],
    ['*.windows.net', true],
    [`other.example, ${relay}`, true],
    [`${relay}:443`, true],
    [`${relay}:8443`, false],
    ['NS.ServiceBus.Windows.NET', true],
    ['other.example', false],
  ];
  for (const [value, direct] of exceptions) {
    it(`is ${direct ? 'not used' : 'used'} with NO_PROXY=${value}`, () => {
      process.env['HTTPS_PROXY'] = 'http://proxy:3128';
      process.env['NO_PROXY'] = value;
      assert.equal(proxyFromEnvironment(relay, 443) === undefined, direct);
    });
  }

  it('knows an IPv6 address among the exceptions', () => {
    process.env['HTTPS_PROXY'] = 'http://proxy:3128';
    process.env['NO_PROXY'] = '[fd00::1]';
    assert.equal(proxyFromEnvironment('fd00::1', 443), undefined);
    assert.ok(proxyFromEnvironment('fd00::2', 443));
  });
});
