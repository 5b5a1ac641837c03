import { deepEqual, equal } from 'node:assert/strict';
import {
  headerBytes,
  HOP_BY_HOP,
  isResponseStatus,
  isWithoutBody,
  requestHeadersOf,
  responseHeadersOf,
  splitSetCookie,
} from '../../../src/protocol/relayed-http.ts';

const RULES = { viaHost: 'ns1.servicebus.windows.net', consumesAuthorization: false };
const VIA = '1.1 ns1.servicebus.windows.net';

describe('headers of a relayed request', () => {
  it('are the sender’s, with the relay in Via', () => {
    deepEqual(
      requestHeadersOf(
        ['Content-Type', 'application/json; charset=utf-8', 'accept-encoding', 'gzip', 'Host', 'ns1:443'],
        RULES,
      ),
      {
        ...{ 'Content-Type': 'application/json; charset=utf-8', 'accept-encoding': 'gzip' },
        ...{ Host: 'ns1:443', Via: VIA },
      },
    );
  });

  it('lose what belongs to the connection, to the framing and to the relay', () => {
    const lines = ['Connection', 'Content-Length', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Close'];
    const more = [
      'Keep-Alive',
      'Proxy-Connection',
      'Expect',
      'ServiceBusAuthorization',
      'SERVICEBUSAUTHORIZATION',
    ];
    const rawHeaders = [...lines, ...more].flatMap((name) => [name, 'x']);
    deepEqual(requestHeadersOf(rawHeaders, RULES), { Via: VIA });
  });

  it('have Authorization unless it was for the relay', () => {
    const rawHeaders = ['Authorization', 'Basic YTpi'];
    deepEqual(requestHeadersOf(rawHeaders, RULES), { Authorization: 'Basic YTpi', Via: VIA });
    deepEqual(requestHeadersOf(rawHeaders, { ...RULES, consumesAuthorization: true }), { Via: VIA });
  });

  it('join repeats under the first spelling, and Via behind that of others', () => {
    deepEqual(requestHeadersOf(['X-A', '1', 'via', '1.0 front', 'x-a', '2', 'X_A', '3'], RULES), {
      ...{ 'X-A': '1, 2', X_A: '3', via: `1.0 front, ${VIA}` },
    });
  });

  it('are data, whatever they are called', () => {
    const headers = requestHeadersOf(['__proto__', '1', 'constructor', '2'], RULES);
    deepEqual(Object.entries(headers), [
      ['__proto__', '1'],
      ['constructor', '2'],
      ['Via', VIA],
    ]);
  });
});

describe('headers of a relayed response', () => {
  const rules = { viaHost: 'ns1.servicebus.windows.net', withoutBody: false };

  it('are the listener’s, without those of a connection, with the relay in Via', () => {
    const dropped = [...HOP_BY_HOP, 'Content-Length', 'Transfer-encoding'];
    const headers = Object.fromEntries(dropped.map((name) => [name, '1']));
    deepEqual(responseHeadersOf({ ...headers, 'content-type': 'text/plain', Via: '1.1 inner' }, rules), {
      ...{ 'content-type': 'text/plain', Via: `1.1 inner, ${VIA}` },
    });
  });

  it('keep the length of what is not sent', () => {
    const withoutBody = { ...rules, withoutBody: true };
    deepEqual(responseHeadersOf({ 'Content-Length': '5' }, withoutBody), { 'Content-Length': '5', Via: VIA });
    for (const length of ['', '-1', '5, 5', '5x', '0x5']) {
      deepEqual(responseHeadersOf({ 'Content-Length': length }, withoutBody), { Via: VIA });
    }
  });

  for (const [what, name, value] of [
    ['a line break in a value', 'X-A', 'a\r\nSet-Cookie: b=1'],
    ['a line feed in a value', 'X-A', 'a\nb'],
    ['a NUL in a value', 'X-A', 'a\u0000b'],
    ['an escape in a value', 'X-A', 'a\u001b[0m'],
    ['a line break in a name', 'X-A\r\nX-B', '1'],
    ['a colon in a name', 'X-A:', '1'],
    ['a space in a name', 'X A', '1'],
    ['no name', '', '1'],
  ] as const) {
    it(`lose a header with ${what}`, () => {
      deepEqual(responseHeadersOf({ [name]: value, 'X-Good': '1\t2' }, rules), {
        'X-Good': '1\t2',
        Via: VIA,
      });
    });
  }

  it('hold what Latin-1 can', () => {
    deepEqual(responseHeadersOf({ 'X-A': 'é€😀' }, rules), { 'X-A': 'é??', Via: VIA });
  });
});

describe('the size of headers', () => {
  it('is that of names and values', () => {
    equal(headerBytes(['ab', 'cde', 'f', '']), 6);
    equal(headerBytes({ ab: 'cde', f: '' }), 6);
  });
});

describe('statuses of a relayed response', () => {
  it('are those from 200 to 599', () => {
    for (const status of [200, 204, 299, 306, 418, 450, 502, 504, 599]) equal(isResponseStatus(status), true);
    for (const status of [0, 99, 100, 101, 199, 600, 999, NaN]) equal(isResponseStatus(status), false);
  });

  it('tell with the method whether there is a body', () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['POST', 304],
    ] as const) {
      equal(isWithoutBody(method, status), true);
    }
    for (const status of [200, 205, 404, 500]) equal(isWithoutBody('GET', status), false);
  });
});

describe('cookies in one line', () => {
  for (const [joined, cookies] of [
    ['', []],
    ['a=1', ['a=1']],
    ['a=1, b=2', ['a=1', 'b=2']],
    ['a=1,b=2', ['a=1', 'b=2']],
    ['a=1; Path=/; HttpOnly, b=; Secure', ['a=1; Path=/; HttpOnly', 'b=; Secure']],
    [
      'a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Path=/, b=2; expires=Thu, 01-Jan-1970 00:00:00 GMT, c=3',
      [
        'a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT; Path=/',
        'b=2; expires=Thu, 01-Jan-1970 00:00:00 GMT',
        'c=3',
      ],
    ],
    ['a="x, y", b=2', ['a="x, y"', 'b=2']],
    [`${','.repeat(100_000)}`, [','.repeat(100_000)]],
  ] as const) {
    it(`are ${cookies.length} in ${JSON.stringify(joined.slice(0, 60))}`, () => {
      deepEqual(splitSetCookie(joined), cookies);
    });
  }
});
