/** Answers of listeners to HTTP requests, in every shape that listeners in the field give them. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { turns, until } from '../helpers/until.ts';
import {
  openListener,
  openRendezvous,
  pattern,
  readAnswer,
  sendRequest,
  writeRequest,
  type ListenerSocket,
  type ResponseMessage,
  type SendOptions,
} from './http-clients.ts';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay } from './relay-under-test.ts';
import { closeClientsAfterEach } from './ws-clients.ts';

const LARGEST_INLINE = 65_536;

describe('a listener’s answer to an HTTP request', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  /** A request that has been told to a listener. */
  const begin = async (options: SendOptions = {}) => {
    const listener = await openListener(relay());
    const client = await sendRequest(relay(), options);
    const request = await listener.request();
    if (request.body) await listener.binary();
    const respond = (response: Partial<ResponseMessage>, ...bodies: (Buffer | string)[]) =>
      listener.respond({ requestId: request.id, ...response }, ...bodies);
    return { listener, client, request, respond, method: options.method };
  };
  const beginOnRendezvous = async (options: SendOptions = {}) => {
    const begun = await begin(options);
    const rendezvous = await openRendezvous(relay(), begun.request.address);
    const respond = (response: Partial<ResponseMessage>, ...bodies: (Buffer | string)[]) =>
      rendezvous.respond({ requestId: begun.request.id, ...response }, ...bodies);
    return { ...begun, rendezvous, respond };
  };
  const ways = { 'on the control channel': begin, 'on a rendezvous': beginOnRendezvous };

  for (const [way, start] of Object.entries(ways)) {
    describe(way, () => {
      it('has the listener’s status, words, headers and body, and Via', async () => {
        const { client, respond } = await start();
        const responseHeaders = {
          'content-type': 'text/plain',
          'X-Multi': 'a, b',
          Date: 'Thu, 01 Jan 1970 00:00:00 GMT',
        };
        respond({ statusCode: 201, statusDescription: 'Made it  so', responseHeaders }, 'the body');
        const { statusLine, headers, body, framing } = await readAnswer(client);
        equal(statusLine, 'HTTP/1.1 201 Made it  so');
        equal(body.toString(), 'the body');
        deepEqual(headers.get('content-type'), ['text/plain']);
        deepEqual(headers.get('x-multi'), ['a, b']);
        deepEqual(headers.get('via'), ['1.1 localhost']);
        deepEqual(headers.get('date'), ['Thu, 01 Jan 1970 00:00:00 GMT']);
        equal(framing, way === 'on a rendezvous' ? 'chunked' : 'length');
      });

      for (const [sent, line] of [
        [{ statusCode: 200 }, 'HTTP/1.1 200 OK'],
        [{ statusCode: '404' }, 'HTTP/1.1 404 Not Found'],
        [{ statusCode: 404, statusDescription: null }, 'HTTP/1.1 404 Not Found'],
        [{ statusCode: 306 }, 'HTTP/1.1 306 '],
        [{ statusCode: 418 }, "HTTP/1.1 418 I'm a Teapot"],
        [{ statusCode: 450, statusDescription: 'Blocked' }, 'HTTP/1.1 450 Blocked'],
        [{ statusCode: 450 }, 'HTTP/1.1 450 '],
        [{ statusCode: 502 }, 'HTTP/1.1 502 Bad Gateway'],
        [{ statusCode: 504, statusDescription: 'mine' }, 'HTTP/1.1 504 mine'],
        [{ statusCode: 599 }, 'HTTP/1.1 599 '],
        [{ statusDescription: 'a\r\nSet-Cookie: x=1\r\n\r\nbody' }, 'HTTP/1.1 200 a Set-Cookie: x=1 body'],
        [{ statusDescription: 'a\u0000\u001b[31m\u007f€' }, 'HTTP/1.1 200 a [31m ?'],
      ] as [Partial<ResponseMessage>, string][]) {
        it(`of ${JSON.stringify(sent)} begins with ${line}`, async () => {
          const { client, respond } = await start();
          respond(sent, 'x');
          const { statusLine, body, headers } = await readAnswer(client);
          equal(statusLine, line);
          deepEqual([body.toString(), headers.has('set-cookie'), headers.has('via')], ['x', false, true]);
        });
      }

      for (const statusCode of [0, 99, 100, 101, 199, 600, 999, -1, 200.5, 'abc', '']) {
        it(`of status ${JSON.stringify(statusCode)} is a 502 of the relay’s`, async () => {
          const { client, respond, listener } = await start();
          respond({ statusCode }, 'x');
          const { status, headers, reason, body } = await readAnswer(client);
          deepEqual([status, headers.has('via')], [502, false]);
          match(reason, /^The response of the listener cannot be passed on: .*status.* TrackingId:/i);
          equal((JSON.parse(body.toString()) as { error: { code: string } }).error.code, 'BadGateway');
          equal(listener.close, undefined, 'the listener stays');
        });
      }

      for (const [what, fault] of [
        ['headers that are none', { responseHeaders: 'x' as never }],
        ['headers larger than 32 kB', { responseHeaders: { 'X-Large': 'x'.repeat(33_000) } }],
        ['a body flag that is none', { body: 'yes' as never }],
      ] as [string, Partial<ResponseMessage>][]) {
        it(`with ${what} is a 502 of the relay’s`, async () => {
          const { client, respond } = await start();
          respond(fault);
          equal((await readAnswer(client)).status, 502);
        });
      }

      it('loses headers of a connection, and those that would break out of their line', async () => {
        const { client, respond } = await start();
        const responseHeaders = {
          ...{
            Connection: 'upgrade',
            'Keep-Alive': 'x',
            'Transfer-Encoding': 'gzip',
            Upgrade: 'x',
            Trailer: 'x',
          },
          ...{ 'Content-Length': '3', 'Proxy-Connection': 'x', TE: 'x' },
          ...{
            'X-A': '1\r\nX-Evil: 1',
            'X-B': 'a\nb',
            'X-C': 'a\u0000',
            'X-Evil: 1\r\nX-D': '1',
            'X E': '1',
          },
          'X-Good': 'é€',
        };
        respond({ responseHeaders }, 'the body');
        const { headers, body } = await readAnswer(client);
        equal(body.toString(), 'the body');
        deepEqual(headers.get('x-good'), ['é?']);
        const own = ['connection', 'keep-alive', 'content-length', 'transfer-encoding'];
        const others = [...headers.keys()].filter((name) => !own.includes(name));
        deepEqual(others.sort(), ['date', 'via', 'x-good']);
        deepEqual(headers.get('connection'), ['keep-alive']);
      });

      it('without a body has the length 0', async () => {
        const { client, respond } = await start();
        respond({ body: false });
        const { framing, body, headers } = await readAnswer(client);
        deepEqual([framing, body.length, headers.get('content-length')], ['length', 0, ['0']]);
      });

      it('may announce a body and send an empty one', async () => {
        const { client, respond } = await start();
        respond({ body: true }, '');
        equal((await readAnswer(client)).body.length, 0);
      });

      for (const [method, statusCode] of [
        ['GET', 204],
        ['GET', 304],
        ['HEAD', 200],
        ['HEAD', 404],
      ] as const) {
        for (const bodies of [[], [''], ['data']]) {
          it(`to ${method} with ${statusCode} has no body, though ${JSON.stringify(bodies)} is sent`, async () => {
            const { client, respond } = await start({ method });
            const responseHeaders = { 'Content-Length': '1234', ETag: '"1"' };
            respond({ statusCode, responseHeaders }, ...bodies);
            const { status, headers } = await readAnswer(client, method);
            equal(status, statusCode);
            deepEqual(headers.get('content-length'), statusCode === 204 ? undefined : ['1234']);
            deepEqual([headers.get('etag'), headers.has('transfer-encoding')], [['"1"'], false]);
            // The next answer on the connection is found where it should be.
            writeRequest(client, relay(), { token: null });
            equal((await readAnswer(client)).status, 401);
          });
        }
      }
    });
  }

  it('of hyco-https, which sends an empty message that it did not announce, harms no other', async () => {
    const { listener, client, request } = await begin();
    listener.respond({ requestId: request.id, statusCode: 204, body: false }, '');
    equal((await readAnswer(client)).status, 204);
    writeRequest(client, relay());
    const { id } = await listener.request();
    listener.respond({ requestId: id, body: false }, '', 'more', '');
    writeRequest(client, relay());
    equal((await readAnswer(client)).status, 200);
    listener.respond({ requestId: (await listener.request()).id }, 'second');
    equal((await readAnswer(client)).body.toString(), 'second');
  });

  it('on the control channel may come in fragments, the last one empty', async () => {
    const { listener, client, request } = await begin();
    listener.respond({ requestId: request.id, body: true });
    for (const part of ['one ', '', 'two ', 'three']) await listener.fragment(part);
    await listener.fragment('', true);
    const { body, framing } = await readAnswer(client);
    deepEqual([body.toString(), framing], ['one two three', 'length']);
  });

  it('may be given to requests in another order', async () => {
    const listener = await openListener(relay());
    const clients = await Promise.all([0, 1, 2, 3].map((at) => sendRequest(relay(), { target: `?${at}` })));
    const requests = [
      await listener.request(),
      await listener.request(),
      await listener.request(),
      await listener.request(),
    ];
    for (const { id, requestTarget } of requests.reverse())
      listener.respond({ requestId: id }, requestTarget);
    for (const [at, client] of clients.entries()) {
      equal((await readAnswer(client)).body.toString(), `/Hyco/One?${at}`);
    }
  });

  for (const bytes of [LARGEST_INLINE - 1, LARGEST_INLINE]) {
    it(`of ${bytes} bytes needs no rendezvous`, async () => {
      const { client, respond } = await begin();
      respond({}, pattern(bytes));
      ok((await readAnswer(client)).body.equals(pattern(bytes)));
    });
  }

  it(`of ${LARGEST_INLINE + 1} bytes on the control channel is a 502 that says so`, async () => {
    const { client, respond } = await begin();
    respond({}, pattern(LARGEST_INLINE + 1));
    const { status, reason } = await readAnswer(client);
    equal(status, 502);
    match(reason, /a body of more than 65536 bytes needs a rendezvous/);
  });

  it('that is followed by another text instead of its body is a 502; the text counts', async () => {
    const { listener, client, request } = await begin();
    const other = await sendRequest(relay());
    const { id } = await listener.request();
    listener.respond({ requestId: request.id, body: true });
    listener.respond({ requestId: id, statusCode: 418 });
    equal((await readAnswer(client)).status, 502);
    equal((await readAnswer(other)).status, 418);
  });

  it('counts once', async () => {
    const { client, respond, listener } = await begin();
    respond({ statusCode: 201 });
    respond({ statusCode: 202 }, 'late');
    equal((await readAnswer(client)).status, 201);
    writeRequest(client, relay());
    listener.respond({ requestId: (await listener.request()).id, statusCode: 203 });
    equal((await readAnswer(client)).status, 203);
  });

  it('can be given by a listener of the same connection only to what that was asked', async () => {
    const { listener, client, request } = await begin();
    for (const requestId of ['', 'unknown', request.id.toUpperCase(), '__proto__']) {
      listener.respond({ requestId, statusCode: 418 }, 'x');
    }
    listener.respond({ requestId: request.id, statusCode: 200 });
    equal((await readAnswer(client)).status, 200);
  });

  describe('on a rendezvous', () => {
    it('is streamed as it comes, whole or not, and closed with 1000', async () => {
      const { client, rendezvous, request } = await beginOnRendezvous();
      rendezvous.respond({ requestId: request.id, body: true });
      const head = await client.answer();
      deepEqual([head.status, head.headers.get('transfer-encoding')], [200, ['chunked']]);
      for (const part of ['first', 'second']) {
        await rendezvous.fragment(part);
        await until(() => client.received.includes(`\r\n${part}\r\n`), part);
      }
      await rendezvous.fragment('', true);
      await until(() => client.received.includes('0\r\n\r\n'), 'the end');
      deepEqual(await rendezvous.closed(), { code: 1000, reason: 'Normal Closure' });
    });

    it('may be as large as it likes', async () => {
      const { client, rendezvous, request } = await beginOnRendezvous();
      rendezvous.respond({ requestId: request.id }, pattern(5_000_000));
      ok((await readAnswer(client)).body.equals(pattern(5_000_000)));
      equal((await rendezvous.closed()).code, 1000);
    });

    it('may come while the request is still sent', async () => {
      const listener = await openListener(relay());
      const client = await sendRequest(relay(), { method: 'POST', headers: ['Content-Length: 1000000'] });
      client.socket.write(pattern(1_000));
      const rendezvous = await openRendezvous(relay(), (await listener.request()).address);
      rendezvous.respond({ requestId: (await rendezvous.request()).id, statusCode: 413 }, 'too much');
      const { status, body } = await readAnswer(client);
      deepEqual([status, body.toString()], [413, 'too much']);
      equal((await rendezvous.closed()).code, 1000);
      client.socket.write(pattern(1_000_000 - 1_000));
      writeRequest(client, relay());
      listener.respond({ requestId: (await listener.request()).id, statusCode: 202 });
      equal((await readAnswer(client)).status, 202);
    });

    it('may be followed by what nobody wants', async () => {
      const { client, rendezvous, request } = await beginOnRendezvous();
      rendezvous.respond({ requestId: request.id, body: false }, '', 'x');
      rendezvous.webSocket.send('text');
      equal((await readAnswer(client)).status, 200);
      equal((await rendezvous.closed()).code, 1000);
    });

    it('of a request that was whole on the control channel may be given there after all', async () => {
      const { client, rendezvous, listener, request } = await beginOnRendezvous();
      listener.respond({ requestId: request.id }, 'inline');
      equal((await readAnswer(client)).body.toString(), 'inline');
      equal((await rendezvous.closed()).code, 1000);
    });

    it('ends with a faulty one on the control channel', async () => {
      const { client, rendezvous, listener, request } = await beginOnRendezvous();
      listener.respond({ requestId: request.id, statusCode: 101 });
      equal((await readAnswer(client)).status, 502);
      equal((await rendezvous.closed()).code, 1001);
      rendezvous.respond({ requestId: request.id }, 'late');
      writeRequest(client, relay());
      listener.respond({ requestId: (await listener.request()).id, statusCode: 202 });
      equal((await readAnswer(client)).status, 202);
    });

    for (const [what, send, status] of [
      ['a binary message', (to: ListenerSocket) => to.webSocket.send(Buffer.from('x')), 502],
      ['no JSON', (to: ListenerSocket) => to.webSocket.send('not json'), 502],
      ['another message', (to: ListenerSocket) => to.webSocket.send('{"renewToken":{"token":"x"}}'), 502],
      [
        'a response without an id',
        (to: ListenerSocket) => to.webSocket.send('{"response":{"statusCode":200}}'),
        502,
      ],
    ] as const) {
      it(`that begins with ${what} is closed with 1002, and a 502 for the sender`, async () => {
        const { client, rendezvous } = await beginOnRendezvous();
        send(rendezvous);
        equal((await readAnswer(client)).status, status);
        const { code, reason } = await rendezvous.closed();
        equal(code, 1002);
        ok(reason.length > 0);
      });
    }

    it('that does not fit into memory is no answer', async () => {
      const { client, rendezvous } = await beginOnRendezvous();
      rendezvous.webSocket.send(`{"x":"${'x'.repeat(1_000_000)}`);
      equal((await readAnswer(client)).status, 502);
      equal((await rendezvous.closed()).code, 1009);
    });

    it('that never comes because the listener closes is a 502', async () => {
      for (const close of ['close', 'terminate'] as const) {
        const { client, rendezvous, listener } = await beginOnRendezvous();
        rendezvous.webSocket[close]();
        const { status, reason } = await readAnswer(client);
        equal(status, 502);
        match(reason, /^The listener went away before it responded\./);
        await new Promise((resolve) => listener.webSocket.once('close', resolve).close());
      }
    });

    for (const [what, end] of [
      ['closes normally', (to: ListenerSocket) => to.webSocket.close(1000)],
      ['is lost', (to: ListenerSocket) => to.webSocket.terminate()],
      ['sends a text', (to: ListenerSocket) => to.webSocket.send('text')],
    ] as const) {
      it(`whose listener ${what} in the middle is cut off, never ended`, async () => {
        const { client, rendezvous, request } = await beginOnRendezvous();
        rendezvous.respond({ requestId: request.id, body: true });
        if (what !== 'sends a text') await rendezvous.fragment('begun');
        const begun = what === 'sends a text' ? '\r\n\r\n' : 'begun';
        await until(() => client.received.includes(begun), 'the beginning');
        end(rendezvous);
        await rejects(readAnswer(client), /the connection ended/);
        equal(client.received.includes('0\r\n\r\n'), false);
      });
    }

    it('has an address that is good once', async () => {
      const { client, request, respond } = await beginOnRendezvous();
      await rejects(
        openRendezvous(relay(), request.address),
        /refused: 403 The rendezvous address is unknown/,
      );
      respond({ statusCode: 201 });
      equal((await readAnswer(client)).status, 201);
      await rejects(openRendezvous(relay(), request.address), /refused: 403/);
    });

    it('has an address that is no more good when the answer is given', async () => {
      const { client, request, respond } = await begin();
      respond({});
      await readAnswer(client);
      await rejects(openRendezvous(relay(), request.address), /refused: 403/);
      const unknown = request.address.replace(/sb-hc-id=.*/, 'sb-hc-id=abc');
      await rejects(openRendezvous(relay(), unknown), /refused: 403/);
    });
  });

  it('to a sender that is gone goes nowhere, and harms nobody', async () => {
    const { listener, client, request } = await begin();
    client.socket.destroy();
    await client.end();
    const other = await sendRequest(relay());
    const { id } = await listener.request();
    listener.respond({ requestId: request.id }, 'late');
    listener.respond({ requestId: id }, 'in time');
    equal((await readAnswer(other)).body.toString(), 'in time');
    await rejects(openRendezvous(relay(), request.address), /refused: 403/);
    equal(listener.close, undefined);
  });

  for (const when of ['before the answer', 'within the answer', 'within the request']) {
    it(`on a rendezvous of a sender that goes ${when} is ended with 1001`, async () => {
      const listener = await openListener(relay());
      const headers = ['Content-Length: 1000000'];
      const client = await sendRequest(
        relay(),
        when === 'within the request' ? { method: 'POST', headers } : {},
      );
      if (when === 'within the request') client.socket.write(pattern(70_000));
      const { address } = await listener.request();
      const rendezvous = await openRendezvous(relay(), address);
      if (when === 'within the request') await rendezvous.request();
      if (when === 'within the answer') {
        rendezvous.respond({ requestId: new URL(address).searchParams.get('sb-hc-id') ?? '', body: true });
        await rendezvous.fragment('begun');
        await until(() => client.received.includes('begun'), 'the beginning');
      }
      client.socket.destroy();
      equal((await rendezvous.closed()).code, 1001);
    });
  }

  it('with 1001 is not answered twice by a listener that goes on sending', async () => {
    const { client, rendezvous, request } = await beginOnRendezvous();
    client.socket.destroy();
    rendezvous.respond({ requestId: request.id }, pattern(300_000));
    equal((await rendezvous.closed()).code, 1001);
    await turns(5);
  });

  it('is not awaited from a listener that rejects: the address has no such use', async () => {
    const { client, request, listener } = await begin();
    const raw = await RawClient.connect(relay());
    const { pathname, search } = new URL(request.address);
    raw.ask(`${pathname}${search}&sb-hc-statusCode=400&sb-hc-statusDescription=no`);
    equal((await raw.answer()).status, 101);
    raw.socket.destroy();
    equal((await readAnswer(client)).status, 502);
    equal(listener.close, undefined);
  });
});
