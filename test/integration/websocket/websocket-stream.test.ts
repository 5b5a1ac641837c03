/** Two of our WebSockets, and ours against those of `ws`, with much data. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { WebSocket as WsClient, WebSocketServer } from 'ws';
import {
  asksForWebSocket,
  checkUpgradeRequest,
  formatAcceptance,
  requestUpgrade,
} from '../../../src/websocket/handshake.ts';
import { WebSocket, type WebSocketHandler } from '../../../src/websocket/websocket.ts';
import { BytePattern } from '../../helpers/byte-pattern.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets } from '../../helpers/socket-pair.ts';
import { until, turns } from '../../helpers/until.ts';
import { Recorder, webSocketPair } from '../../helpers/websocket-pair.ts';

const MIB = 1024 * 1024;
const pattern = new BytePattern();
const SIZES = [65_536, 1, 0, 125, 126, 65_535, 300_000, 4_096, 4_090, 700_000, 16_384];

/** A handler that hashes what comes and lets a sender wait for room. */
class Hasher implements WebSocketHandler {
  readonly hash = createHash('sha256');
  bytes = 0;
  messages = 0;
  closed = false;
  ends: (Error | undefined)[] = [];
  #drained: () => void = () => undefined;
  onFragment(payload: Buffer, _opcode: number, _first: boolean, last: boolean): void {
    this.hash.update(payload);
    this.bytes += payload.length;
    if (last) this.messages += 1;
  }
  onClose(): void {
    this.closed = true;
  }
  onDrain(): void {
    this.#drained();
  }
  onEnd(error: Error | undefined): void {
    this.ends.push(error);
  }
  room(): Promise<void> {
    return new Promise((resolve) => (this.#drained = resolve));
  }
}

/**
 * Sends the pattern in messages and a Close, three messages a write; returns how many messages and the hash. `holds`:
 * the payload's memory is given away, and spoiled when it is released.
 */
async function sendAll(webSocket: WebSocket, handler: Hasher, bytes: number, holds: boolean) {
  const hash = createHash('sha256');
  let messages = 0;
  for (let at = 0; at < bytes;) {
    webSocket.cork(3 * 64 * 1024);
    for (let part = 0; part < 3 && at < bytes; part += 1, messages += 1) {
      const payload = Buffer.from(
        pattern.slice(at, Math.min(SIZES[messages % SIZES.length] ?? 1, bytes - at)),
      );
      hash.update(payload);
      at += payload.length;
      webSocket.send(payload, 2, holds ? () => () => void payload.fill(0xee) : undefined);
    }
    webSocket.uncork();
    if (!webSocket.hasRoom) await handler.room();
  }
  webSocket.close(1000);
  return { hash: hash.digest('hex'), messages };
}

for (const transport of ['plain', 'tls'] as const) {
  for (const holds of [false, true]) {
    describe(`Two WebSockets over ${transport}${holds ? ', sending from where the bytes are' : ''}`, () => {
      expectNothingLeft();

      it('exchange many MiB both ways at once, byte for byte and message for message', async () => {
        const { client, server } = await webSocketPair(transport);
        const [atClient, atServer] = [new Hasher(), new Hasher()];
        client.start(atClient);
        server.start(atServer);
        const bytes = 24 * MIB + 5;
        const [up, down] = await Promise.all([
          sendAll(client, atClient, bytes, holds),
          sendAll(server, atServer, bytes, holds),
        ]);
        await until(() => atClient.ends.length + atServer.ends.length === 2, 'both ends', 8_000);
        assert.deepEqual([atClient.ends, atServer.ends], [[undefined], [undefined]]);
        assert.deepEqual({ hash: atServer.hash.digest('hex'), messages: atServer.messages }, up);
        assert.deepEqual({ hash: atClient.hash.digest('hex'), messages: atClient.messages }, down);
      });
    });
  }

  describe(`Back-pressure over ${transport}`, () => {
    expectNothingLeft();

    it('tells a sender to wait when the reader stops, holds little, and tells when to go on', async () => {
      const { client, server, clientSocket, serverSocket } = await webSocketPair(transport);
      const [atClient, atServer] = [new Recorder(), new Recorder()];
      client.start(atClient);
      server.start(atServer);
      server.pause();
      const message = Buffer.alloc(64 * 1024, 1);
      let sent = 0;
      for (let full = 0; full < 20;) {
        assert.ok(sent < 64 * MIB, 'the sender was never told to wait');
        if (client.hasRoom) {
          client.send(message);
          sent += message.length;
          full = 0;
        } else full += 1;
        await turns(1);
      }
      assert.ok(clientSocket.writableLength <= 256 * 1024 + 2 * message.length);
      assert.ok(atServer.bytes < 1.5 * MIB, `${atServer.bytes} bytes came in spite of the pause`);
      const before = atClient.drains;
      server.resume();
      await until(() => atServer.bytes === sent);
      assert.ok(atClient.drains > before);
      await destroySockets(clientSocket, serverSocket);
    });

    it('owes one Pong to a peer that floods with Pings and reads nothing', async () => {
      const { client, server, clientSocket, serverSocket } = await webSocketPair(transport);
      const atClient = new Recorder();
      client.start(atClient);
      client.pause();
      server.start(new Recorder());
      const count = 60_000;
      for (let sent = 0; sent < count; sent += 1000) {
        client.cork();
        for (let at = sent; at < sent + 1000; at += 1) client.ping(Buffer.from(`${at}`.padEnd(100)));
        client.uncork();
        await turns(1);
        if (!client.hasRoom) await until(() => client.hasRoom);
      }
      await until(() => server.bytesRead > count * 100);
      const full = serverSocket.writableHighWaterMark + 1024;
      assert.ok(serverSocket.writableLength < full, `${serverSocket.writableLength} bytes of Pongs wait`);
      client.resume();
      await until(() => atClient.pongs.at(-1)?.trim() === `${count - 1}`, 'the Pong to the last Ping');
      await destroySockets(clientSocket, serverSocket);
    });
  });
}

describe('Our WebSocket and ws', () => {
  expectNothingLeft();

  it('understand each other, we as the client', async () => {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'two' });
    await once(wss, 'listening');
    wss.on('connection', (peer) => {
      peer.on('message', (data: Buffer, binary) => peer.send(data, { binary }));
    });
    const { port } = wss.address() as net.AddressInfo;
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    const host = `127.0.0.1:${port}`;
    const answer = await requestUpgrade(socket, { target: '/x', host, protocols: ['one', 'two'] });
    assert.deepEqual([answer.upgraded, answer.protocol], [true, 'two']);
    const webSocket = new WebSocket(socket, { role: 'client', head: answer.rest });
    await converse(webSocket);
    wss.close();
    await once(wss, 'close');
  });

  it('understand each other, we as the server', async () => {
    const server = http.createServer();
    let webSocket: WebSocket | undefined;
    server.on('upgrade', (request, socket: net.Socket, head) => {
      assert.ok(asksForWebSocket(request.rawHeaders));
      assert.equal(checkUpgradeRequest(request.method ?? '', request.rawHeaders), undefined);
      socket.write(formatAcceptance(request.rawHeaders, { protocol: 'p' }));
      webSocket = new WebSocket(socket, { role: 'server', head });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const peer = new WsClient(`ws://127.0.0.1:${port}/`, ['p']);
    peer.on('message', (data: Buffer, binary) => peer.send(data, { binary }));
    await once(peer, 'open');
    assert.equal(peer.protocol, 'p');
    assert.ok(webSocket);
    await converse(webSocket);
    server.close();
    await once(server, 'close');
  });

  /** The peer echoes: what we say in fragments and whole comes back, and the Close too. */
  async function converse(webSocket: WebSocket): Promise<void> {
    const record = new Recorder();
    webSocket.start(record);
    webSocket.sendFragment(Buffer.from('grü'), 1, false);
    webSocket.ping(Buffer.from('p'));
    webSocket.sendFragment(Buffer.from('ße'), 1, true);
    for (const bytes of [0, 125, 126, 65_535, 65_536, 1_000_000]) webSocket.send(pattern.slice(0, bytes));
    await until(() => record.messages.length === 7 && record.pongs.length === 1);
    assert.deepEqual(record.messages.slice(0, 2), ['text:grüße', 'binary:']);
    assert.ok(record.messages[6] === `binary:${pattern.slice(0, 1_000_000).toString('hex')}`);
    webSocket.close(4001, 'bye');
    assert.equal(await record.ended(), undefined);
    assert.deepEqual(record.closes, [{ code: 4001, reason: 'bye' }]);
  }
});
