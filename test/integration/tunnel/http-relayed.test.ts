// The whole way of a request: local HTTP port, the emulator's relay, a listener of ours, a web application; and beside it the
// same request asked directly.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ErrorCode } from '../../../src/protocol/errors.ts';
import { parseTargetAddress } from '../../../src/protocol/target-address.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { startHttpPort } from '../../../src/tunnel/http-sender/http-port.ts';
import { Sender } from '../../../src/tunnel/sender.ts';
import { sasKeyTokens } from '../../../src/tunnel/token-provider.ts';
import { ask, brokenOff, got, lines, type Got } from '../../helpers/http-relay.ts';
import { TunnelBed } from '../../helpers/tunnel-bed.ts';
import { until } from '../../helpers/until.ts';

describe('HTTP from a local port to an application behind the relay', () => {
  let bed: TunnelBed;
  let app: Server;
  let direct: string;
  const aborted: string[] = [];
  const events: ((text: string) => void)[] = [];

  before(async () => {
    app = createServer((request, response) => {
      request.on('error', () => undefined);
      response.on('close', () => response.writableFinished || aborted.push(request.url ?? ''));
      const url = new URL(request.url ?? '/', 'http://app');
      if (url.pathname === '/events') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
        return void events.push((text) => void response.write(text));
      }
      if (url.pathname === '/silent') return;
      if (url.pathname === '/dies') {
        response.writeHead(200).write('half');
        return void events.push(() => response.socket?.destroy());
      }
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => {
        const size = Number(url.searchParams.get('size') ?? 0);
        const status = Number(url.searchParams.get('status') ?? 200);
        response.writeHead(status, [
          ...[
            'X-Seen',
            `${request.method} ${request.url} ${hash.digest('hex')}`,
            'Set-Cookie',
            'a=1; Path=/',
          ],
          ...['Set-Cookie', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'Location', `/next?${size}`],
          ...(request.headers.authorization === undefined ? [] : ['X-Auth', request.headers.authorization]),
        ]);
        response.end(Buffer.alloc(size, request.url));
      });
    });
    const sockets = new WebSocketServer({ noServer: true });
    app.on('upgrade', (request: IncomingMessage, socket: Socket, head) =>
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', (data) => webSocket.send(`${request.url} ${(data as Buffer).toString()}`));
      }),
    );
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    direct = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`;
  });
  after(() => app.close());
  beforeEach(async () => {
    bed = await TunnelBed.start();
    aborted.length = 0;
    events.length = 0;
  });
  afterEach(() => bed.stop());

  const open = async (sender: Sender = bed.sender()): Promise<string> => {
    const port = await startHttpPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, sender);
    bed.onStop(() => port.stop({ graceMs: 0 }));
    return port.url ?? '';
  };
  const listen = () => bed.onlineListener({ address: parseTargetAddress(direct) });

  it('is answered as it is without the relay, in a mix of 200 at once', async function () {
    // Four hundred TLS handshakes and sixty megabytes, on whatever machine.
    this.timeout(60_000);
    await listen();
    const relayed = await open();
    const seen = (answer: Got) => ({
      status: answer.status,
      phrase: answer.phrase,
      seen: answer.headers['x-seen'],
      auth: answer.headers['x-auth'],
      cookies: lines(answer, 'set-cookie'),
      location: answer.headers.location,
      body: createHash('sha256').update(answer.body).digest('hex'),
    });
    const both = async (index: number) => {
      const method = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS'][index % 7] ?? '';
      const size = [0, 1, 1000, 65_535, 65_536, 65_537, 300_000][(index * 3) % 7] ?? 0;
      const status = [200, 201, 302, 304, 404, 500, 418, 204][index % 8] ?? 200;
      const path = `a/${index}%2F?size=${status === 204 || status === 304 ? 0 : size}&status=${status}`;
      const withBody = ['POST', 'PUT', 'PATCH'].includes(method);
      const body = Buffer.alloc((index * 7919) % 200_000, String(index));
      const framing =
        index % 2 === 0 ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': body.length };
      const options = { method, headers: { Authorization: `Basic ${index}`, ...(withBody ? framing : {}) } };
      const send = (url: string) => got(`${url}${path}`, { ...options, ...(withBody ? { body } : {}) });
      assert.deepEqual(seen(await send(relayed)), seen(await send(direct)), `${method} ${path}`);
    };
    await Promise.all(Array.from({ length: 200 }, (_, index) => both(index)));
    await until(() => bed.sent.of('request').length === 200);
    assert.equal(bed.sent.of('request').filter(({ error }) => error !== undefined).length, 0);
  });

  it('streams events as they come, and an abort reaches the application', async () => {
    await listen();
    const asked = ask(`${await open()}events`).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
      events[0]?.(text);
      const [chunk] = (await once(answer, 'data')) as [Buffer];
      assert.equal(chunk.toString(), text);
    }
    answer.destroy();
    await until(() => aborted.length === 1);
    await until(() => bed.sent.of('request').length === 1);
    assert.equal(bed.sent.of('request')[0]?.error?.code, 'HCM_CONNECTION_LOST');
  });

  it('is cut, not ended, when the application dies in the middle of its answer', async () => {
    await listen();
    const url = await open();
    const asked = ask(`${url}dies`).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    events[0]?.('now');
    await brokenOff(answer);
    assert.equal((await got(`${url}?size=3`)).body.length, 3);
  });

  it('shares the connection with a WebSocket to the same application', async () => {
    await listen();
    const url = await open();
    const webSocket = new WebSocket(`${url.replace('http:', 'ws:')}chat`);
    await once(webSocket, 'open');
    webSocket.send('hello');
    const [data] = (await once(webSocket, 'message')) as [Buffer];
    assert.equal(data.toString(), '/chat hello');
    assert.equal((await got(`${url}?size=3`)).body.length, 3);
    webSocket.close();
    await once(webSocket, 'close');
  });

  it('is refused with the words of the relay, or of the listener', async () => {
    const refusedWith = async (url: string, status: number, code: ErrorCode) => {
      const before = bed.sent.of('refused').length;
      const answer = await got(url);
      assert.equal(answer.status, status, answer.phrase);
      await until(() => bed.sent.of('refused').length === before + 1);
      assert.equal(bed.sent.of('refused').at(-1)?.error.code, code, answer.phrase);
    };
    const url = await open();
    await refusedWith(url, 404, 'HCM_NO_LISTENER');
    const connection = bed.connection('sender');
    const wrongKey = {
      ...connection,
      tokens: sasKeyTokens({ keyName: 'defaultSender', key: 'wrong' }, systemClock),
    };
    await refusedWith(await open(bed.sender({}, wrongKey)), 401, 'HCM_TOKEN_SIGNATURE');
    await refusedWith(await open(bed.sender({}, bed.connection('listener'))), 403, 'HCM_RIGHT_MISSING');
    const anonymous = { endpoint: connection.endpoint, path: connection.path };
    await refusedWith(
      await open(new Sender(anonymous, { loopbackCa: bed.emulator.caPem, onEvent: bed.sent.record })),
      401,
      'HCM_TOKEN_MISSING',
    );
    const raw = await bed.onlineListener({ target: { host: '127.0.0.1', port: 1 } });
    await refusedWith(url, 501, 'HCM_HTTP_UNSERVED');
    await raw.stop({ graceMs: 0 });
    await bed.onlineListener({ address: parseTargetAddress('http://127.0.0.1:1/') });
    await refusedWith(url, 502, 'HCM_TARGET_REFUSED');
  });
});
