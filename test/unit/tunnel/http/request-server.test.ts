import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RequestHandler } from '../../../../src/tunnel/http/request-server.ts';
import type { RelayedRequest } from '../../../../src/tunnel/http/relayed-request.ts';
import type { RelayedResponse } from '../../../../src/tunnel/http/relayed-response.ts';
import type { ListenerOptions } from '../../../../src/tunnel/options.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { expectNothingLeft } from '../../../helpers/resources.ts';
import { turns, until } from '../../../helpers/until.ts';
import type { Peer } from '../../../helpers/fake-relay.ts';
import { HttpRelay } from './http-relay.ts';

const KIB = 1024;
/** The largest body that travels inline: 64 kB of Microsoft's protocol guide. */
const INLINE_BYTES = 65_536;

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('request server', () => {
  expectNothingLeft();
  let bed: HttpRelay;

  afterEach(async () => {
    await bed.stop();
  });

  async function serve(handler: RequestHandler | undefined, options: ListenerOptions = {}): Promise<void> {
    bed = await HttpRelay.start({ ...options, onRequest: handler });
  }

  /** A handler that hands request and response to the test. */
  async function serveHeld(
    options: ListenerOptions = {},
  ): Promise<{ request: RelayedRequest; response: RelayedResponse }[]> {
    const held: { request: RelayedRequest; response: RelayedResponse }[] = [];
    await serve((request, response) => held.push({ request, response }), options);
    return held;
  }

  const request = async (held: { request: RelayedRequest; response: RelayedResponse }[], count = 1) => {
    await until(() => held.length >= count, 'the call of the handler');
    return held[count - 1] as { request: RelayedRequest; response: RelayedResponse };
  };

  const events = (count = 1) => until(() => bed.log.of('request').length >= count, 'the request event');

  describe('on the control channel', () => {
    it('gives the handler what the relay sent', async () => {
      const held = await serveHeld();
      bed.request('r1_G12', { requestHeaders: { 'X-Two': 'a, b', HOST: 'relay.example' } });
      const { request: got, response } = await request(held);
      assert.equal(got.method, 'GET');
      assert.equal(got.url, '/team/hyco-1/page?x=1');
      assert.equal(got.entity, 'team/hyco-1');
      assert.deepEqual(got.headers, { 'x-two': 'a, b', host: 'relay.example' });
      assert.deepEqual(got.rawHeaders, ['X-Two', 'a, b', 'HOST', 'relay.example']);
      assert.deepEqual(got.remote, { address: '203.0.113.9', port: 62_917 });
      assert.equal(got.socket.remoteAddress, '203.0.113.9');
      assert.equal(got.complete, true);
      assert.equal((await readAll(got)).length, 0);
      response.end();
      await bed.response('r1_G12');
    });

    it('answers inline, the body right behind the response', async () => {
      await serve((_request, response) => {
        response.writeHead(201, 'Made', { 'Content-Type': 'text/plain', 'X-A': ['1', '2'] });
        response.end('hello');
      });
      bed.request('r1');
      assert.deepEqual(await bed.response('r1'), {
        requestId: 'r1',
        statusCode: 201,
        statusDescription: 'Made',
        responseHeaders: { 'Content-Type': 'text/plain', 'X-A': '1, 2' },
        body: true,
        bytes: Buffer.from('hello'),
        frames: 1,
      });
    });

    it('gives the body of a request, and says how long it is', async () => {
      await serve((got, response) => {
        assert.equal(got.headers['content-length'], '4');
        void pipeline(got, response);
      });
      bed.request(
        'r1',
        { requestHeaders: { 'content-length': '999', 'Transfer-Encoding': 'chunked' } },
        'body',
      );
      assert.equal((await bed.response('r1')).bytes?.toString(), 'body');
    });

    for (const status of [204, 304]) {
      it(`sends no body with ${status}, whatever is written`, async () => {
        await serve((_request, response) => {
          response.statusCode = status;
          response.write('text');
          response.end('more');
        });
        bed.request('r1');
        const { statusCode, body } = await bed.response('r1');
        assert.deepEqual({ statusCode, body }, { statusCode: status, body: false });
        await events();
        assert.equal(bed.channel.messages.length, 1);
        assert.equal(bed.relay.requests.length, 1, 'no rendezvous was opened');
      });
    }

    it('sends no body to HEAD, however large it is, and keeps its Content-Length', async () => {
      await serve((_request, response) => {
        response.setHeader('Content-Length', 100 * KIB);
        response.write(Buffer.alloc(90 * KIB));
        response.end(Buffer.alloc(10 * KIB));
      });
      bed.request('r1', { method: 'HEAD' });
      const { body, responseHeaders } = await bed.response('r1');
      assert.deepEqual(
        { body, responseHeaders },
        { body: false, responseHeaders: { 'Content-Length': '102400' } },
      );
    });

    it('sends the head of a HEAD alone when it is flushed', async () => {
      const held = await serveHeld();
      bed.request('r1', { method: 'HEAD' });
      const { response } = await request(held);
      response.flushHeaders();
      assert.equal((await bed.response('r1')).body, false);
      response.end();
      await events();
      assert.equal(bed.channel.messages.length, 1);
    });

    it('sends an empty body as none', async () => {
      await serve((_request, response) => response.end());
      bed.request('r1');
      assert.equal((await bed.response('r1')).body, false);
    });

    it('answers inline what has 65,536 bytes, in any pieces', async () => {
      await serve((_request, response) => {
        response.write(Buffer.alloc(INLINE_BYTES - 1, 1));
        response.end(Buffer.alloc(1, 2));
      });
      bed.request('r1');
      const { bytes } = await bed.response('r1');
      assert.equal(bytes?.length, INLINE_BYTES);
      assert.equal(bytes?.at(-1), 2);
      assert.equal(bed.relay.requests.length, 1, 'no rendezvous was opened');
    });

    it('tells what was served in an event, without the query', async () => {
      await serve((got, response) => {
        response.statusCode = 418;
        void pipeline(got, response);
      });
      bed.request('r1_G12', {}, 'body');
      await events();
      const { time, connection, durationMs, ...rest } = bed.log.of('request')[0] ?? {};
      assert.ok(time !== undefined && connection !== undefined && durationMs !== undefined);
      assert.deepEqual(rest, {
        event: 'request',
        stream: 'r1',
        method: 'POST',
        path: '/team/hyco-1/page',
        status: 418,
        bytesIn: 4,
        bytesOut: 4,
        target: undefined,
        remote: '203.0.113.9:62917',
        error: undefined,
      });
    });

    it('answers 501 at once when there is no handler, and says why', async () => {
      await serve(undefined);
      bed.request('r1');
      const { statusCode, statusDescription, bytes } = await bed.response('r1');
      assert.equal(statusCode, 501);
      assert.match(statusDescription ?? '', /\(HCM_HTTP_UNSERVED\)$/);
      assert.match(String(bytes), /HCM_HTTP_UNSERVED/);
      await events();
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_HTTP_UNSERVED');
    });

    it('takes its handler later too', async () => {
      await serve(undefined);
      bed.listener.on('request', (_request, response) => response.end('now'));
      bed.request('r1');
      assert.equal((await bed.response('r1')).bytes?.toString(), 'now');
    });

    const invalid: [string, object][] = [
      ['a header with a line break', { requestHeaders: { 'X-A': 'a\r\nX-B: b' } }],
      ['a folded header', { requestHeaders: { 'X-A': 'a\r\n b' } }],
      ['a header with a NUL', { requestHeaders: { 'X-A': 'a\u0000' } }],
      ['a header name with a colon', { requestHeaders: { 'X-A:': 'a' } }],
      ['an empty header name', { requestHeaders: { '': 'a' } }],
      ['a method with a space', { method: 'GET /x' }],
      ['an empty method', { method: '' }],
      ['CONNECT', { method: 'CONNECT' }],
      ['a path without a slash', { requestTarget: 'http://elsewhere/' }],
      ['no path', { requestTarget: undefined }],
      ['a path with a line break', { requestTarget: '/team/hyco-1/\r\nX-A: a' }],
    ];
    for (const [name, fields] of invalid) {
      it(`answers 400 to ${name}, and goes on`, async () => {
        await serve((_request, response) => response.end('served'));
        bed.request('bad', fields);
        bed.request('good');
        const { statusCode, statusDescription } = await bed.response('bad');
        assert.equal(statusCode, 400);
        assert.match(statusDescription ?? '', /^[ -~]*\(HCM_REQUEST_INVALID\)$/);
        assert.equal((await bed.response('good')).statusCode, 200);
        assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_REQUEST_INVALID');
      });
    }

    it('answers 400 when the body did not follow', async () => {
      await serve((_request, response) => response.end('served'));
      bed.request('bad', { method: 'POST', body: true });
      bed.request('good');
      assert.equal((await bed.response('bad')).statusCode, 400);
      assert.equal((await bed.response('good')).statusCode, 200);
    });

    it('gives Host once, the first, however often and in whatever case it came', async () => {
      await serve((got, response) => response.end(got.headers.host));
      bed.request('r1', { requestHeaders: { Host: 'first', HOST: 'second', host: 'third' } });
      assert.equal((await bed.response('r1')).bytes?.toString(), 'first');
    });

    it('does not mistake __proto__ for anything but a header', async () => {
      await serve((got, response) => response.end(String(Object.keys(got.headers))));
      bed.send(
        bed.channel,
        JSON.parse(JSON.stringify({ request: bed.command('r1') }).replace('"Host"', '"__proto__"')) as object,
      );
      assert.equal((await bed.response('r1')).bytes?.toString(), '__proto__,via');
    });

    it('uses the id in the address when the command has none', async () => {
      await serve((_request, response) => response.end('x'));
      bed.send(bed.channel, { request: { ...bed.command('from-address'), id: undefined } });
      assert.equal((await bed.response('from-address')).statusCode, 200);
    });

    it('serves 100 requests at the same time, each with its own answer', async () => {
      await serve((got, response) => void pipeline(got, response));
      const ids = Array.from({ length: 100 }, (_, at) => `r${at}`);
      for (const id of ids) bed.request(id, {}, id.repeat(500));
      for (const id of ids) assert.equal((await bed.response(id)).bytes?.toString(), id.repeat(500));
    });
  });

  describe('by a rendezvous for the response', () => {
    it('sends what is larger than 65,536 bytes, whole and in one message', async () => {
      const body = Buffer.alloc(300 * KIB, 'abc');
      await serve((_request, response) => response.end(body));
      bed.request('r1');
      const peer = await bed.rendezvous();
      const { bytes, statusCode, frames } = await bed.response('r1', peer);
      assert.equal(statusCode, 200);
      assert.ok(bytes?.equals(body));
      assert.ok((frames ?? 0) >= 5, `${frames} frames: none over 64 KiB`);
      await bed.closed(peer);
      await events();
      assert.equal(bed.log.of('request')[0]?.bytesOut, body.length);
      assert.equal(bed.channel.messages.length, 0);
    });

    it('lets server-sent events flow one by one', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const { response } = await request(held);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
      const peer = await bed.rendezvous();
      for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        if (event !== 'data: 1\n\n') response.write(event);
        await until(() => peer.bytes.toString().endsWith(event), `the event ${event}`);
      }
      assert.equal(peer.messages.length, 1, 'the message of the body is still open');
      response.end();
      assert.equal((await bed.response('r1', peer)).bytes?.toString(), 'data: 1\n\ndata: 2\n\ndata: 3\n\n');
      await bed.closed(peer);
    });

    it('sends flushed headers before there is a body', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const { response } = await request(held);
      response.setHeader('X-A', 'a').flushHeaders();
      const peer = await bed.rendezvous();
      await until(() => peer.texts.length === 1);
      assert.match(peer.texts[0] ?? '', /"X-A":"a"/);
      response.end('late');
      assert.equal((await bed.response('r1', peer)).bytes?.toString(), 'late');
      await bed.closed(peer);
    });

    it('waits 25 ms for the end of a short response', async () => {
      const clock = new FakeClock();
      const held = await serveHeld({ clock });
      bed.request('r1');
      const { response } = await request(held);
      response.write('a');
      clock.advance(24);
      response.end('b');
      assert.equal((await bed.response('r1')).bytes?.toString(), 'ab');
      assert.equal(bed.relay.requests.length, 1);
    });

    it('answers there what was asked on a control channel that is gone', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const { response } = await request(held);
      bed.channel.webSocket.destroy();
      await until(() => bed.log.of('reconnecting').length === 1);
      response.end('late');
      const peer = await bed.rendezvous();
      const { bytes, frames } = await bed.response('r1', peer);
      assert.equal(bytes?.toString(), 'late');
      assert.equal(frames, 1);
      await bed.closed(peer);
    });

    it('slows the handler down to the pace of the relay', async () => {
      const total = 64 * KIB * KIB;
      let produced = 0;
      const source = new Readable({
        read() {
          produced += 64 * KIB;
          this.push(produced > total ? null : Buffer.alloc(64 * KIB));
        },
      });
      await serve((_request, response) => void pipeline(source, response));
      bed.request('r1');
      const peer = await bed.rendezvous();
      peer.webSocket.pause();
      let seen = -1;
      // Socket buffers of the kernel fill up first.
      while (seen !== produced) {
        seen = produced;
        await turns(200);
      }
      assert.ok(produced < total / 2, `${produced} of ${total} bytes were read from the source`);
      peer.webSocket.resume();
      await until(() => peer.closed !== undefined, 'the rest', 10_000);
      assert.equal((await bed.response('r1', peer)).bytes?.length, total);
      await bed.closed(peer);
    });

    it('breaks off without a Close when the handler does', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const { response } = await request(held);
      response.write(Buffer.alloc(INLINE_BYTES + 1));
      const peer = await bed.rendezvous();
      await until(() => peer.bytes.length > INLINE_BYTES);
      response.destroy(new Error('disk failed'));
      await until(() => peer.over !== undefined);
      assert.equal(peer.closed, undefined);
      assert.ok(peer.over?.error);
      await events();
      const { error, status } = bed.log.of('request')[0] ?? {};
      assert.equal(status, 200);
      assert.equal(error?.code, 'HCM_RESPONSE_INVALID');
      assert.match(error?.message ?? '', /disk failed/);
    });

    it('tells the handler when the sender leaves', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const { request: got, response } = await request(held);
      response.write(Buffer.alloc(INLINE_BYTES + 1));
      const peer = await bed.rendezvous();
      await until(() => peer.bytes.length > INLINE_BYTES);
      const gone = Promise.all([once(response, 'close'), once(got, 'aborted')]);
      peer.webSocket.close(1001, 'sender left');
      await gone;
      assert.equal(response.destroyed, true);
      await events();
      const { error } = bed.log.of('request')[0] ?? {};
      assert.equal(error?.code, 'HCM_CONNECTION_LOST');
      assert.match(error?.message ?? '', /1001.*sender left/);
    });

    it('says so when the sender left while the end was on its way', async () => {
      await serve((_request, response) => response.end(Buffer.alloc(INLINE_BYTES + 1)));
      bed.request('r1');
      const peer = await bed.rendezvous();
      await until(() => peer.closed !== undefined);
      peer.webSocket.close(1001);
      await events();
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_CONNECTION_LOST');
    });

    it('answers 502 on the control channel when the rendezvous cannot be had', async () => {
      await serve((_request, response) => response.end(Buffer.alloc(INLINE_BYTES + 1)));
      bed.request('r1');
      (await bed.relay.next('request')).refuse(403, 'Forbidden');
      assert.equal((await bed.response('r1')).statusCode, 502);
      await events();
    });
  });

  describe('by an address alone', () => {
    it('reads the request there and answers there, also what is short', async () => {
      await serve((got, response) => response.end(`${got.method} ${got.url} ${got.id}`));
      const peer = await bed.requestByAddress('r1');
      const { bytes } = await bed.response('r1', peer);
      assert.equal(bytes?.toString(), 'GET /team/hyco-1/page?x=1 r1');
      await bed.closed(peer);
      assert.equal(peer.over?.error, undefined);
      assert.equal(bed.channel.messages.length, 0);
      await events();
      assert.equal(bed.log.of('request')[0]?.error, undefined);
    });

    it('gives the body as it comes', async () => {
      const held = await serveHeld();
      const peer = await bed.requestByAddress('r1', { method: 'PUT', body: true });
      const { request: got, response } = await request(held);
      assert.equal(got.headers['transfer-encoding'], 'chunked');
      const pieces: string[] = [];
      got.on('data', (chunk: Buffer) => pieces.push(chunk.toString()));
      const ended = once(got, 'end');
      peer.webSocket.sendFragment(Buffer.from('one'), 2, false);
      await until(() => pieces.length === 1);
      assert.equal(got.complete, false);
      peer.webSocket.sendFragment(Buffer.from('two'), 2, false);
      peer.webSocket.sendFragment(Buffer.alloc(0), 2, true);
      await ended;
      assert.deepEqual(pieces, ['one', 'two']);
      assert.equal(got.complete, true);
      response.end();
      await bed.response('r1', peer);
      await bed.closed(peer);
    });

    it('reads no faster than the handler', async () => {
      const held = await serveHeld();
      const peer = await bed.requestByAddress('r1', { method: 'PUT', body: true });
      const { request: got, response } = await request(held);
      const block = Buffer.alloc(64 * KIB, 5);
      const total = 1024;
      let sent = 0;
      const pump = () => {
        while (sent < total && peer.webSocket.hasRoom) {
          sent += 1;
          peer.webSocket.sendFragment(block, 2, sent === total);
        }
      };
      pump();
      let seen = -1;
      while (seen !== sent) {
        seen = sent;
        await turns(200);
        pump();
      }
      assert.ok(sent < total / 2, `${sent} of ${total} blocks were taken`);
      assert.ok(got.readableLength < 1024 * KIB, `${got.readableLength} bytes are held`);
      let read = 0;
      got.on('data', (chunk: Buffer) => {
        read += chunk.length;
        pump();
      });
      await once(got, 'end');
      assert.equal(read, total * block.length);
      response.end();
      await bed.response('r1', peer);
      await bed.closed(peer);
    });

    it('can answer before the body has come', async () => {
      await serve((_request, response) => {
        response.statusCode = 413;
        response.end('too much');
      });
      const peer = await bed.requestByAddress('r1', { method: 'PUT', body: true });
      peer.webSocket.sendFragment(Buffer.alloc(100), 2, false);
      assert.equal((await bed.response('r1', peer)).statusCode, 413);
      peer.webSocket.sendFragment(Buffer.alloc(100), 2, true);
      await bed.closed(peer);
      await events();
      assert.equal(bed.log.of('request')[0]?.error, undefined);
    });

    it('destroys request and response when the sender leaves within the body', async () => {
      const held = await serveHeld();
      const peer = await bed.requestByAddress('r1', { method: 'PUT', body: true });
      const { request: got, response } = await request(held);
      const reading = assert.rejects(readAll(got), /sender is gone/);
      peer.webSocket.sendFragment(Buffer.from('half'), 2, false);
      peer.webSocket.close(1001, 'gone');
      await reading;
      await until(() => response.destroyed);
      assert.equal(got.aborted, true);
      await events();
      assert.equal(bed.log.of('request')[0]?.status, undefined);
    });

    it('destroys request and response when the rendezvous is lost', async () => {
      const held = await serveHeld();
      const peer = await bed.requestByAddress('r1');
      const { response } = await request(held);
      peer.webSocket.destroy();
      await once(response, 'close');
      await events();
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_CONNECTION_LOST');
    });

    const unreadable: [string, (peer: Peer) => void][] = [
      ['a binary message', ({ webSocket }) => webSocket.send(Buffer.from('x'))],
      ['no JSON', ({ webSocket }) => webSocket.send(Buffer.from('x'), 1)],
      ['another command', (peer) => bed.send(peer, { accept: { address: 'a', id: 'b' } })],
      [
        'a message without end',
        ({ webSocket }) => {
          for (let at = 0; at < 20; at += 1) webSocket.sendFragment(Buffer.alloc(64 * KIB, 0x20), 1, false);
        },
      ],
    ];
    for (const [name, act] of unreadable) {
      it(`ends the rendezvous and says so when ${name} comes in place of the request`, async () => {
        await serve((_request, response) => response.end('served'));
        bed.send(bed.channel, { request: { address: bed.address('bad') } });
        const peer = await bed.rendezvous();
        act(peer);
        await bed.closed(peer);
        assert.notEqual(peer.closed?.code, 1000);
        await events();
        const { error, method } = bed.log.of('request')[0] ?? {};
        assert.ok(error);
        assert.equal(method, undefined);
        bed.request('good');
        assert.equal((await bed.response('good')).statusCode, 200);
      });
    }

    it('says so when the sender left before the request could be read', async () => {
      await serve((_request, response) => response.end());
      bed.send(bed.channel, { request: { address: bed.address('r1') } });
      (await bed.rendezvous()).webSocket.close(1001);
      await events();
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_CONNECTION_LOST');
    });

    it('closes with 1002 when a text comes in place of the body', async () => {
      const held = await serveHeld();
      const peer = await bed.requestByAddress('r1', { method: 'PUT', body: true });
      await request(held);
      peer.webSocket.send(Buffer.from('{}'), 1);
      await until(() => peer.closed !== undefined);
      assert.equal(peer.closed?.code, 1002);
      peer.webSocket.close(1002);
      await events();
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_REQUEST_INVALID');
    });

    it('serves one request and names a second, and minds no stray message', async () => {
      const held = await serveHeld();
      const peer = await bed.requestByAddress('r1');
      const { response } = await request(held);
      peer.webSocket.send(Buffer.alloc(0));
      bed.send(peer, { request: bed.command('r2') });
      peer.webSocket.send(Buffer.from('stray'));
      await turns(20);
      response.end('one');
      assert.equal((await bed.response('r1', peer)).bytes?.toString(), 'one');
      await bed.closed(peer);
      await events();
      assert.equal(held.length, 1);
      assert.match(bed.log.of('request')[0]?.error?.message ?? '', /second request/);
    });

    it('answers 400 there to what is no request', async () => {
      await serve((_request, response) => response.end());
      const peer = await bed.requestByAddress('r1', { method: 'G\rET' });
      assert.equal((await bed.response('r1', peer)).statusCode, 400);
      await bed.closed(peer);
    });

    it('gives up a request that does not come within 30 s', async () => {
      const clock = new FakeClock();
      await serve((_request, response) => response.end(), { clock });
      bed.send(bed.channel, { request: { address: bed.address('r1') } });
      const peer = await bed.rendezvous();
      await until(() => clock.timers > 0);
      await turns(20);
      clock.advance(30_000);
      await until(() => peer.over !== undefined);
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_RENDEZVOUS_EXPIRED');
    });

    it('never dials an address outside the relay', async () => {
      await serve((_request, response) => response.end());
      bed.send(bed.channel, { request: { address: 'wss://elsewhere.example/$hc/x?sb-hc-id=r1' } });
      await events();
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_HANDSHAKE_FAILED');
      assert.equal(bed.log.of('request')[0]?.stream, 'r1');
    });
  });

  describe('a handler that fails', () => {
    const failures: [string, RequestHandler][] = [
      [
        'throws',
        () => {
          throw new TypeError('secret detail');
        },
      ],
      ['rejects', () => Promise.reject(new TypeError('secret detail')) as unknown as undefined],
      ['destroys the response', (_request, response) => void response.destroy(new Error('secret detail'))],
      [
        'destroys it after it wrote a little',
        (_request, response) => {
          response.write('little');
          response.destroy(new Error('secret detail'));
        },
      ],
      [
        'pipes a stream that fails',
        (_request, response) => {
          const source = new Readable({ read: () => void source.destroy(new Error('secret detail')) });
          pipeline(source, response).catch(() => undefined);
        },
      ],
    ];
    for (const [name, handler] of failures) {
      it(`is 502 for the sender, without the details, when it ${name}`, async () => {
        await serve(handler);
        bed.request('r1');
        const { statusCode, statusDescription, bytes } = await bed.response('r1');
        assert.equal(statusCode, 502);
        assert.match(statusDescription ?? '', /\(HCM_RESPONSE_INVALID\)$/);
        assert.doesNotMatch(`${statusDescription} ${String(bytes)}`, /secret/);
        await events();
        assert.match(bed.log.of('request')[0]?.error?.message ?? '', /secret detail/);
      });
    }

    it('gives no body to HEAD with 502', async () => {
      await serve((_request, response) => void response.destroy());
      bed.request('r1', { method: 'HEAD' });
      const { statusCode, body } = await bed.response('r1');
      assert.deepEqual({ statusCode, body }, { statusCode: 502, body: false });
    });

    for (const [name, write] of [
      ['more', (response: RelayedResponse) => response.end('12345')],
      ['less', (response: RelayedResponse) => response.end('123')],
    ] as const) {
      it(`is 502 when ${name} was written than Content-Length says`, async () => {
        await serve((_request, response) => {
          response.setHeader('Content-Length', '4');
          write(response);
        });
        bed.request('r1');
        const { statusCode, statusDescription } = await bed.response('r1');
        assert.equal(statusCode, 502);
        assert.match(statusDescription ?? '', /Content-Length/);
      });
    }

    it('is 502 when the headers are more than the relay takes', async () => {
      await serve((_request, response) => {
        response.setHeader('X-Large', 'x'.repeat(33_000));
        response.end('x');
      });
      bed.request('r1');
      assert.match((await bed.response('r1')).statusDescription ?? '', /32768.*HCM_RESPONSE_INVALID/);
    });
  });

  describe('limits', () => {
    it('gives a request up after 60 s without a response, and stays unharmed', async () => {
      const clock = new FakeClock();
      const held = await serveHeld({ clock });
      bed.request('r1');
      const { request: got, response } = await request(held);
      const aborted = once(got, 'aborted');
      clock.advance(59_999);
      assert.equal(got.aborted, false);
      clock.advance(1);
      await aborted;
      assert.equal(response.destroyed, true);
      await events();
      const { error, status } = bed.log.of('request')[0] ?? {};
      assert.equal(error?.code, 'HCM_TARGET_TIMEOUT');
      assert.equal(status, undefined);
      response.end('late');
      bed.request('r2');
      (await request(held, 2)).response.end('in time');
      assert.equal((await bed.response('r2')).bytes?.toString(), 'in time');
      assert.equal(bed.channel.messages.length, 2, 'nothing was sent for the first');
    });

    it('counts the 60 s anew while a long body still arrives', async () => {
      const clock = new FakeClock();
      const held = await serveHeld({ clock });
      const peer = await bed.requestByAddress('r1', { method: 'PUT', body: true });
      const { request: got, response } = await request(held);
      got.resume();
      for (let at = 1; at <= 3; at += 1) {
        clock.advance(50_000);
        peer.webSocket.sendFragment(Buffer.from('x'), 2, at === 3);
        const bytes = at;
        await until(() => bytes < 3 || got.complete);
        await turns(20);
      }
      assert.equal(got.aborted, false);
      response.end('done');
      assert.equal((await bed.response('r1', peer)).bytes?.toString(), 'done');
      await bed.closed(peer);
    });

    it('answers 503 to requests beyond maxStreams, inline and by address', async () => {
      const held = await serveHeld({ maxStreams: 1 });
      const peer = await bed.requestByAddress('r1');
      const { response } = await request(held);
      bed.request('r2');
      assert.equal((await bed.response('r2')).statusCode, 503);
      const other = await bed.requestByAddress('r3');
      const { statusCode, statusDescription } = await bed.response('r3', other);
      assert.equal(statusCode, 503);
      assert.match(statusDescription ?? '', /HCM_LISTENER_BUSY/);
      await bed.closed(other);
      response.end('first');
      await bed.response('r1', peer);
      await bed.closed(peer);
      await until(() => bed.listener.openRequests === 0);
      bed.request('r4');
      (await request(held, 2)).response.end('fourth');
      assert.equal((await bed.response('r4')).bytes?.toString(), 'fourth');
    });

    it('counts requests against streams', async () => {
      const held = await serveHeld({ maxStreams: 1 });
      bed.request('r1');
      const { response } = await request(held);
      bed.channel.webSocket.send(bed.relay.acceptMessage('stream-1'), 1);
      const rejection = await bed.relay.next('accept');
      assert.equal(rejection.url.searchParams.get('sb-hc-statusCode'), '503');
      rejection.refuse(410, 'Gone');
      response.end();
      await bed.response('r1');
    });
  });

  describe('a stop', () => {
    it('lets an open request finish within the grace, over its rendezvous', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const { response } = await request(held);
      const stopping = bed.listener.stop({ graceMs: 5_000 });
      const peer = await bed.rendezvous();
      await until(() => bed.channel.closed !== undefined, 'the Close, once the request has left the channel');
      bed.channel.webSocket.close(1000);
      response.end('finished');
      assert.equal((await bed.response('r1', peer)).bytes?.toString(), 'finished');
      await bed.closed(peer);
      await stopping;
      assert.equal(bed.log.of('request')[0]?.error, undefined);
    });

    it('answers on the channel when the rendezvous cannot be had', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const { response } = await request(held);
      const stopping = bed.listener.stop({ graceMs: 5_000 });
      response.end('finished');
      (await bed.relay.next('request')).refuse(403, 'Forbidden');
      assert.equal((await bed.response('r1')).bytes?.toString(), 'finished');
      await until(() => bed.channel.closed !== undefined);
      bed.channel.webSocket.close(1000);
      await stopping;
    });

    it('cuts requests off when the grace is over', async () => {
      const held = await serveHeld();
      bed.request('r1');
      const peer = await bed.requestByAddress('r2');
      const first = await request(held);
      const second = await request(held, 2);
      second.response.write(Buffer.alloc(INLINE_BYTES + 1));
      await until(() => peer.bytes.length > INLINE_BYTES);
      await bed.listener.stop({ graceMs: 0 });
      assert.equal(first.request.aborted && second.request.aborted, true);
      assert.equal(first.response.destroyed && second.response.destroyed, true);
      assert.deepEqual(
        bed.log.of('request').map(({ error }) => error?.code),
        ['HCM_ABORTED', 'HCM_ABORTED'],
      );
    });

    it('cuts a request off that is still being fetched', async () => {
      await serve((_request, response) => response.end());
      bed.send(bed.channel, { request: { address: bed.address('r1') } });
      await bed.relay.next('request');
      await bed.listener.stop({ graceMs: 0 });
      assert.equal(bed.log.of('request')[0]?.error?.code, 'HCM_ABORTED');
    });
  });
});
