import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseAllowRule } from '../../../src/protocol/allow-list.ts';
import { parseTargetAddress } from '../../../src/protocol/target-address.ts';
import { formatTarget } from '../../../src/protocol/target.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { tlsCertificate } from '../../helpers/tls-certificate.ts';
import { ENTITY, type EventLog } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';
import { HttpTargetBed, type Ask } from './http-target-bed.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const echo: RequestListener = (request, response) => void pipeline(request, response);

describe('an HTTP target', () => {
  expectNothingLeft();
  let http: HttpTargetBed;
  let events: EventLog;

  beforeEach(async () => {
    http = await HttpTargetBed.start();
    events = http.bed.heard;
  });
  afterEach(() => http.stop());

  const lastEvent = async (count = 1) => {
    await until(() => events.of('request').length >= count, 'the request event');
    return events.of('request')[count - 1];
  };

  it('gets the request below its base path, and says what it likes', async () => {
    let seen: IncomingMessage | undefined;
    const origin = await http.serve((request, response) => {
      seen = request;
      response
        .writeHead(418, 'Short and stout', { 'X-Pot': 'tea', 'Set-Cookie': ['a=1', 'b=2'] })
        .end('hello');
    });
    await http.listen(`${origin}/base`);
    const answer = await http.ask('/page?x=%20', { headers: { 'X-One': 'a', Authorization: 'Basic eDp5' } });
    assert.equal(answer.status, 418);
    assert.equal(answer.phrase, 'Short and stout');
    assert.equal(answer.headers['x-pot'], 'tea');
    assert.deepEqual(answer.headers['set-cookie'], ['a=1, b=2'], 'joined, as the relay does');
    assert.equal(answer.body.toString(), 'hello');
    assert.equal(seen?.url, '/base/page?x=%20');
    assert.equal(seen?.headers.host, new URL(origin).host);
    assert.equal(seen?.headers['x-one'], 'a');
    assert.equal(seen?.headers.authorization, 'Basic eDp5');
    assert.equal(seen?.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen?.headers['x-forwarded-proto'], 'https');
    assert.equal(seen?.headers['x-forwarded-prefix'], `/${ENTITY}`);
    const event = await lastEvent();
    assert.equal(event?.status, 418);
    assert.equal(event?.path, `/${ENTITY}/page`);
    assert.equal(event?.target, `${origin}/base`);
  });

  it('may be reached without any of its name cut off', async () => {
    const origin = await http.serve((request, response) => void response.end(request.url));
    await http.listen(origin, { keepPath: true, hostHeader: 'original' });
    assert.equal((await http.ask('/page')).body.toString(), `/${ENTITY}/page`);
  });

  it('keeps its connection for the next request', async () => {
    const ports = new Set<number | undefined>();
    const origin = await http.serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    await http.listen(origin);
    for (let at = 0; at < 5; at += 1) await http.ask(`/${at}`);
    assert.equal(ports.size, 1);
  });

  const bodies: [string, Ask][] = [
    ['none', {}],
    ['no byte', { method: 'POST', body: '' }],
    ['a byte', { method: 'POST', body: 'x' }],
    ['64 KiB', { method: 'PUT', body: Buffer.alloc(64 * KIB, 'a') }],
    ['64 KiB and a byte', { method: 'PUT', body: Buffer.alloc(64 * KIB + 1, 'a') }],
    ['3 MiB', { method: 'POST', body: randomBytes(3 * MIB) }],
    ['some with DELETE', { method: 'DELETE', body: 'x' }],
    ['pieces', { method: 'POST', body: 'pieces', headers: { 'Transfer-Encoding': 'chunked' } }],
  ];
  for (const [name, ask] of bodies) {
    it(`echoes a body of ${name} as it would without a relay`, async () => {
      const origin = await http.serve((request, response) => {
        response.setHeader('X-Method', request.method ?? '');
        echo(request, response);
      });
      await http.listen(origin);
      const [relayed, direct] = [await http.ask('/x', ask), await http.direct(origin, '/x', ask)];
      assert.equal(relayed.status, direct.status);
      assert.equal(relayed.headers['x-method'], direct.headers['x-method']);
      assert.ok(relayed.body.equals(direct.body));
    });
  }

  it('frames a body that came whole with its length, and no GET with anything', async () => {
    const seen: (string | undefined)[] = [];
    const origin = await http.serve((request, response) => {
      seen.push(request.headers['content-length'] ?? request.headers['transfer-encoding']);
      request.resume().on('end', () => response.end());
    });
    await http.listen(origin);
    await http.ask('/1');
    await http.ask('/2', { method: 'POST', body: 'four' });
    await http.ask('/3', { method: 'POST' });
    await http.ask('/4', { method: 'POST', body: 'x', headers: { 'Transfer-Encoding': 'chunked' } });
    assert.deepEqual(seen.slice(0, 3), [undefined, '4', '0']);
  });

  it('takes a large upload and answers with its hash', async () => {
    const total = 32 * MIB;
    const block = randomBytes(64 * KIB);
    const expected = createHash('sha256');
    function* blocks() {
      for (let sent = 0; sent < total; sent += block.length) {
        block.writeUInt32BE(sent, 0);
        expected.update(block);
        yield Buffer.from(block);
      }
    }
    const origin = await http.serve((request, response) => {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    });
    await http.listen(origin);
    const { body } = await http.ask('/upload', { method: 'PUT', body: Readable.from(blocks()) });
    assert.equal(body.toString(), expected.digest('hex'));
    assert.equal((await lastEvent())?.bytesIn, total);
  });

  it('answers HEAD with the headers of GET and no body', async () => {
    const origin = await http.serve((_request, response) => {
      response.setHeader('Content-Length', 200 * KIB);
      response.end(Buffer.alloc(200 * KIB));
    });
    await http.listen(origin);
    const head = await http.ask('/x', { method: 'HEAD' });
    assert.equal(head.headers['content-length'], String(200 * KIB));
    assert.equal(head.body.length, 0);
    assert.equal((await http.ask('/x')).body.length, 200 * KIB);
  });

  for (const status of [204, 304]) {
    it(`answers ${status} without a body`, async () => {
      const origin = await http.serve((_request, response) =>
        response.writeHead(status, { ETag: '"a"' }).end(),
      );
      await http.listen(origin);
      const answer = await http.ask('/x');
      assert.equal(answer.status, status);
      assert.equal(answer.headers.etag, '"a"');
      assert.equal(answer.body.length, 0);
    });
  }

  it('gives ranges and gzip as they are', async () => {
    const zipped = gzipSync('text '.repeat(100));
    const origin = await http.serve((request, response) => {
      if (request.headers.range === undefined)
        response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(zipped);
      else response.writeHead(206, { 'Content-Range': 'bytes 0-1/5' }).end('he');
    });
    await http.listen(origin);
    const whole = await http.ask('/x', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(gunzipSync(whole.body).toString(), 'text '.repeat(100));
    const part = await http.ask('/x', { headers: { Range: 'bytes=0-1' } });
    assert.deepEqual(
      [part.status, part.headers['content-range'], part.body.toString()],
      [206, 'bytes 0-1/5', 'he'],
    );
  });

  it('does not see Expect, which the relay has answered', async () => {
    let expects: string | undefined = 'unasked';
    const origin = await http.serve((request, response) => {
      expects = request.headers.expect;
      echo(request, response);
    });
    await http.listen(origin);
    const { body } = await http.ask('/x', {
      method: 'POST',
      body: 'after 100',
      headers: { Expect: '100-continue', 'Content-Length': '9' },
    });
    assert.equal(body.toString(), 'after 100');
    assert.equal(expects, undefined);
  });

  it('may send interim answers, which are nobody else’s business', async () => {
    const origin = await http.serve((_request, response) => {
      response.writeContinue();
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('done');
    });
    await http.listen(origin);
    assert.equal((await http.ask('/x')).body.toString(), 'done');
  });

  it('lets server-sent events flow', async () => {
    let held: ServerResponse | undefined;
    const origin = await http.serve((_request, response) => {
      held = response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
    });
    await http.listen(origin);
    const answer = await http.open('/events');
    let text = '';
    answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      held?.write(event);
      await until(() => text.endsWith(event), event);
    }
    held?.end();
    await once(answer, 'end');
  });

  it('hears of a sender that leaves', async () => {
    let gone: Promise<unknown> | undefined;
    const origin = await http.serve((_request, response) => {
      gone = once(response, 'close');
      response.writeHead(200).write('first');
    });
    await http.listen(origin);
    const answer = await http.open('/x');
    await once(answer, 'data');
    answer.destroy();
    await gone;
    assert.equal((await lastEvent())?.error?.code, 'HCM_CONNECTION_LOST');
  });

  it('serves 100 requests at the same time', async () => {
    const origin = await http.serve(echo);
    await http.listen(origin);
    const bodies = Array.from({ length: 100 }, (_, at) => `${at} `.repeat(at * 20));
    const answers = await Promise.all(bodies.map((body) => http.ask('/x', { method: 'POST', body })));
    assert.deepEqual(
      answers.map(({ body }) => body.toString()),
      bodies,
    );
  });

  it('slows a target down to the pace of the sender, in bounded memory', async () => {
    const total = 64 * MIB;
    let written = 0;
    const origin = await http.serve((_request, response) => {
      const pump = () => {
        while (written < total) {
          written += 64 * KIB;
          if (!response.write(Buffer.alloc(64 * KIB))) return void response.once('drain', pump);
        }
        response.end();
      };
      pump();
    });
    await http.listen(origin);
    const answer = await http.open('/large');
    let seen = -1;
    while (seen !== written) {
      seen = written;
      await turns(2_000);
    }
    assert.ok(written < total / 2, `${written} of ${total} bytes have left the target`);
    let read = 0;
    answer.on('data', (chunk: Buffer) => (read += chunk.length));
    await once(answer, 'end');
    assert.equal(read, total);
  });

  it('is spoken to over TLS, its certificate checked against the CAs given', async () => {
    const certificate = await tlsCertificate();
    const origin = await http.serve((_request, response) => void response.end('secure'), certificate);
    await http.listen(origin.replace('127.0.0.1', 'localhost'), { ca: [certificate.ca] });
    assert.equal((await http.ask('/x')).body.toString(), 'secure');
  });

  it('is not spoken to when its certificate is nobody’s', async () => {
    const origin = await http.serve((_request, response) => void response.end(), await tlsCertificate());
    await http.listen(origin);
    const answer = await http.ask('/x');
    assert.equal(answer.status, 502);
    assert.match(answer.phrase, /TLS.*HCM_TARGET_UNREACHABLE/);
  });

  it('that refuses is 502 with the reason', async () => {
    await http.listen('http://127.0.0.1:1');
    const answer = await http.ask('/x');
    assert.equal(answer.status, 502);
    assert.match(answer.phrase, /HCM_TARGET_REFUSED\)$/);
    assert.match(answer.body.toString(), /HCM_TARGET_REFUSED/);
    assert.equal((await lastEvent())?.error?.code, 'HCM_TARGET_REFUSED');
  });

  it('that is not on the allow-list is not dialed', async () => {
    const origin = await http.serve((_request, response) => void response.end());
    await http.listen(origin, { allow: [parseAllowRule('10.0.0.0/8:80')] });
    assert.match((await http.ask('/x')).phrase, /HCM_TARGET_NOT_ALLOWED/);
  });

  const faults: [string, (socket: Socket) => void, RegExp][] = [
    ['says nothing and closes', (socket) => socket.end(), /without an answer.*HCM_RESPONSE_INVALID/],
    ['resets', (socket) => socket.resetAndDestroy(), /without an answer.*HCM_RESPONSE_INVALID/],
    ['speaks no HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), /not HTTP.*HCM_RESPONSE_INVALID/],
    [
      'answers with two lengths',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
      /not HTTP.*HCM_RESPONSE_INVALID/,
    ],
    [
      'answers with length and chunks',
      (socket) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
      /not HTTP.*HCM_RESPONSE_INVALID/,
    ],
    [
      'answers with status 999',
      (socket) => socket.end('HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n'),
      /999.*HCM_RESPONSE_INVALID/,
    ],
    [
      'switches to a protocol that nobody asked for',
      (socket) => socket.write('HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n'),
      /101.*HCM_RESPONSE_INVALID/,
    ],
    [
      'answers with too many headers',
      (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\nContent-Length: 0\r\n\r\n`),
      /HCM_RESPONSE_INVALID/,
    ],
    [
      'breaks off early',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'),
      /broke off.*HCM_RESPONSE_INVALID/,
    ],
  ];
  for (const [name, act, phrase] of faults) {
    it(`that ${name} is 502`, async () => {
      const target = await http.bed.target((socket) => socket.once('data', () => act(socket)));
      await http.listen(`http://${formatTarget(target)}`);
      const answer = await http.ask('/x');
      assert.equal(answer.status, 502);
      assert.match(answer.phrase, phrase);
    });
  }

  it('that breaks off in the middle cuts the sender, and does not end its answer', async () => {
    let socket: Socket | undefined;
    const target = await http.bed.target((made) => {
      socket = made;
      made.once('data', () =>
        made.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(200_000)}`),
      );
    });
    await http.listen(`http://${formatTarget(target)}`);
    const answer = await http.open('/x');
    let read = 0;
    answer.on('data', (chunk: Buffer) => (read += chunk.length));
    await until(() => read === 200_000);
    const cut = once(answer, 'error');
    socket?.resetAndDestroy();
    assert.ok(await cut);
    assert.equal(answer.complete, false);
    assert.equal((await lastEvent())?.error?.code, 'HCM_RESPONSE_INVALID');
  });

  it('that closed a kept connection meanwhile gets the request on another', async () => {
    const sockets: Socket[] = [];
    const target = await http.bed.target((socket) => {
      sockets.push(socket);
      let asked = 0;
      socket.on('data', () => {
        asked += 1;
        // The second request on a connection meets the server's own close.
        if (asked === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    await http.listen(`http://${formatTarget(target)}`);
    assert.equal((await http.ask('/1')).body.toString(), 'ok');
    assert.equal((await http.ask('/2')).body.toString(), 'ok');
    assert.equal(sockets.length, 2);
  });

  it('gets what must not be sent twice on a connection of its own, which it cannot have closed meanwhile', async () => {
    const sockets: Socket[] = [];
    const target = await http.bed.target((socket) => {
      sockets.push(socket);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    await http.listen(`http://${formatTarget(target)}`);
    assert.equal((await http.ask('/1')).status, 200);
    assert.equal((await http.ask('/2', { method: 'POST', body: 'x' })).status, 200);
    assert.equal((await http.ask('/3', { method: 'PUT', body: 'x' })).status, 200);
    assert.equal((await http.ask('/4', { method: 'PATCH' })).status, 200);
    assert.equal(sockets.length, 4);
    assert.equal((await http.ask('/5')).status, 200);
    assert.equal(sockets.length, 4);
  });

  it('is not told to close that connection: whoever answers early would cut it with the body unread', async () => {
    let said: string | undefined;
    const origin = await http.serve((request, response) => {
      said = request.headers.connection;
      response.end();
    });
    await http.listen(origin);
    await http.ask('/x', { method: 'POST', body: 'twice would be wrong' });
    assert.equal(said, 'keep-alive');
  });

  it('gets a length of 0 where node:http would send an empty chunk', async () => {
    const heads: string[] = [];
    const target = await http.bed.target((socket) =>
      socket.on('data', (bytes: Buffer) => {
        heads.push(bytes.toString('latin1'));
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    await http.listen(`http://${formatTarget(target)}`);
    await http.ask('/x', { method: 'PROPFIND' });
    assert.match(heads[0] ?? '', /\r\nContent-Length: 0\r\n/);
    assert.doesNotMatch(heads[0] ?? '', /chunked/i);
  });

  it('may answer before it has read the request', async () => {
    const origin = await http.serve((_request, response) => {
      response.writeHead(413).end('too much');
    });
    await http.listen(origin);
    const request = await http.open('/x', { method: 'POST', body: Buffer.alloc(MIB) });
    assert.equal(request.statusCode, 413);
    request.resume();
    await once(request, 'end');
  });

  it('has its redirects pointed to where the sender reaches it', async () => {
    const origin = await http.serve((request, response) => {
      const to = request.url === '/absolute' ? `http://${request.headers.host}/next` : '/next';
      response.writeHead(302, { Location: to }).end();
    });
    await http.listen(origin);
    assert.equal((await http.ask('/absolute')).headers.location, `/${ENTITY}/next`);
    assert.equal((await http.ask('/relative')).headers.location, `/${ENTITY}/next`);
  });

  it('keeps raw streams for itself on the same connection', async () => {
    const origin = await http.serve((_request, response) => void response.end('raw and relayed'));
    await http.listen(origin);
    const port = await http.bed.localPort();
    const raw = await http.direct(`http://127.0.0.1:${port}`, '/x');
    assert.equal(raw.body.toString(), 'raw and relayed');
    assert.equal((await http.ask('/x')).body.toString(), 'raw and relayed');
  });

  it('is asked for by azbridge’s names http and https', async () => {
    const origin = await http.serve((_request, response) => void response.end('by name'));
    const ports = new Map([['http', parseTargetAddress(origin)]]);
    await http.listen(undefined, { dialect: 'azbridge', ports });
    assert.equal((await http.ask('/x')).body.toString(), 'by name');
  });

  it('that is none leaves a request with 501 at once', async () => {
    await http.listen('127.0.0.1:9');
    const answer = await http.ask('/x');
    assert.equal(answer.status, 501);
    assert.match(answer.phrase, /HCM_HTTP_UNSERVED/);
  });

  it('lets open requests finish at a stop, and keeps no connection behind it', async () => {
    let held: ServerResponse | undefined;
    const origin = await http.serve((_request, response) => (held = response));
    const listener = await http.listen(origin);
    const asking = http.ask('/x');
    await until(() => held !== undefined);
    const stopping = listener.stop({ graceMs: 5_000 });
    held?.end('finished');
    assert.equal((await asking).body.toString(), 'finished');
    await stopping;
  });
});
