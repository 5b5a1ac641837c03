// WebSockets through a local HTTP port: through the emulator's relay and a raw listener, to a real WebSocket server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { startHttpPort, type HttpPort } from '../../../src/tunnel/http-sender/http-port.ts';
import { answerTo, ask } from '../../helpers/http-relay.ts';
import { TunnelBed } from '../../helpers/tunnel-bed.ts';
import { until } from '../../helpers/until.ts';

describe('a local HTTP port whose client asks for another protocol', () => {
  let bed: TunnelBed;
  let target: Server;
  let sockets: WebSocketServer;
  const asked: IncomingMessage[] = [];

  before(async () => {
    target = createServer();
    sockets = new WebSocketServer({ noServer: true });
    target.on('upgrade', (request: IncomingMessage, socket: Socket, head) => {
      asked.push(request);
      socket.on('error', () => undefined);
      if (request.headers.upgrade === 'other') {
        socket.write('HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\nours first, ');
        return void socket.pipe(socket);
      }
      if (request.url === '/forbidden')
        return void socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n');
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
      });
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
  });
  after(() => target.close());
  beforeEach(async () => {
    bed = await TunnelBed.start();
    asked.length = 0;
  });
  afterEach(() => bed.stop());

  const open = async (): Promise<HttpPort> => {
    const port = await startHttpPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, bed.sender());
    bed.onStop(() => port.stop({ graceMs: 0 }));
    return port;
  };
  const listen = () =>
    bed.onlineListener({ target: { host: '127.0.0.1', port: (target.address() as AddressInfo).port } });
  const address = (port: HttpPort, path: string) => `${port.url?.replace('http:', 'ws:') ?? ''}${path}`;

  it('gets a WebSocket to the target, with the path that it asked for', async () => {
    await listen();
    const port = await open();
    const webSocket = new WebSocket(address(port, 'chat?x=1'), ['a', 'b'], { headers: { Cookie: 'c=d' } });
    await once(webSocket, 'open');
    assert.equal(asked[0]?.url, '/chat?x=1');
    assert.equal(asked[0].headers.cookie, 'c=d');
    assert.equal(asked[0].headers['servicebusauthorization'], undefined);
    const large = Buffer.alloc(3_000_000, 'large');
    for (const message of ['text', Buffer.from([0, 1, 2]), large]) {
      webSocket.send(message);
      const [data] = (await once(webSocket, 'message')) as [Buffer];
      assert.equal(Buffer.compare(data, Buffer.from(message)), 0);
    }
    webSocket.close(4001, 'enough');
    const [code] = (await once(webSocket, 'close')) as [number];
    assert.equal(code, 4001);
    await until(() => bed.sent.of('closed').length === 1);
    assert.equal(bed.sent.of('closed')[0]?.error, undefined);
    assert.equal(bed.sent.of('opened').length, 1);
  });

  it('gets the answer of a target that does not want to', async () => {
    await listen();
    const port = await open();
    const webSocket = new WebSocket(address(port, 'forbidden'));
    const [, answer] = (await once(webSocket, 'unexpected-response')) as [unknown, IncomingMessage];
    assert.equal(answer.statusCode, 403);
    webSocket.on('error', () => undefined).terminate();
  });

  it('gets any protocol, with what was sent right behind the head', async () => {
    await listen();
    const port = await open();
    const request = ask(port.url ?? '', { headers: { Connection: 'Upgrade', Upgrade: 'other' } }).end();
    const [, socket, head] = (await once(request, 'upgrade')) as [unknown, Socket, Buffer];
    let text = head.toString();
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.end('theirs second');
    await once(socket, 'end');
    assert.equal(text, 'ours first, theirs second');
  });

  it('is told in JSON why there is no stream', async () => {
    const port = await open();
    const { status, body } = await answerTo(
      ask(port.url ?? '', { headers: { Connection: 'Upgrade', Upgrade: 'websocket' } }).end(),
    );
    assert.equal(status, 502);
    assert.match(body.toString(), /"code":"HCM_NO_LISTENER"/);
    await until(() => bed.sent.of('refused').length === 1);
  });

  it('is cut when the port stops and the grace is over', async () => {
    await listen();
    const port = await open();
    const webSocket = new WebSocket(address(port, 'chat'));
    await once(webSocket, 'open');
    webSocket.on('error', () => undefined);
    const closed = once(webSocket, 'close');
    await port.stop({ graceMs: 0 });
    const [code] = (await closed) as [number];
    assert.equal(code, 1006);
    assert.equal(bed.sent.of('closed')[0]?.error?.code, 'HCM_ABORTED');
  });
});
