import assert from 'node:assert/strict';
import { parseTargetAddress, type HttpTargetAddress } from '../../../../src/protocol/target-address.ts';
import {
  answerHead,
  forwardedHead,
  type ForwardingRules,
} from '../../../../src/tunnel/http/forwarded-head.ts';
import { readRequest } from '../../../../src/tunnel/http/request-facts.ts';

const REMOTE = { address: '203.0.113.9', port: 62_917 };

function head(
  fields: { target?: string; method?: string; headers?: Record<string, string>; body?: Buffer | 'stream' },
  rules: ForwardingRules & { to?: string } = {},
) {
  const { target = '/team/hyco-1/page', method = 'GET', headers = { Host: 'relay.example' }, body } = fields;
  const command = {
    address: '',
    requestTarget: target,
    method,
    requestHeaders: headers,
    remoteEndpoint: REMOTE,
  };
  const request = { ...readRequest(command, body), entity: 'team/hyco-1' };
  const address = parseTargetAddress(rules.to ?? 'http://app.corp:8080') as HttpTargetAddress;
  return forwardedHead(request, address, rules);
}

function headersOf(list: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at + 1 < list.length; at += 2) found[list[at] ?? ''] = list[at + 1] ?? '';
  return found;
}

describe('the head of a forwarded request', () => {
  const paths: [string, string, string?][] = [
    ['/team/hyco-1', '/'],
    ['/team/hyco-1/', '/'],
    ['/team/hyco-1?x=1', '/?x=1'],
    ['/team/hyco-1/a/b?x=%2F', '/a/b?x=%2F'],
    ['/TEAM/Hyco-1/a', '/a'],
    ['/team/hyco-1/a', '/base/a', 'http://app.corp:8080/base'],
    ['/team/hyco-1', '/base/', 'http://app.corp:8080/base'],
    ['/team/hyco-1/a/../b', '/base/b', 'http://app.corp:8080/base'],
    ['/team/hyco-1//a', '//a'],
    ['/team/hyco-1/a b', '/a%20b'],
    ['/team/hyco-1/ø', '/%C3%B8'],
    ['/team/hyco-1/a#b', '/a%23b'],
    ['/team/hyco-1/%e2%82%ac', '/%e2%82%ac'],
  ];
  for (const [target, expected, to] of paths) {
    it(`asks for ${expected} where ${target} came${to === undefined ? '' : ` and the target is ${to}`}`, () => {
      assert.equal(head({ target }, to === undefined ? {} : { to }).path, expected);
    });
  }

  it('keeps the path on request', () => {
    const { path, headers } = head(
      { target: '/team/hyco-1/a?x' },
      { keepPath: true, to: 'http://app.corp/b' },
    );
    assert.equal(path, '/b/team/hyco-1/a?x');
    assert.equal(headersOf(headers)['X-Forwarded-Prefix'], undefined);
  });

  const climbing = [
    '/team/hyco-1/..',
    '/team/hyco-1/../secret',
    '/team/hyco-1/a/../../secret',
    '/team/hyco-1/%2e%2E/secret',
    '/team/hyco-1/.%2e/secret',
    '/team/hyco-1/a/..%2f..%2fsecret',
    '/team/hyco-1/..%5Csecret',
    '/team/hyco-1/..\\secret',
    '/team/hyco-1/..;x=y/secret',
    '/team/hyco-1/./../secret',
    '/team/hyco-1//../../secret',
    '/team/hyco-1/a%2fb/../..%2fsecret',
    '/team/hyco-1/a%5Cb/../..\\secret',
    '/team/hyco-1/a\\b/%2e%2e/..;x/secret',
  ];
  for (const target of climbing) {
    it(`refuses ${target}, which climbs out`, () => {
      assert.throws(() => head({ target }, { to: 'http://app.corp/base' }), { code: 'HCM_REQUEST_INVALID' });
    });
  }

  it('says whom the target is, and who asked whom over what', () => {
    assert.deepEqual(headersOf(head({ headers: { Host: 'relay.example', Accept: '*/*' } }).headers), {
      Host: 'app.corp:8080',
      'X-Forwarded-For': '203.0.113.9',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'relay.example',
      'X-Forwarded-Prefix': '/team/hyco-1',
      Accept: '*/*',
    });
  });

  it('appends to X-Forwarded-For, and believes no other word of the sender about itself', () => {
    const { headers } = head({
      headers: {
        Host: 'relay.example',
        'x-forwarded-for': '198.51.100.1',
        'X-Forwarded-Proto': 'http',
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Prefix': '/evil',
        'X-Forwarded-Port': '80',
        'X-Forwarded-Scheme': 'http',
        'X-Forwarded-Ssl': 'off',
        Forwarded: 'for=198.51.100.1;host=evil.example;proto=http',
      },
    });
    assert.deepEqual(headersOf(headers), {
      Host: 'app.corp:8080',
      'X-Forwarded-For': '198.51.100.1, 203.0.113.9',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'relay.example',
      'X-Forwarded-Prefix': '/team/hyco-1',
    });
  });

  for (const [hostHeader, expected] of [
    ['original', 'relay.example'],
    ['vhost.corp', 'vhost.corp'],
  ] as const) {
    it(`sends Host ${expected} for ${hostHeader}`, () => {
      assert.equal(headersOf(head({}, { hostHeader }).headers)['Host'], expected);
    });
  }

  it('leaves the default port out of Host', () => {
    assert.equal(headersOf(head({}, { to: 'https://app.corp:443' }).headers)['Host'], 'app.corp');
  });

  it('drops what belongs to one connection, and what Connection names', () => {
    const { headers } = head({
      headers: {
        Connection: 'close, X-Secret',
        'X-Secret': '1',
        'Keep-Alive': '1',
        'Proxy-Authorization': 'Basic x',
        'Proxy-Connection': 'close',
        TE: 'trailers',
        Trailer: 'X',
        Upgrade: 'h2c',
        'HTTP2-Settings': 'x',
        Expect: '100-continue',
        'X-Kept': '1',
        Via: '1.1 relay.example',
      },
    });
    const names = Object.keys(headersOf(headers)).filter((name) => !/^(Host|X-Forwarded)/.test(name));
    assert.deepEqual(names, ['X-Kept', 'Via']);
  });

  it('drops names that CGI programs would take for what this head says', () => {
    const { headers } = head({
      headers: {
        Host: 'relay.example',
        HOST: 'evil.example',
        X_Forwarded_For: '127.0.0.1',
        'X-Forwarded_Proto': 'http',
        Content_Length: '10',
        Transfer_Encoding: 'chunked',
        Proxy_Connection: 'x',
        My_Own: 'kept',
      },
    });
    const names = Object.keys(headersOf(headers)).filter(
      (name) => !/^X-Forwarded-(For|Proto|Host|Prefix)$/.test(name),
    );
    assert.deepEqual(names, ['Host', 'My_Own']);
    assert.equal(headersOf(headers)['Host'], 'app.corp:8080');
  });

  it('frames the body by what carried it, whatever the headers say', () => {
    const smuggled = {
      'Content-Length': '3',
      'transfer-encoding': 'chunked',
      'Transfer-Encoding': 'identity',
    };
    const framing = (fields: Parameters<typeof head>[0]) => {
      const all = head({ ...fields, headers: smuggled }).headers;
      return all.slice(all.findIndex((text, at) => at % 2 === 0 && /^(content-length|transfer)/i.test(text)));
    };
    assert.deepEqual(framing({ method: 'POST', body: Buffer.from('12345') }), ['Content-Length', '5']);
    assert.deepEqual(framing({ method: 'POST', body: 'stream' }), ['Transfer-Encoding', 'chunked']);
    assert.deepEqual(framing({ method: 'POST' }), ['Content-Length', '0']);
    assert.deepEqual(framing({ method: 'DELETE', body: Buffer.from('1') }), ['Content-Length', '1']);
    assert.doesNotMatch(head({ headers: smuggled }).headers.join(), /content-length|transfer-encoding/i);
  });

  it('writes text that is more than Latin-1 as the UTF-8 that it was', () => {
    const { headers } = head({ headers: { 'X-A': '€', 'X-B': 'é' } });
    assert.equal(headersOf(headers)['X-A'], '\u00e2\u0082\u00ac');
    assert.equal(headersOf(headers)['X-B'], 'é');
  });
});

