/** HTTP requests on their way to a listener, each message compared with what was written by hand. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { turns, until } from '../helpers/until.ts';
import {
  openListener,
  openRendezvous,
  pattern,
  readAnswer,
  sendRequest,
  writeRequest,
  type ListenerSocket,
  type SendOptions,
} from './http-clients.ts';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay } from './relay-under-test.ts';
import { token } from './tokens.ts';
import { closeClientsAfterEach, goodToken } from './ws-clients.ts';

const LARGEST_INLINE = 65_536;

describe('an HTTP request through a relay', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const listen = () => openListener(relay());
  /** What the listener is told of a request, in one message. */
  const told = async (listener: ListenerSocket, options: SendOptions) => {
    const client = await sendRequest(relay(), options);
    const message = await listener.request();
    client.socket.destroy();
    return message;
  };

  it('without a body is one message with these fields in this order', async () => {
    const listener = await listen();
    const client = await sendRequest(relay(), {
      target: '/sub/path?x=1&sb-hc-id=abc',
      headers: ['Accept: */*', 'X-Custom: 1', 'Connection: keep-alive'],
      host: `localhost:${relay().port}`,
    });
    const text = await listener.text();
    const { request } = JSON.parse(text) as { request: Record<string, unknown> };
    const { address, id } = request as { address: string; id: string };
    const url = new URL(address);
    equal(url.origin, `wss://localhost:${relay().port}`.replace('wss:', url.protocol));
    equal(url.protocol, 'wss:');
    equal(url.pathname, '/$hc/Hyco/One/sub/path');
    equal(url.search, `?x=1&sb-hc-action=request&sb-hc-id=${id}`);
    match(id, /^abc_G0_[0-9a-f]{32}$/);
    equal(
      text,
      JSON.stringify({
        request: {
          ...{ address, id, requestTarget: '/Hyco/One/sub/path?x=1', method: 'GET' },
          remoteEndpoint: { address: '127.0.0.1', port: client.socket.localPort },
          requestHeaders: {
            ...{ Host: `localhost:${relay().port}`, Accept: '*/*', 'X-Custom': '1' },
            Via: '1.1 localhost',
          },
          body: false,
        },
      }),
    );
    listener.respond({ requestId: id });
    equal((await readAnswer(client)).status, 200);
    deepEqual(listener.messages, [], 'nothing follows');
  });

  it('with a small body is that message and one binary message', async () => {
    const listener = await listen();
    const client = await sendRequest(relay(), { method: 'POST', body: 'hello' });
    const { body, requestHeaders, id } = await listener.request();
    equal(body, true);
    equal('Content-Length' in requestHeaders, false);
    equal((await listener.binary()).toString(), 'hello');
    listener.respond({ requestId: id }, 'answer');
    equal((await readAnswer(client)).body.toString(), 'answer');
  });

  for (const bytes of [1, LARGEST_INLINE - 1, LARGEST_INLINE]) {
    it(`with a body of ${bytes} bytes needs no rendezvous`, async () => {
      const listener = await listen();
      await sendRequest(relay(), { method: 'PUT', body: pattern(bytes) });
      equal((await listener.request()).method, 'PUT');
      ok((await listener.binary()).equals(pattern(bytes)));
    });
  }

  for (const bytes of [LARGEST_INLINE + 1, 3_000_000]) {
    it(`with a body of ${bytes} bytes is an address, and waits there`, async () => {
      const listener = await listen();
      const client = await sendRequest(relay(), { method: 'POST', target: '?q', body: pattern(bytes) });
      const text = await listener.text();
      const { address } = (JSON.parse(text) as { request: { address: string } }).request;
      equal(text, JSON.stringify({ request: { address } }), 'nothing but the address');
      const rendezvous = await openRendezvous(relay(), address);
      const request = await rendezvous.request();
      equal(request.address, address);
      equal(new URL(address).searchParams.get('sb-hc-id'), request.id);
      deepEqual([request.method, request.requestTarget, request.body], ['POST', '/Hyco/One?q', true]);
      ok((await rendezvous.binary()).equals(pattern(bytes)));
      rendezvous.respond({ requestId: request.id });
      const { status, framing } = await readAnswer(client);
      deepEqual([status, framing], [200, 'length']);
      equal((await rendezvous.closed()).code, 1000);
      deepEqual(listener.messages, []);
    });
  }

  for (const [what, chunks] of [
    ['some', ['5\r\nhello\r\n', '1;extension=1\r\n!\r\n', '0\r\nTrailer: dropped\r\n\r\n']],
    ['no', ['0\r\n\r\n']],
  ] as const) {
    it(`in chunks with ${what} bytes is an address, and a body all the same`, async () => {
      const listener = await listen();
      const client = await sendRequest(relay(), { method: 'POST', headers: ['Transfer-Encoding: chunked'] });
      const { address } = await listener.request();
      const rendezvous = await openRendezvous(relay(), address);
      const { body, requestHeaders, id } = await rendezvous.request();
      deepEqual([body, 'Transfer-Encoding' in requestHeaders], [true, false]);
      for (const chunk of chunks) client.socket.write(chunk);
      equal((await rendezvous.binary()).toString(), what === 'some' ? 'hello!' : '');
      rendezvous.respond({ requestId: id }, 'done');
      equal((await readAnswer(client)).body.toString(), 'done');
    });
  }

  it('is streamed to the rendezvous as it comes', async () => {
    const listener = await listen();
    const client = await sendRequest(relay(), { method: 'POST', headers: ['Transfer-Encoding: chunked'] });
    const { address } = await listener.request();
    const raw = await RawClient.connect(relay());
    raw.ask(new URL(address).pathname + new URL(address).search);
    equal((await raw.answer()).status, 101);
    equal((await raw.message()).opcode, 1);
    for (const [at, part] of ['first', 'second'].entries()) {
      client.socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
      const { fin, opcode, payload } = await raw.frame();
      deepEqual([fin, opcode, payload.toString()], [false, at === 0 ? 2 : 0, part]);
    }
    client.socket.write('0\r\n\r\n');
    const last = await raw.frame();
    deepEqual([last.fin, last.opcode, last.payload.length], [true, 0, 0]);
  });

  it('whose JSON is larger than 64 KiB is an address, its small body too', async () => {
    const listener = await listen();
    // In JSON each of these takes two bytes.
    const headers = [`X-Large: ${'"\\'.repeat(15_000)}`];
    const target = `?${'q'.repeat(20_000)}`;
    await sendRequest(relay(), { method: 'POST', target, headers, body: 'small' });
    const request = await listener.request();
    deepEqual(Object.keys(request), ['address']);
    const rendezvous = await openRendezvous(relay(), request.address);
    const full = await rendezvous.request();
    equal(full.requestTarget.length, '/Hyco/One?'.length + 20_000);
    equal((await rendezvous.binary()).toString(), 'small');
  });

  it('keeps each body beside its message when many come at once', async () => {
    const listener = await listen();
    const numbers = Array.from({ length: 40 }, (_, at) => at);
    const bodyOf = (at: number) => `${at}:`.padEnd(at * 700, 'x');
    await Promise.all(
      numbers.map((at) => sendRequest(relay(), { method: 'POST', target: `?${at}`, body: bodyOf(at) })),
    );
    for (const at of numbers) {
      const { requestTarget } = await listener.request();
      const body = (await listener.binary()).toString();
      equal(body, bodyOf(Number(requestTarget.split('?')[1])), String(at));
    }
  });

  for (const method of ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'TRACE', 'PROPFIND']) {
    it(`may be ${method}`, async () => {
      const listener = await listen();
      equal((await told(listener, { method })).method, method);
    });
  }

  for (const [sent, seen] of [
    ['?sb-hc-id=1', ''],
    ['?custom=value&sb-hc-id=1', '?custom=value'],
    ['?sb-hc-id=1&custom=value', '?custom=value'],
    ['?sb-hc-undefined=true', ''],
    ['?sb-hc-whatever=', ''],
    ['?SB-HC-Whatever=1&a', '?a'],
    ['?sb%2Dhc%2dx=1&a', '?a'],
    ['?sb-hc-undefined', '?sb-hc-undefined'],
    ['?a=1&a=2&', '?a=1&a=2&'],
    ['?&&&', '?&&&'],
    ['?&foo=bar', '?&foo=bar'],
    ['?&&value&&', '?&&value&&'],
    ['?+', '?+'],
    ['?%2B', '?%2B'],
    ['?%20', '?%20'],
    ['?%2f%3a%3d%26', '?%2f%3a%3d%26'],
    // The service makes `%C3%B8` of this one; a later version of it was expected to stop.
    ['?name=%C3%b8', '?name=%C3%b8'],
    ['?', ''],
    ['/a%2Fb/%C3%b8/c%20d?x', '/a%2Fb/%C3%b8/c%20d?x'],
    ['/a//b/../c', '/a//b/../c'],
  ] as const) {
    it(`for ${sent} is for ${seen === '' ? 'the connection alone' : seen}`, async () => {
      const listener = await listen();
      const { requestTarget, address } = await told(listener, { target: sent });
      equal(requestTarget, `/Hyco/One${seen}`);
      equal(/token|whatever|undefined=/i.test(address), false);
    });
  }

  it('belongs to the longest name that its path begins with, in any case', async () => {
    const listener = await listen();
    const longer = await sendRequest(relay(), {
      target: '/LONGER/x',
      token: token(`http://${relay().host}/`, relay().rootKey),
    });
    const { status, reason } = await readAnswer(longer);
    equal(status, 404);
    match(reason, /^There are no listeners connected for the endpoint\. TrackingId:.*Hyco\/One\/LONGER\/x/);
    const { requestTarget } = await told(listener, { target: '/longerstill' });
    equal(requestTarget, '/Hyco/One/longerstill');
  });

  it('joins repeated headers, and appends to Via', async () => {
    const listener = await listen();
    const headers = ['X-A: 1', 'x-a: 2', 'Cookie: a=1', 'Cookie: b=2', 'Via: 1.0 front', 'X_A: 3'];
    const { requestHeaders } = await told(listener, { headers });
    deepEqual(requestHeaders, {
      ...{ Host: 'localhost', 'X-A': '1, 2', Cookie: 'a=1, b=2' },
      ...{ Via: '1.0 front, 1.1 localhost', X_A: '3' },
    });
  });

  it('loses the headers of its connection', async () => {
    const listener = await listen();
    const names = ['Connection', 'Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Close'];
    const { requestHeaders } = await told(listener, { headers: names.map((name) => `${name}: x`) });
    deepEqual(requestHeaders, { Host: 'localhost', Via: '1.1 localhost' });
  });

  describe('and its token', () => {
    const good = () => goodToken(relay(), 'connect');
    const inQuery = (text: string) => `?sb-hc-token=${encodeURIComponent(text)}`;

    it('may be in the query, and is not seen', async () => {
      const listener = await listen();
      const message = await told(listener, { token: null, target: inQuery(good()) });
      equal(JSON.stringify(message).includes('SharedAccessSignature'), false);
      equal(message.requestTarget, '/Hyco/One');
    });

    it('may be in Authorization, and is not seen', async () => {
      const listener = await listen();
      const headers = [`Authorization: ${good()}`];
      const { requestHeaders } = await told(listener, { token: null, headers });
      equal('Authorization' in requestHeaders, false);
    });

    it('leaves Authorization to the application when it is elsewhere', async () => {
      const listener = await listen();
      const headers = ['Authorization: Basic YTpi'];
      for (const options of [{ headers }, { headers, token: null, target: inQuery(good()) }]) {
        const { requestHeaders } = await told(listener, options);
        equal(requestHeaders['Authorization'], 'Basic YTpi');
        equal('ServiceBusAuthorization' in requestHeaders, false);
      }
    });

    it('in the query comes before the one in the header', async () => {
      const listener = await listen();
      await told(listener, { token: 'nonsense', target: inQuery(good()) });
      const client = await sendRequest(relay(), { token: good(), target: inQuery('nonsense') });
      equal((await readAnswer(client)).status, 401);
    });

    it('may be a key in the clear', async () => {
      const listener = await listen();
      const { name, key } = relay().sendKey;
      const target = `?a&sb-hc-sas-key-name=${name}&sb-hc-sas-key=${encodeURIComponent(key)}`;
      const message = await told(listener, { token: null, target });
      equal(message.requestTarget, '/Hyco/One?a');
      equal(JSON.stringify(message).includes(encodeURIComponent(key)), false);
    });

    for (const [what, make, status, code, words] of [
      ['missing', () => null, 401, 'TokenMissingOrInvalid', /^MissingToken/],
      ['nonsense', () => 'nonsense', 401, 'TokenMissingOrInvalid', /^MalformedToken/],
      ['of a wrong key', () => badToken('key'), 401, 'TokenMissingOrInvalid', /^InvalidSignature/],
      ['for another path', () => badToken('path'), 401, 'TokenMissingOrInvalid', /^InvalidAudience/],
      ['expired', () => badToken('time'), 401, 'TokenMissingOrInvalid', /^ExpiredToken/],
      ['without the right', () => badToken('right'), 403, 'Forbidden', /^Authorization failed/],
    ] as const) {
      it(`${what} is refused in JSON and words, without Via`, async () => {
        await listen();
        const client = await sendRequest(relay(), { token: make() });
        const answer = await readAnswer(client);
        deepEqual([answer.status, answer.headers.get('via')], [status, undefined]);
        match(answer.reason, words);
        match(answer.reason, /TrackingId:.*SystemTracker:sb:\/\/localhost\/Hyco\/One, Timestamp:/);
        deepEqual(JSON.parse(answer.body.toString()), { error: { code, message: answer.reason } });
        match(answer.headers.get('content-type')?.[0] ?? '', /^application\/json/);
      });
    }

    function badToken(fault: 'key' | 'path' | 'time' | 'right'): string {
      const { host, path, sendKey, listenKey } = relay();
      const resource = `http://${host}/${fault === 'path' ? 'other' : path}/`;
      const key = fault === 'right' ? listenKey : fault === 'key' ? { ...sendKey, key: 'x' } : sendKey;
      return token(resource, key, fault === 'time' ? { expiresAtMs: Date.now() - 3_600_000 } : {});
    }
  });

  it('for what does not exist, or has no listener, is refused', async () => {
    const root = token(`http://${relay().host}/`, relay().rootKey);
    const client = await RawClient.connect(relay());
    client.socket.write(
      `GET /nothing HTTP/1.1\r\nHost: localhost\r\nServiceBusAuthorization: ${root}\r\n\r\n`,
    );
    const missing = await readAnswer(client);
    deepEqual([missing.status, missing.headers.get('via')], [404, undefined]);
    match(missing.reason, /^Endpoint does not exist\. TrackingId:/);
    writeRequest(client, relay(), { target: '/longer', token: root });
    const unheard = await readAnswer(client);
    equal(unheard.status, 404);
    match(unheard.reason, /^There are no listeners connected for the endpoint\./);
    const { error } = JSON.parse(unheard.body.toString()) as { error: { code: string } };
    equal(error.code, 'EndpointNotFound');
  });

  it('goes to the listeners that its headers allow', async () => {
    const [one, two] = ['11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222'];
    const listeners = [await openListener(relay(), { id: one }), await openListener(relay(), { id: two })];
    for (let round = 0; round < 5; round += 1) {
      await sendRequest(relay(), { headers: [`Microsoft-Relay-AllowedListeners: ${two}`] });
      await listeners[1]?.request();
      await sendRequest(relay(), { headers: [`Microsoft-Relay-DisallowedListeners: ${two}`] });
      await listeners[0]?.request();
    }
    const headers = [`Microsoft-Relay-DisallowedListeners: ${one},${two}`];
    const { status, reason } = await readAnswer(await sendRequest(relay(), { headers }));
    equal(status, 404);
    match(reason, /^None of the connected listeners meet the AllowedListeners\/DisallowedListeners criteria/);
  });

  it('uses all listeners', async () => {
    const listeners = [await listen(), await listen()];
    for (let sent = 0; sent < 60; sent += 1) {
      const client = await sendRequest(relay());
      await until(
        () => listeners.reduce((sum, { messages }) => sum + messages.length, 0) > sent,
        'a request',
      );
      client.socket.destroy();
      if (listeners.every(({ messages }) => messages.length > 0)) return;
    }
    throw new Error('one of two listeners got all of 60 requests');
  });

  it('that waits for a 100 gets it from the relay', async () => {
    const listener = await listen();
    for (const bytes of [5, LARGEST_INLINE + 1]) {
      const headers = ['Expect: 100-continue', `Content-Length: ${bytes}`];
      const client = await sendRequest(relay(), { method: 'POST', headers });
      const rendezvous =
        bytes === 5 ? undefined : await openRendezvous(relay(), (await listener.request()).address);
      equal((await client.answer()).status, 100);
      client.socket.write(pattern(bytes));
      const receiver = rendezvous ?? listener;
      const { requestHeaders, id } = await receiver.request();
      equal('Expect' in requestHeaders, false);
      equal((await receiver.binary()).length, bytes);
      receiver.respond({ requestId: id });
      const { status, headers: answered } = await readAnswer(client);
      deepEqual([status, answered.get('connection')], [200, ['keep-alive']]);
    }
  });

  it('that waits for a 100 and is refused gets no 100, and its connection ends', async () => {
    await listen();
    const headers = ['Expect: 100-continue', 'Content-Length: 5'];
    const client = await sendRequest(relay(), { method: 'POST', headers, token: null });
    const { status, headers: answered } = await readAnswer(client);
    deepEqual([status, answered.get('connection')], [401, ['close']]);
    await client.end();
  });

  it('with more than 32 kB of headers is refused, with less is relayed', async () => {
    const listener = await listen();
    const fits = await told(listener, { headers: [`X-Large: ${'x'.repeat(32_000)}`] });
    equal(fits.requestHeaders['X-Large']?.length, 32_000);
    for (const lines of [1, 1_500]) {
      const headers = Array.from({ length: lines }, (_, at) => `X${at}: ${'x'.repeat(33_000 / lines)}`);
      const { status, reason } = await readAnswer(await sendRequest(relay(), { headers }));
      equal(status, 431);
      match(reason, /^The headers of the request are larger than 32 kB\./);
    }
    deepEqual(listener.messages, []);
  });

  it('may come one after the other on one connection, with and without bodies', async () => {
    const listener = await listen();
    const client = await RawClient.connect(relay());
    for (let at = 0; at < 6; at += 1) {
      const body = at % 2 === 0 ? { method: 'POST', body: `body ${at}` } : {};
      writeRequest(client, relay(), { target: `?${at}`, ...body });
      const { id, requestTarget } = await listener.request();
      equal(requestTarget, `/Hyco/One?${at}`);
      if (at % 2 === 0) equal((await listener.binary()).toString(), `body ${at}`);
      listener.respond({ requestId: id }, `answer ${at}`);
      equal((await readAnswer(client)).body.toString(), `answer ${at}`);
    }
  });

  it('may come before the answer to the one before; the answers keep the order', async () => {
    const listener = await listen();
    const client = await RawClient.connect(relay());
    for (const at of [0, 1, 2]) writeRequest(client, relay(), { target: `?${at}` });
    const requests = [await listener.request(), await listener.request(), await listener.request()];
    for (const { id, requestTarget } of requests.reverse()) {
      listener.respond({ requestId: id }, requestTarget);
    }
    for (const at of [0, 1, 2]) equal((await readAnswer(client)).body.toString(), `/Hyco/One?${at}`);
  });

  it('of HTTP/1.0 is relayed, and its connection ends with the answer', async () => {
    const listener = await listen();
    const client = await RawClient.connect(relay());
    client.socket.write(
      `GET /Hyco/One HTTP/1.0\r\nServiceBusAuthorization: ${goodToken(relay(), 'connect')}\r\n\r\n`,
    );
    const { id, address, requestHeaders } = await listener.request();
    deepEqual(requestHeaders, { Via: '1.1 localhost' });
    const rendezvous = await openRendezvous(relay(), address);
    rendezvous.respond({ requestId: id }, 'body');
    const { status, body, framing } = await readAnswer(client);
    deepEqual([status, body.toString(), framing], [200, 'body', 'end']);
  });

  it('of the path of handshakes is none', async () => {
    await listen();
    const client = await RawClient.connect(relay());
    client.socket.write(
      `GET /$hc/Hyco/One HTTP/1.1\r\nHost: localhost\r\nServiceBusAuthorization: ${goodToken(relay(), 'connect')}\r\n\r\n`,
    );
    equal((await readAnswer(client)).status, 400);
  });

  it('whose sender is gone before it was whole is told to nobody', async () => {
    const listener = await listen();
    const client = await sendRequest(relay(), { method: 'POST', headers: ['Content-Length: 10'] });
    client.socket.write('12345');
    client.socket.destroy();
    await client.end();
    await turns(20);
    deepEqual(listener.messages, []);
  });
});
