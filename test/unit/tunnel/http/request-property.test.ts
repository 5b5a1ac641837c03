// Whatever the relay sends, the listener answers or ignores it, reports it, and serves the next request.
import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { readRequest } from '../../../../src/tunnel/http/request-facts.ts';
import type { RequestCommand } from '../../../../src/protocol/control-messages.ts';
import { parseServiceMessage } from '../../../../src/protocol/control-messages.ts';
import { parseTargetAddress, type HttpTargetAddress } from '../../../../src/protocol/target-address.ts';
import { forwardedHead } from '../../../../src/tunnel/http/forwarded-head.ts';
import { expectNothingLeft } from '../../../helpers/resources.ts';
import { turns, until } from '../../../helpers/until.ts';
import { HttpRelay } from './http-relay.ts';

const TEXT = 1;
const BINARY = 2;

/** Values that matter to somebody's parser, beside any. */
const oddText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    '/',
    '/team/hyco-1',
    '/team/hyco-1/../..',
    'GET',
    'HEAD',
    'CONNECT',
    'a\r\nb: c',
    'a\u0000',
    '\ud800',
  ),
);
const oddHeaders = fc.dictionary(
  fc.oneof(
    oddText,
    fc.constantFrom(
      'Host',
      'host',
      'Content-Length',
      'content_length',
      'Transfer-Encoding',
      '__proto__',
      'Connection',
    ),
  ),
  fc.oneof(oddText, fc.constantFrom('chunked', '5', '5, 6', 'close, Host')),
);
const anything = fc.oneof(
  oddText,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant({}),
  fc.constant([]),
);
const oddRequest = fc.record(
  {
    id: fc.oneof(anything, fc.constant('odd')),
    requestTarget: fc.oneof({ weight: 3, arbitrary: fc.constant('/team/hyco-1/x') }, anything),
    method: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('GET', 'POST', 'HEAD') }, anything),
    requestHeaders: fc.oneof(oddHeaders, anything),
    remoteEndpoint: anything,
    body: fc.oneof(fc.boolean(), anything),
  },
  { requiredKeys: [] },
);