describe('the head of an answer', () => {
  const mount = {
    prefix: '/team/hyco-1',
    basePath: '/base',
    targetHost: 'app.corp:8080',
    publicHost: 'relay.example',
  };
  const answer = (rawHeaders: readonly string[], statusCode = 200) =>
    answerHead({ statusCode, statusMessage: 'OK', rawHeaders }, mount);

  it('keeps repeated headers, and drops what belongs to the connection', () => {
    const raw = [
      'Set-Cookie',
      'a=1',
      'Connection',
      'X-B',
      'X-B',
      '1',
      'Keep-Alive',
      'timeout=5',
      'Set-Cookie',
      'b=2',
    ];
    assert.deepEqual(answer(raw).headers, [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
  });

  for (const [location, expected] of [
    ['/base/x', '/team/hyco-1/x'],
    ['http://app.corp:8080/base/x', '/team/hyco-1/x'],
    ['https://elsewhere.example/x', 'https://elsewhere.example/x'],
  ] as const) {
    it(`points to ${expected} where the target says ${location}`, () => {
      assert.deepEqual(answer(['location', location, 'Content-Location', location]).headers, [
        ['location', expected],
        ['Content-Location', expected],
      ]);
    });
  }

  for (const status of [100, 101, 199, 600, 999]) {
    it(`refuses the status ${status}`, () => {
      assert.throws(() => answer([], status), { code: 'HCM_RESPONSE_INVALID' });
    });
  }

  it('lets no control character into the words of the status', () => {
    const { statusMessage } = answerHead(
      { statusCode: 200, statusMessage: 'a\u0001b', rawHeaders: [] },
      mount,
    );
    assert.equal(statusMessage, 'a b');
  });
});
