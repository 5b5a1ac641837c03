import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import { parseSasToken, verifySasSignature } from '../../../src/protocol/sas-token.ts';
import { systemClock, type Clock } from '../../../src/tunnel/clock.ts';
import { lookedUpKeyTokens, sasKeyTokens } from '../../../src/tunnel/token-provider.ts';
import { answerTo, ask, brokenOff, got, HttpRelay, lines, VIA } from '../../helpers/http-relay.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

const MiB = 1024 * 1024;

describe('a local HTTP port', () => {
  let relay: HttpRelay;
  beforeEach(async () => {
    relay = await HttpRelay.start();
  });
  afterEach(() => relay.stop());

  const last = (): IncomingMessage => relay.requests.at(-1) ?? assert.fail('no request');

  describe('a request', () => {
    it('asks below the name of the connection, with the token and the host of the relay', async () => {
      const { url, events } = await relay.open();
      const answer = await got(`${url}a//b%2Fc?x=%20&y`, {
        headers: { 'X-One': 'a', Authorization: 'Basic eDp5' },
      });
      assert.equal(answer.body.toString(), 'hello');
      assert.equal(last().url, `/${ENTITY}/a//b%2Fc?x=%20&y`);
      assert.equal(last().headers.host, `localhost:${relay.port}`);
      assert.equal(last().headers['x-one'], 'a');
      assert.equal(last().headers.authorization, 'Basic eDp5');
      const token = parseSasToken(String(last().headers['servicebusauthorization']));
      assert.equal(token.resource, `http://localhost/${ENTITY}/`);
      assert.equal(verifySasSignature(token, 'secret'), true);
      await until(() => events.of('request').length === 1);
      assert.deepEqual(
        events.all.map(({ event }) => event),
        ['opening', 'request'],
      );
      const { stream, method, path, status, bytesIn, bytesOut, error } =
        events.of('request')[0] ?? assert.fail();
      assert.deepEqual(relay.ids, [stream], 'the id of the event is the one that the relay was told');
      assert.deepEqual(
        [method, path, status, bytesIn, bytesOut, error],
        ['GET', '/a//b%2Fc', 200, 5, 0, undefined],
      );
    });

    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      it(`may be a ${method}, without a body and with one`, async () => {
        relay.answer = (request, response) => {
          const chunks: Buffer[] = [];
          request.on('data', (chunk: Buffer) => chunks.push(chunk));
          request.on('end', () => {
            const { method: seen = '', headers } = request;
            const framing = headers['transfer-encoding'] ?? headers['content-length'] ?? 'none';
            response.writeHead(200, { Via: VIA }).end([seen, framing, Buffer.concat(chunks)].join(' '));
          });
        };
        const { url } = await relay.open();
        const framing = ['GET', 'DELETE', 'OPTIONS', 'TRACE'].includes(method) ? 'none' : '0';
        const bare = await got(url, { method });
        assert.equal(bare.body.toString().replace(' chunked ', ` ${framing} `), `${method} ${framing} `);
        if (method === 'TRACE') return;
        const sized = await got(url, { method, body: 'body', headers: { 'Content-Length': 4 } });
        assert.equal(sized.body.toString(), `${method} 4 body`);
        const chunked = await got(url, { method, body: 'body', headers: { 'Transfer-Encoding': 'chunked' } });
        assert.equal(chunked.body.toString(), `${method} chunked body`);
      });
    }

    it('keeps headers that repeat apart, and leaves those of the hop behind', async () => {
      const { url } = await relay.open();
      await got(url, {
        headers: [
          ...[
            'Host',
            'localhost',
            'X-Multi',
            'a',
            'x-multi',
            'b',
            'Connection',
            'X-Hop, keep-alive',
            'X-Hop',
            '1',
          ],
          ...['TE', 'trailers', 'Keep-Alive', 'timeout=5', 'Proxy-Connection', 'close'],
        ],
      });
      assert.deepEqual(lines(last(), 'x-multi'), ['a', 'b']);
      for (const name of ['x-hop', 'te', 'keep-alive', 'proxy-connection']) {
        assert.equal(last().headers[name], undefined, name);
      }
      assert.deepEqual(lines(last(), 'host'), [`localhost:${relay.port}`]);
    });

    it('cannot take the place of our token, or ask for something beside the connection', async () => {
      const { url } = await relay.open();
      await got(`${url}?sb-hc-token=theirs&a=1&sb-hc-id=2`, {
        headers: { ServiceBusAuthorization: 'theirs' },
      });
      assert.equal(last().url, `/${ENTITY}/?a=1`);
      assert.equal(lines(last(), 'ServiceBusAuthorization').length, 1);
      assert.match(lines(last(), 'ServiceBusAuthorization')[0] ?? '', /^SharedAccessSignature /);
      await got(url, { path: '/../../other?sb-hc-token=x' });
      assert.equal(last().url, `/${ENTITY}/other`);
      await got(url, { path: 'http://localhost/abs?q' });
      assert.equal(last().url, `/${ENTITY}/abs?q`);
      await got(url, { method: 'OPTIONS', path: '*' });
      assert.equal(last().url, `/${ENTITY}/`);
    });

    it('keeps its path with keepPath', async () => {
      relay.answer = (_request, response) =>
        void response.writeHead(302, { Via: VIA, Location: `/${ENTITY}/next` }).end();
      const { url } = await relay.open({ keepPath: true });
      const { headers } = await got(`${url}${ENTITY}/x?y`);
      assert.equal(last().url, `/${ENTITY}/x?y`);
      assert.equal(headers.location, `/${ENTITY}/next`);
    });

    it('of an anonymous sender has no token, and keeps the header that the caller wrote', async () => {
      const { endpoint, path } = relay.connection;
      const { url } = await relay.open({ connection: { endpoint, path } });
      await got(url, { headers: { ServiceBusAuthorization: 'own' } });
      assert.equal(last().headers['servicebusauthorization'], 'own');
    });

    it('that expects 100-continue gets it, and the relay is not asked for it', async () => {
      relay.answer = (request, response) => {
        request.resume().on('end', () => response.writeHead(200, { Via: VIA }).end('done'));
      };
      const { url } = await relay.open();
      const asked = ask(url, { method: 'POST', headers: { Expect: '100-continue', 'Content-Length': 3 } });
      asked.flushHeaders();
      await once(asked, 'continue');
      asked.end('abc');
      assert.equal((await answerTo(asked)).body.toString(), 'done');
      assert.equal(last().headers.expect, undefined);
    });

    it('uses connections again, also after the relay has closed one', async () => {
      const { url } = await relay.open();
      for (let count = 0; count < 3; count += 1) await got(url);
      assert.equal(relay.connections, 1);
      const server = last().socket;
      server.end();
      await once(server, 'close');
      assert.equal((await got(url)).status, 200);
      assert.equal(relay.connections, 2);
    });

    it('is sent again when a pooled connection dies under it, unless it has a body', async () => {
      const { url, events } = await relay.open();
      const dieOnce = () => {
        let died = false;
        relay.answer = (request, response) => {
          if (!died) {
            died = true;
            return void request.socket.destroy();
          }
          response.writeHead(200, { Via: VIA }).end('again');
        };
      };
      await got(url);
      dieOnce();
      assert.equal((await got(url)).body.toString(), 'again');
      await got(url);
      dieOnce();
      const refused = await got(url, { method: 'POST', body: 'x' });
      assert.equal(refused.status, 502);
      assert.equal(codeIn(refused.body), 'HCM_CONNECTION_LOST');
      assert.equal(events.of('refused').at(-1)?.error.code, 'HCM_CONNECTION_LOST');
    });

    it('uploads and downloads large bodies whole', async () => {
      relay.answer = (request, response) => {
        response.writeHead(200, { Via: VIA });
        request.pipe(response);
      };
      const { url, events } = await relay.open();
      const body = Buffer.alloc(24 * MiB);
      for (let at = 0; at < body.length; at += 4) body.writeUInt32LE((at * 2654435761) >>> 0, at);
      const answer = await got(url, { method: 'POST', body });
      assert.equal(sha256(answer.body), sha256(body));
      await until(() => events.of('request').length === 1);
      const { bytesIn, bytesOut } = events.of('request')[0] ?? assert.fail();
      assert.deepEqual([bytesIn, bytesOut], [body.length, body.length]);
    });

    it('runs beside 199 others of every kind, none mixed up', async () => {
      relay.answer = (request, response) => {
        const hash = createHash('sha256');
        request.on('data', (chunk: Buffer) => hash.update(chunk));
        request.on('end', () => {
          const size = Number(request.url?.split('size=')[1] ?? 0);
          response.writeHead(200, { Via: VIA, 'X-Hash': hash.digest('hex'), 'X-Url': request.url });
          response.end(Buffer.alloc(size, request.url));
        });
      };
      const { url, events } = await relay.open();
      const one = async (index: number) => {
        const size = [0, 1, 1000, 65_535, 65_536, 65_537, 300_000][index % 7] ?? 0;
        const body = Buffer.alloc((index * 7919) % 200_000, String(index));
        const method = ['GET', 'POST', 'PUT', 'HEAD'][index % 4] ?? '';
        const isUpload = method === 'POST' || method === 'PUT';
        const path = `/${ENTITY}/${index}?size=${size}`;
        const answer = await got(`${url}${index}?size=${size}`, { method, ...(isUpload ? { body } : {}) });
        assert.equal(answer.headers['x-url'], path);
        assert.equal(answer.headers['x-hash'], sha256(isUpload ? body : Buffer.alloc(0)));
        assert.equal(
          sha256(answer.body),
          sha256(method === 'HEAD' ? Buffer.alloc(0) : Buffer.alloc(size, path)),
        );
      };
      await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)));
      await until(() => events.of('request').length === 200);
      assert.equal(events.of('request').filter(({ error }) => error !== undefined).length, 0);
    });
  });

  describe('an answer', () => {
    it('keeps status, phrase and headers, cookies one by one', async () => {
      relay.answer = (_request, response) => {
        response.sendDate = false;
        response.writeHead(299, 'Quite Fine', [
          ...[
            'Via',
            VIA,
            'X-A',
            '1',
            'X-A',
            '2',
            'Set-Cookie',
            'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT, b=2',
          ],
          ...['Set-Cookie', 'c=3', 'Content-Length', '2'],
        ]);
        response.end('ok');
      };
      const { url } = await relay.open();
      const answer = await got(url);
      assert.deepEqual([answer.status, answer.phrase, answer.body.toString()], [299, 'Quite Fine', 'ok']);
      assert.deepEqual(lines(answer, 'x-a'), ['1', '2']);
      assert.deepEqual(lines(answer, 'set-cookie'), [
        'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
        'b=2',
        'c=3',
      ]);
      assert.deepEqual(lines(answer, 'content-length'), ['2']);
      assert.deepEqual(lines(answer, 'date'), []);
    });

    it('to HEAD, 304 and 204 has no body, and the length that it was given', async () => {
      const status = (request: IncomingMessage) => Number(request.url?.split('/').at(-1));
      relay.answer = (request, response) =>
        void response.writeHead(status(request), { Via: VIA, 'Content-Length': 1234, ETag: '"x"' }).end();
      const { url } = await relay.open({ sender: { idleTimeoutMs: 5_000 } });
      const head = await got(`${url}200`, { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '1234', 0]);
      const unchanged = await got(`${url}304`);
      assert.deepEqual([unchanged.status, unchanged.headers.etag, unchanged.body.length], [304, '"x"', 0]);
      relay.answer = (_request, response) => void response.writeHead(204, { Via: VIA }).end();
      const empty = await got(`${url}204`);
      assert.deepEqual(
        [empty.status, empty.headers['content-length'], empty.body.length],
        [204, undefined, 0],
      );
    });

    it('has addresses without the name of the connection', async () => {
      relay.answer = (_request, response) =>
        void response
          .writeHead(303, {
            ...{ Via: VIA, Location: `https://localhost:${relay.port}/${ENTITY}/login?x` },
            'Content-Location': `/${ENTITY.toUpperCase()}`,
          })
          .end();
      const { url } = await relay.open();
      const { headers } = await got(url);
      assert.deepEqual([headers.location, headers['content-location']], ['/login?x', '/']);
    });

    it('flows as it comes: the head before the first byte, and each event by itself', async () => {
      let send: (text: string) => void = () => undefined;
      relay.answer = (_request, response) => {
        response.writeHead(200, { Via: VIA, 'Content-Type': 'text/event-stream' }).flushHeaders();
        send = (text) => void response.write(text);
      };
      const { url } = await relay.open();
      const asked = ask(url).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
        send(text);
        const [chunk] = (await once(answer, 'data')) as [Buffer];
        assert.equal(chunk.toString(), text);
      }
      answer.destroy();
      await until(() => relay.requests[0]?.socket.destroyed === true);
    });

    it('may come before the upload has ended', async () => {
      relay.answer = (_request, response) => void response.writeHead(413, { Via: VIA }).end('too large');
      const { url } = await relay.open();
      const asked = ask(url, { method: 'POST' });
      asked.write('the first part');
      const { status, body } = await answerTo(asked);
      assert.deepEqual([status, body.toString()], [413, 'too large']);
      asked.destroy();
    });

    it('waits in the relay, not in memory, for a client that does not read', async () => {
      let wrote = 0;
      relay.answer = (_request, response) => {
        response.writeHead(200, { Via: VIA });
        const block = Buffer.alloc(MiB);
        const more = () => {
          while (wrote < 512 && response.write(block)) wrote += 1;
          response.once('drain', more);
        };
        more();
      };
      const { url } = await relay.open();
      const asked = ask(url).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.pause();
      for (let quiet = 0; quiet < 50; quiet += 1) {
        const before = wrote;
        await turns(200);
        if (wrote !== before) quiet = 0;
      }
      assert.ok(wrote < 128, `${wrote} MiB were taken for a client that reads nothing`);
      answer.destroy();
    });

    it('that breaks off breaks off here: the connection is cut, not ended', async () => {
      relay.answer = (_request, response) => {
        response.writeHead(200, { Via: VIA });
        response.write('the first half', () => response.socket?.destroy());
      };
      const { url, events } = await relay.open();
      const asked = ask(url).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      const [error] = (await once(answer, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNRESET');
      await until(() => events.of('request').length === 1);
      const [told] = events.of('request');
      assert.equal(told?.error?.code, 'HCM_CONNECTION_LOST');
      assert.equal(told.error.message, 'The relay closed the connection in the middle of its answer');
    });

    it('that an HTTP/1.0 client would take for whole is reset when it is not', async () => {
      relay.answer = (_request, response) => {
        response.writeHead(200, { Via: VIA });
        response.write('the first half', () => response.socket?.destroy());
      };
      const { port } = await relay.open();
      const socket = connect(Number(port.bind.split(':')[1]), '127.0.0.1');
      socket.write('GET / HTTP/1.0\r\n\r\n');
      socket.resume();
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNRESET');
    });
  });

  describe('a client that goes away', () => {
    it('takes its request at the relay with it, before the answer and in its middle', async () => {
      const { url, events } = await relay.open();
      const closed = (index: number) => until(() => relay.requests[index]?.socket.destroyed === true);
      relay.answer = () => undefined;
      const unanswered = ask(url);
      unanswered.end();
      await until(() => relay.requests.length === 1);
      unanswered.destroy();
      await closed(0);
      relay.answer = (_request, response) => void response.writeHead(200, { Via: VIA }).write('x');
      const half = ask(url);
      half.end();
      await once(half, 'response');
      half.destroy();
      await closed(1);
      relay.answer = () => undefined;
      const upload = ask(url, { method: 'POST' });
      upload.write('a part');
      await until(() => relay.requests.length === 3);
      upload.destroy();
      await closed(2);
      await until(() => events.of('request').length === 3);
      assert.equal(events.of('refused').length, 0);
    });
  });

  describe('a refusal', () => {
    const PHRASE = (sentence: string) =>
      `${sentence}. TrackingId:abc_G1, SystemTracker:sb://ns/${ENTITY}, Timestamp:x`;
    const refusals: [
      status: number,
      phrase: string,
      body: object | undefined,
      code: ErrorCode,
      via?: string,
    ][] = [
      [404, PHRASE('There are no listeners connected for the endpoint'), undefined, 'HCM_NO_LISTENER'],
      [
        404,
        'Not Found',
        { error: { code: 'EndpointNotFound', message: 'Endpoint does not exist.' } },
        'HCM_ENTITY_NOT_FOUND',
      ],
      [401, PHRASE('InvalidSignature: The token has an invalid signature'), undefined, 'HCM_TOKEN_SIGNATURE'],
      [
        403,
        'Forbidden',
        { error: { code: 'Forbidden', message: 'Authorization failed for specified action: Send.' } },
        'HCM_RIGHT_MISSING',
      ],
      [
        504,
        PHRASE(
          'The request was routed to the listener but the listener did not respond in the required time',
        ),
        {},
        'HCM_LISTENER_TIMEOUT',
      ],
      [
        502,
        'Target refused: 127.0.0.1:1 ECONNREFUSED (HCM_TARGET_REFUSED)',
        undefined,
        'HCM_TARGET_REFUSED',
        VIA,
      ],
      [501, 'No HTTP is served here (HCM_HTTP_UNSERVED)', undefined, 'HCM_HTTP_UNSERVED', VIA],
    ];
    for (const [status, phrase, body, code, via] of refusals) {
      it(`${status} ${code} comes through as it is, and is told`, async () => {
        const text = body === undefined ? '' : JSON.stringify(body);
        relay.answer = (_request, response) =>
          void response
            .writeHead(status, phrase, { 'X-Own': 'y', ...(via === undefined ? {} : { Via: via }) })
            .end(text);
        const { url, events } = await relay.open();
        const answer = await got(url);
        assert.deepEqual([answer.status, answer.phrase, answer.body.toString()], [status, phrase, text]);
        assert.equal(answer.headers['x-own'], 'y');
        await until(() => events.of('refused').length === 1);
        assert.equal(events.of('refused')[0]?.error.code, code);
        assert.equal(events.of('refused')[0]?.error.details['status'], status);
        assert.equal(events.of('opened').length + events.of('request').length, 0);
      });
    }

    it('of the application is an answer like any other', async () => {
      relay.answer = (_request, response) => void response.writeHead(404, { Via: VIA }).end('no such page');
      const { url, events } = await relay.open();
      assert.equal((await got(url)).status, 404);
      await until(() => events.of('request').length === 1);
      assert.equal(events.of('refused').length, 0);
    });

    it('with a long document comes through whole', async () => {
      const body = Buffer.alloc(300_000, 'x');
      relay.answer = (_request, response) => void response.writeHead(503, {}).end(body);
      const { url } = await relay.open();
      assert.equal(sha256((await got(url)).body), sha256(body));
    });

    it("is sent once more, with a token by the relay's clock, where ours is 10 minutes behind", async () => {
      const behind: Clock = { ...systemClock, nowMs: () => Date.now() - 600_000 };
      const tokens = sasKeyTokens({ keyName: 'rule', key: 'secret' }, behind, 300_000);
      relay.answer = (request, response) => {
        const { expiresAtMs } = parseSasToken(String(request.headers['servicebusauthorization']));
        if (expiresAtMs > Date.now()) response.writeHead(200, { Via: VIA }).end('hello');
        else response.writeHead(401, 'ExpiredToken: The token is expired').end();
      };
      const { url, events } = await relay.open({
        connection: { ...relay.connection, tokens },
        sender: { clock: behind },
      });
      const all = await Promise.all([got(url), got(url), got(url, { method: 'POST' })]);
      assert.deepEqual(
        all.map(({ status }) => status),
        [200, 200, 200],
      );
      const asked = relay.requests.length;
      assert.equal((await got(url)).status, 200);
      assert.equal(relay.requests.length, asked + 1, 'from then on the first token is good');
      const told = events.of('clock-skew').map(({ skewMs }) => Math.round(skewMs / 60_000));
      assert.deepEqual([told, events.of('refused')], [[-10], []]);
    });

    it('of a stale key brings a newer one; a wrong key is asked for once', async () => {
      let key = 'old';
      let lookUps = 0;
      relay.answer = (request, response) => {
        const token = parseSasToken(String(request.headers['servicebusauthorization']));
        if (verifySasSignature(token, 'new')) return void response.writeHead(200, { Via: VIA }).end('in');
        response.writeHead(401, 'InvalidSignature: The token has an invalid signature').end();
      };
      const lookUp = () => Promise.resolve({ keyName: 'rule', key: ((lookUps += 1), key) });
      const tokens = lookedUpKeyTokens(lookUp, systemClock);
      const { url } = await relay.open({ connection: { ...relay.connection, tokens } });
      assert.equal((await got(url)).status, 401);
      assert.equal(lookUps, 2);
      key = 'new';
      assert.equal((await got(url)).status, 401);
      assert.equal(lookUps, 2);
      const { url: other } = await relay.open({
        connection: { ...relay.connection, tokens: lookedUpKeyTokens(lookUp, systemClock) },
      });
      key = 'old';
      const first = got(other);
      await until(() => lookUps === 3);
      key = 'new';
      assert.equal((await first).status, 200);
      const all = await Promise.all(Array.from({ length: 10 }, () => got(other)));
      assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
    });

    it('502 names a relay that cannot be reached', async () => {
      const { port: lonely, connection } = relay;
      const { url, events } = await relay.open({
        connection: { ...connection, endpoint: { host: 'localhost', port: 1 } },
      });
      assert.notEqual(lonely, 1);
      const answer = await got(url, { method: 'POST', body: 'lost' });
      assert.deepEqual([answer.status, codeIn(answer.body)], [502, 'HCM_CONNECT_REFUSED']);
      assert.equal(answer.headers['content-type'], 'application/json');
      await until(() => events.of('refused').length === 1);
      const untrusted = await relay.open({ sender: { loopbackCa: undefined } });
      assert.equal(codeIn((await got(untrusted.url)).body), 'HCM_TLS_UNTRUSTED');
    });

    it('502 names an answer that is no HTTP, and one that never came', async () => {
      const { url } = await relay.open();
      relay.answer = (request) => void request.socket.end('this is no HTTP\r\n\r\n');
      assert.equal(codeIn((await got(url)).body), 'HCM_RESPONSE_INVALID');
      relay.answer = (request) => void request.socket.end();
      assert.equal(codeIn((await got(url)).body), 'HCM_CONNECTION_LOST');
    });

    it('502 says why there is no token', async () => {
      const tokens = { renewable: true, token: () => Promise.reject(new Error('the sign-in is over')) };
      const { url } = await relay.open({ connection: { ...relay.connection, tokens } });
      const { status, body } = await got(url);
      assert.equal(status, 502);
      assert.match(body.toString(), /the sign-in is over/);
      assert.equal(relay.requests.length, 0);
    });

    it('504 ends the wait for a relay that says nothing', async () => {
      relay.answer = () => undefined;
      let fire: () => void = () => undefined;
      let nowMs = 0;
      const clock = {
        nowMs: () => Date.now(),
        monotonicMs: () => nowMs,
        setTimer: (delayMs: number, act: () => void) => {
          if (delayMs > 60_000) fire = act;
          return () => undefined;
        },
      };
      const { url, events } = await relay.open({ sender: { clock } });
      const asked = got(url);
      await until(() => relay.requests.length === 1);
      nowMs = 80_000;
      fire();
      const { status, body } = await asked;
      assert.deepEqual([status, codeIn(body)], [504, 'HCM_CONNECT_TIMEOUT']);
      await until(() => events.of('refused').length === 1);
    });

    it('cuts an answer that is silent for longer than the idle timeout', async () => {
      relay.answer = (_request, response) => void response.writeHead(200, { Via: VIA }).write('x');
      const { url, events } = await relay.open({ sender: { idleTimeoutMs: 50 } });
      await assert.rejects(got(url), { code: 'ECONNRESET' });
      await until(() => events.of('request').length === 1);
      assert.equal(events.of('request')[0]?.error?.code, 'HCM_IDLE_TIMEOUT');
    });
  });

  describe('on loopback', () => {
    it('answers for names of this machine', async () => {
      const { url } = await relay.open();
      for (const host of [
        'localhost',
        'LOCALHOST:99',
        '127.0.0.1:8080',
        '127.3.2.1',
        '[::1]:80',
        'app.localhost',
      ]) {
        assert.equal((await got(url, { headers: { Host: host } })).status, 200, host);
      }
    });

    it('answers for no other, which a page with that name could have pointed here', async () => {
      const { url } = await relay.open();
      for (const host of [
        'evil.example',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        'evil.example#.localhost',
        '10.0.0.1',
        '[::2]',
      ]) {
        const { status, body } = await got(url, { headers: { Host: host } });
        assert.equal(status, 421, host);
        assert.match(body.toString(), /HCM_REQUEST_INVALID.*answers for localhost/);
      }
      assert.equal(
        (await got(url, { path: 'http://evil.example/x', headers: { Host: 'localhost' } })).status,
        421,
      );
      const upgrade = ask(url, {
        headers: { Host: 'evil.example', Connection: 'Upgrade', Upgrade: 'websocket' },
      }).end();
      assert.equal((await answerTo(upgrade)).status, 421);
      assert.equal(relay.requests.length, 0);
    });
  });

  it('bound to all addresses answers for every name, and its URL is one that works', async () => {
    const { url } = await relay.open({ bind: { kind: 'tcp', host: '0.0.0.0', port: 0 } });
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.equal((await got(url, { headers: { Host: 'box.corp.example' } })).status, 200);
  });

  it('may be a Unix socket, for its owner alone', async function () {
    if (process.platform === 'win32') return;
    const folder = await mkdtemp(join(tmpdir(), 'hcm-http-'));
    const path = join(folder, 'web.sock');
    const { port } = await relay.open({ bind: { kind: 'unix', path } });
    assert.equal(port.bind, `unix:${path}`);
    assert.equal(port.url, undefined);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const answer = await got('http://any.example/x', { socketPath: path });
    assert.equal(answer.body.toString(), 'hello');
    await rm(folder, { recursive: true });
  });

  it('refuses CONNECT, and reads an offer of HTTP/2 or one with a body as the plain request that it also is', async () => {
    relay.answer = (request, response) => {
      response.writeHead(200, { Via: VIA });
      request.pipe(response);
    };
    const { url, events } = await relay.open();
    const asked = ask(url, { method: 'CONNECT', path: 'example.com:443' }).end();
    const [refusal] = (await once(asked, 'connect')) as [IncomingMessage];
    assert.equal(refusal.statusCode, 405);
    for (const protocol of ['h2c', 'websocket', 'other']) {
      const offer = {
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: protocol,
        'HTTP2-Settings': 'AAMAAABk',
      };
      const answer = await got(`${url}x`, { method: 'POST', body: protocol, headers: offer });
      assert.equal(answer.body.toString(), protocol);
      assert.equal(last().url, `/${ENTITY}/x`);
      assert.deepEqual([last().headers.upgrade, last().headers['http2-settings']], [undefined, undefined]);
    }
    await until(() => events.of('request').length === 3);
  });

  describe('when it stops', () => {
    it('lets what runs come to its end, and leaves nothing open', async () => {
      let finish: () => void = () => undefined;
      relay.answer = (_request, response) => {
        response.writeHead(200, { Via: VIA }).write('first, ');
        finish = () => response.end('last');
      };
      const { url, port } = await relay.open();
      const { Agent } = await import('node:http');
      const agent = new Agent({ keepAlive: true });
      const running = got(url, { agent });
      await until(() => relay.requests.length === 1);
      let stopped = false;
      const stopping = port.stop({ graceMs: 60_000 }).then(() => (stopped = true));
      await assert.rejects(got(url), { code: 'ECONNREFUSED' });
      assert.equal(stopped, false);
      finish();
      assert.equal((await running).body.toString(), 'first, last');
      await stopping;
      agent.destroy();
    });

    it('cuts what has not come to its end within the grace', async () => {
      relay.answer = (_request, response) => void response.writeHead(200, { Via: VIA }).write('first');
      const { url, port, events } = await relay.open();
      const running = [ask(url).end(), ask(url).end()];
      const answers = await Promise.all(running.map((asked) => once(asked, 'response')));
      const cut = answers.map(([answer]) => brokenOff(answer as IncomingMessage));
      relay.answer = () => undefined;
      const unanswered = assert.rejects(got(url));
      await until(() => relay.requests.length === 3);
      await port.stop({ graceMs: 0 });
      await Promise.all([...cut, unanswered]);
      assert.deepEqual(
        events.of('request').map(({ error }) => error?.code),
        ['HCM_ABORTED', 'HCM_ABORTED'],
      );
    });
  });

  it('renews its token when most of its life is over', async () => {
    let nowMs = Date.now();
    const clock = { ...systemClock, nowMs: () => nowMs };
    const tokens = sasKeyTokens({ keyName: 'rule', key: 'secret' }, clock, 60_000);
    const { url } = await relay.open({ connection: { ...relay.connection, tokens }, sender: { clock } });
    const expiry = async () => {
      await got(url);
      return parseSasToken(String(last().headers['servicebusauthorization'])).expiresAtMs;
    };
    const first = await expiry();
    nowMs += 10_000;
    assert.equal(await expiry(), first);
    nowMs += 45_000;
    assert.ok((await expiry()) > first);
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function codeIn(body: Buffer): string {
  return (JSON.parse(body.toString()) as { error: { code: string } }).error.code;
}
