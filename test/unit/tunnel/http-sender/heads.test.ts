import assert from 'node:assert/strict';
import {
  localHeadersOf,
  originForm,
  relayHeadersOf,
  relayTarget,
  withRequestId,
  withoutRelayPairs,
} from '../../../../src/tunnel/http-sender/heads.ts';
import { headForTarget, staysHttp } from '../../../../src/tunnel/http-sender/raw-upgrade.ts';
import { hasBody } from '../../../../src/websocket/http-head.ts';

const relay = { method: 'POST', host: 'ns1.servicebus.windows.net', token: 'T' };

describe('the way of a request head to the relay', () => {
  const targets: [url: string, target: string][] = [
    ['/', '/team/web/'],
    ['/a?', '/team/web/a?'],
    ['/a?sb-hc-action=listen', '/team/web/a'],
    ['/a?x=1&SB-HC-Token=t&y', '/team/web/a?x=1&y'],
    ['/a?sb-hc-token', '/team/web/a?sb-hc-token'],
    ['/%2e%2e/other', '/team/web/other'],
    ['//a', '/team/web//a'],
    ['/a?b=/../c', '/team/web/a?b=/../c'],
    ['http://localhost:1/a?b', '/team/web/a?b'],
    ['http://localhost', '/team/web/'],
    ['*', '/team/web/'],
  ];
  for (const [url, target] of targets) {
    it(`turns ${url} into ${target}`, () => assert.equal(relayTarget(url, 'team/web', false), target));
  }

  it('keeps the path when asked to, and still lets none climb', () => {
    assert.equal(relayTarget('/team/web/a?b&sb-hc-id=1', 'team/web', true), '/team/web/a?b');
    assert.equal(relayTarget('/team/../x', 'team/web', true), '/x');
  });

  const named: [target: string, sent: string][] = [
    ['/web/', '/web/?sb-hc-id=7'],
    ['/web/a?b=1&', '/web/a?b=1&&sb-hc-id=7'],
    ['/web/a?', '/web/a?'],
  ];
  for (const [target, sent] of named) {
    it(`gives ${target} an id, and the relay hands on what the client wrote`, () => {
      assert.equal(withRequestId(target, '7'), sent);
      assert.equal(withoutRelayPairs(sent), target);
    });
  }

  it('frames the body as it was understood, once', () => {
    const framing = (...headers: string[]) => relayHeadersOf(headers, relay).slice(4);
    assert.deepEqual(framing('content-length', '5'), ['Content-Length', '5']);
    assert.deepEqual(framing('Transfer-Encoding', 'gzip, chunked'), ['Transfer-Encoding', 'chunked']);
    assert.deepEqual(framing(), ['Content-Length', '0']);
    assert.deepEqual(relayHeadersOf([], { ...relay, method: 'GET' }).slice(4), []);
    assert.equal(hasBody(['Content-Length', '0']), false);
    assert.equal(hasBody(['content-length', '1']), true);
    assert.equal(hasBody(['transfer-encoding', 'chunked']), true);
  });

  it('leaves behind what Connection names, and no more', () => {
    const headers = [
      'Connection',
      'close, X-Mine',
      'x-mine',
      '1',
      'X_Mine',
      '2',
      'Cookie',
      'a=b',
      'Upgrade',
      'x',
    ];
    assert.deepEqual(relayHeadersOf(headers, { ...relay, method: 'GET' }), [
      ...['Host', relay.host, 'ServiceBusAuthorization', 'T', 'X_Mine', '2', 'Cookie', 'a=b'],
    ]);
  });
});

describe('the way of an answer head to the client', () => {
  const local = { status: 200, relayHost: 'ns1.servicebus.windows.net', entity: 'web', keepPath: false };

  it('keeps order, spelling and repeats', () => {
    const headers = ['ETag', '"a"', 'x-b', '1', 'X-B', '2', 'Vary', 'A', 'Content-Length', '3'];
    assert.deepEqual(localHeadersOf(headers, local), headers);
  });

  it('takes cookies apart, and addresses out of the relay', () => {
    assert.deepEqual(
      localHeadersOf(
        ['set-cookie', 'a=1; Path=/, b=2; HttpOnly', 'location', '/web/x', 'Connection', 'close'],
        local,
      ),
      ['set-cookie', 'a=1; Path=/', 'set-cookie', 'b=2; HttpOnly', 'location', '/x'],
    );
    assert.deepEqual(localHeadersOf(['Location', '/web/x'], { ...local, keepPath: true }), [
      'Location',
      '/web/x',
    ]);
  });

  it('has no length with 204', () => {
    assert.deepEqual(localHeadersOf(['Content-Length', '0', 'A', 'b'], { ...local, status: 204 }), [
      'A',
      'b',
    ]);
  });
});

describe('an upgrade', () => {
  const rawHeaders = ['Host', 'localhost:1', 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
  const text = (url: string, keepPath: boolean) =>
    headForTarget({ method: 'GET', url, rawHeaders }, 'web', keepPath).toString('latin1');

  it('reaches the target as the client wrote it, without the name of the connection', () => {
    const rest = 'Host: localhost:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    assert.equal(text('/chat?x', false), `GET /chat?x HTTP/1.1\r\n${rest}`);
    assert.equal(text('http://localhost:1/chat', false), `GET /chat HTTP/1.1\r\n${rest}`);
    assert.equal(text('/web/chat', true), `GET /chat HTTP/1.1\r\n${rest}`);
    assert.equal(text('/web/chat', false), `GET /web/chat HTTP/1.1\r\n${rest}`);
    assert.equal(originForm('*'), '/');
  });

  it('takes no token for a relay to the target', () => {
    const url = '/chat?sb-hc-token=secret&x=1';
    const secret = ['ServiceBusAuthorization', 'SharedAccessSignature sig=secret'];
    const head = headForTarget(
      { method: 'GET', url, rawHeaders: [...secret, ...rawHeaders, 'Authorization', 'ours'] },
      'web',
      false,
    ).toString('latin1');
    assert.match(head, /^GET \/chat\?x=1 HTTP\/1\.1\r\nHost: localhost:1\r\n/);
    assert.match(head, /Authorization: ours/);
    assert.doesNotMatch(head, /secret/);
    assert.match(text('/chat?sb-hc-token=secret', false), /^GET \/chat HTTP/);
    assert.match(text('/chat?', false), /^GET \/chat\? HTTP/);
  });

  it('to HTTP/2 is only an offer, unless something else is offered, too', () => {
    const offered = (value: string) => staysHttp({ rawHeaders: ['Upgrade', value] });
    assert.deepEqual(
      [offered('h2c'), offered('H2C'), offered('websocket'), offered('h2c, websocket')],
      [true, true, false, false],
    );
  });
});