describe('requests of any kind', () => {
  expectNothingLeft();
  let bed: HttpRelay | undefined;
  let closeServer: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await bed?.stop();
    await closeServer?.();
    bed = closeServer = undefined;
  });

  async function echo(): Promise<HttpRelay> {
    return (bed = await HttpRelay.start({
      onRequest: (request, response) => {
        pipeline(request, response).catch(() => undefined);
      },
    }));
  }

  let served = 0;
  async function stillServes(relay: HttpRelay): Promise<void> {
    const id = `good-${(served += 1)}`;
    relay.channel.messages.length = 0;
    relay.request(id, {}, id);
    assert.equal((await relay.response(id)).bytes?.toString(), id);
  }

  it('on the control channel neither end it nor keep the next from its answer', async () => {
    const relay = await echo();
    await fc.assert(
      fc.asyncProperty(oddRequest, fc.option(fc.uint8Array({ maxLength: 100 })), async (fields, body) => {
        // An address that cannot be dialed: what goes there ends at once.
        relay.send(relay.channel, {
          request: { address: 'wss://127.0.0.1:1/$hc/x?sb-hc-id=odd', ...fields },
        });
        if (body) relay.channel.webSocket.send(Buffer.from(body));
        await stillServes(relay);
      }),
      { numRuns: 300 },
    );
    assert.equal(relay.channel.over, undefined);
    await until(() => relay.listener.openRequests === 0, 'the end of all requests');
  }).timeout(60_000);

  it('cut and changed at any byte do no more harm', async () => {
    const relay = await echo();
    const good = JSON.stringify({
      request: relay.command('mutated', { requestHeaders: { Host: 'a', 'X-B': 'c' } }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.string({ maxLength: 3 }),
        fc.nat(5),
        async (at, put, cut) => {
          const text = good.slice(0, at) + put + good.slice(at + cut);
          relay.channel.webSocket.send(Buffer.from(text), TEXT);
          await stillServes(relay);
        },
      ),
      { numRuns: 300 },
    );
    assert.equal(relay.channel.over, undefined);
    // Without `body` a request is fetched from its address, where nobody answered yet.
    await turns(50);
    for (const handshake of relay.relay.requests)
      if (handshake.action === 'request') handshake.refuse(404, 'Not Found');
    await until(() => relay.listener.openRequests === 0, 'the end of all requests', 10_000);
  }).timeout(60_000);

  it('have their bodies echoed, however they are fragmented', async () => {
    const relay = await echo();
    let id = 0;
    const parts = fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(parts, fc.boolean(), async (pieces, byAddress) => {
        id += 1;
        const name = `r${id}`;
        const expected = Buffer.concat(pieces);
        const peer = byAddress
          ? await relay.requestByAddress(name, { method: 'PUT', body: true })
          : relay.channel;
        if (!byAddress) relay.request(name, { method: 'PUT', body: true });
        for (const piece of pieces) peer.webSocket.sendFragment(Buffer.from(piece), BINARY, false);
        peer.webSocket.sendFragment(Buffer.alloc(0), BINARY, true);
        const { bytes = Buffer.alloc(0) } = await relay.response(name, peer);
        assert.ok(bytes.equals(expected));
        if (byAddress) await relay.closed(peer);
      }),
      { numRuns: 100 },
    );
  }).timeout(60_000);

  it('over a rendezvous of any bytes end with an event', async () => {
    const relay = await echo();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.boolean(),
        async (bytes, afterRequest) => {
          count += 1;
          const id = `raw-${count}`;
          relay.send(relay.channel, { request: { address: relay.address(id) } });
          const handshake = await relay.relay.next('request');
          const peer = handshake.accept();
          if (afterRequest) relay.send(peer, { request: relay.command(id, { method: 'PUT', body: true }) });
          handshake.socket.write(bytes);
          handshake.socket.end();
          await until(() => relay.log.of('request').length === count, 'the event');
          peer.webSocket.destroy();
        },
      ),
      { numRuns: 100 },
    );
    await stillServes(relay);
  }).timeout(60_000);

  it('that are forwarded are one request to the target, with nothing behind it', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers['x-marker'] === undefined ? 'smuggled' : 'sent');
      request.resume().on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closeServer = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    const { port } = server.address() as { port: number };
    const address = parseTargetAddress(`http://127.0.0.1:${port}/base`) as HttpTargetAddress;
    const texts = fc.record({
      requestTarget: oddText,
      method: fc.oneof(oddText, fc.constant('POST')),
      requestHeaders: oddHeaders,
    });
    await fc.assert(
      fc.asyncProperty(texts, fc.string({ maxLength: 20 }), async (fields, body) => {
        const command = parsed({ address: 'wss://x', id: 'a', body: true, ...fields });
        const head = command && headFor(command, Buffer.from(body), address);
        if (!head) return;
        assert.ok(head.path.startsWith('/base/'), head.path);
        seen.length = 0;
        const headers = ['X-Marker', '1', ...head.headers];
        const request = httpRequest({
          port,
          host: '127.0.0.1',
          method: command?.method,
          path: head.path,
          headers,
          setHost: false,
        });
        request.end(body);
        const status = await new Promise<number | undefined>((resolve, reject) => {
          request.on('error', reject);
          request.on('response', (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
        });
        // Methods that node:http does not know are refused by it, before anybody sees the request.
        assert.deepEqual(seen, status === 400 ? [] : ['sent']);
      }),
      { numRuns: 300 },
    );
  }).timeout(60_000);
});

function parsed(request: object): RequestCommand | undefined {
  const message = parseServiceMessage(JSON.stringify({ request }));
  return message.kind === 'request' ? message : undefined;
}

/** Undefined: it is refused with an error of ours. */
function headFor(command: RequestCommand, body: Buffer, address: HttpTargetAddress) {
  try {
    return forwardedHead({ ...readRequest(command, body), entity: 'team/hyco-1' }, address, {});
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'HCM_REQUEST_INVALID');
    return undefined;
  }
}
