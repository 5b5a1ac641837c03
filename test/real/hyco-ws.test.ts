// Microsoft's unmodified hyco-ws as a second opinion: against our listener, against our sender, against itself, all
// through our relay.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { parseConnectionString } from '../../src/protocol/connection-string.ts';
import { HcmPath } from './hcm-path.ts';
import { runHycoSender, startHycoListener, type HycoListener, type HycoOptions } from './servers/hyco.ts';

/** What Azure sent to a listener, with other names and addresses. */
const CAPTURED = new URL('../fixtures/protocol/control-accept.json', import.meta.url);

interface AcceptFields {
  address: string;
  id: string;
  connectHeaders: Record<string, string>;
  remoteEndpoint: { address: string; port: number };
}

const SIZES = [1, 125, 126, 65_535, 65_536, 300_000];

describe("Microsoft's hyco-ws through our relay", () => {
  let path: HcmPath;
  const running: { stop(): Promise<void> }[] = [];
  const servers: Server[] = [];

  beforeEach(async () => {
    path = await HcmPath.create();
    await path.startEmulator(['hyco/one']);
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
    for (const server of servers.splice(0)) server.close();
    await path.stop();
  });

  /** What hyco-ws needs to know, with the key of the side that it plays. */
  function hyco(side: 'listener' | 'sender'): HycoOptions {
    const [connection] = path.relay.connections;
    const text =
      side === 'listener' ? connection?.listenerConnectionString : connection?.senderConnectionString;
    const { credential } = parseConnectionString(text ?? '');
    assert.equal(credential.kind, 'key');
    return {
      relayUri: `wss://localhost:${path.relayPort}`,
      path: 'hyco/one',
      ...(credential as { keyName: string; key: string }),
      caFile: path.relay.caFile,
    };
  }

  async function hycoListener(target?: { host: string; port: number }): Promise<HycoListener> {
    const listener = await startHycoListener({ ...hyco('listener'), ...(target ? { target } : {}) });
    running.push(listener);
    return listener;
  }

  /** A TCP server that sends back what it got, and ends when its client has. */
  async function echoServer(): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it('as sender reaches a TCP target through our listener, byte for byte', async () => {
    await path.listen('hyco/one', `127.0.0.1:${await echoServer()}`);
    const messages = SIZES.map((size) => ({ size }));
    const { status, events, stderr } = await runHycoSender({ ...hyco('sender'), messages });
    assert.equal(status, 0, stderr);
    const sent = events.find(({ event }) => event === 'sent');
    const closed = events.find(({ event }) => event === 'closed');
    assert.equal(
      closed?.['bytes'],
      SIZES.reduce((sum, size) => sum + size),
    );
    assert.equal(closed?.['sha256'], sent?.['sha256']);
    assert.equal(closed?.['code'], 1000);
  });

  it('as sender may give its token in the query', async () => {
    await path.listen('hyco/one', `127.0.0.1:${await echoServer()}`);
    const settings = { HYCO_TOKEN_IN: 'query' };
    const { status } = await runHycoSender({ ...hyco('sender'), messages: [{ size: 10 }], settings });
    assert.equal(status, 0);
  });

  it('as sender is told by status and phrase that the target of our listener refused', async () => {
    const port = await echoServer();
    servers.splice(0).forEach((server) => server.close());
    const listener = await path.listen('hyco/one', `127.0.0.1:${port}`);
    const { status, events } = await runHycoSender({ ...hyco('sender'), messages: [{ size: 10 }] });
    assert.equal(status, 1);
    const refused = events.find(({ event }) => event === 'refused');
    assert.equal(refused?.['statusCode'], 502);
    assert.match(String(refused?.['statusMessage']), /refused.*\(HCM_TARGET_REFUSED\)/);
    assert.equal(listener.events.find(({ event }) => event === 'rejected')?.['reason'], 'HCM_TARGET_REFUSED');
  });

  it('as sender is told that nobody listens', async () => {
    const { events } = await runHycoSender({ ...hyco('sender'), messages: [] });
    const refused = events.find(({ event }) => event === 'refused');
    assert.equal(refused?.['statusCode'], 404);
    assert.match(
      String(refused?.['statusMessage']),
      /^There are no listeners connected for the endpoint\. TrackingId:[^,]+, SystemTracker:sb:\/\/[^,]+\/hyco\/one, Timestamp:\d{4}-/,
    );
  });

  it('as listener serves a TCP client of our forward, byte for byte', async () => {
    const listener = await hycoListener({ host: '127.0.0.1', port: await echoServer() });
    const port = await path.forward('hyco/one');
    const sent = Buffer.alloc(5_000_000, 'hybrid connection ');
    const socket = connect(port, '127.0.0.1');
    const hash = createHash('sha256');
    let bytes = 0;
    socket.on('data', (data: Buffer) => {
      hash.update(data);
      bytes += data.length;
      if (bytes === sent.length) socket.end();
    });
    socket.write(sent);
    await once(socket, 'close');
    assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
    const closed = await listener.waitFor('closed');
    assert.equal(closed['bytes'], sent.length);
    assert.equal(closed['code'], 1000);
  });

  it('as listener and as sender talk to each other, with the kind of each message kept', async () => {
    await hycoListener();
    const messages = [{ text: 'grüße' }, { size: 70_000 }, { text: '' }, { size: 3 }];
    const { status, events } = await runHycoSender({ ...hyco('sender'), messages });
    assert.equal(status, 0);
    const got = events.filter(({ event }) => event === 'message');
    assert.deepEqual(
      got.map(({ binary, bytes }) => [binary, bytes]),
      [
        [false, 7],
        [true, 70_000],
        [false, 0],
        [true, 3],
      ],
    );
    const sent = events.find(({ event }) => event === 'sent');
    assert.equal(events.find(({ event }) => event === 'closed')?.['sha256'], sent?.['sha256']);
  });

  it('is told of a sender as a listener of Azure was: the message that was captured there, field by field', async () => {
    const listener = await hycoListener();
    const id = 'b8c7f3a0-5d0e-4f0a-8f57-1d2d7c2f9a11';
    const messages = [{ text: 'x' }];
    await runHycoSender({ ...hyco('sender'), messages, settings: { HYCO_ID: id } });
    const { text } = await listener.waitFor('control-message');
    const [told, captured] = [String(text), await readFile(CAPTURED, 'utf8')].map(
      (json) => JSON.parse(json) as { accept: AcceptFields },
    );
    assert.ok(told && captured);
    assert.deepEqual(Object.keys(told), Object.keys(captured));
    assert.deepEqual(Object.keys(told.accept), Object.keys(captured.accept));
    const { address, id: givenId, connectHeaders, remoteEndpoint } = told.accept;

    // The sender's id, with the gateway behind it, and the address that ends in it; slashes escaped as there.
    assert.match(givenId, new RegExp(`^${id}_G\\d`));
    assert.match(captured.accept.id, /^[0-9a-f-]{36}_G\d/);
    const addressOf = (host: string, name: string, own: string) =>
      `wss://${host}/$hc/${name}?sb-hc-action=accept&sb-hc-id=${own}`;
    const { host } = new URL(captured.accept.address);
    assert.equal(captured.accept.address, addressOf(host, 'hyco1', captured.accept.id));
    assert.equal(address, addressOf(`localhost:${path.relayPort}`, 'hyco/one', givenId));
    assert.ok(String(text).startsWith(`{"accept":{"address":"wss:\\/\\/`));

    // hyco-ws has no User-Agent, and offers an extension that nobody takes; its token has stayed behind.
    const expected: Record<string, string | undefined> = {
      ...captured.accept.connectHeaders,
      Host: `localhost:${path.relayPort}`,
      'Sec-WebSocket-Key': connectHeaders['Sec-WebSocket-Key'],
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
    };
    delete expected['User-Agent'];
    assert.deepEqual(connectHeaders, expected);
    assert.equal(Buffer.from(connectHeaders['Sec-WebSocket-Key'] ?? '', 'base64').length, 16);
    assert.deepEqual(Object.keys(remoteEndpoint), Object.keys(captured.accept.remoteEndpoint));
    assert.match(remoteEndpoint.address, /^(?:127\.0\.0\.1|::1)$/);
    assert.equal(typeof remoteEndpoint.port, typeof captured.accept.remoteEndpoint.port);
  });

  it('refuses a wrong key with 401 and the reason', async () => {
    const wrong = { ...hyco('sender'), key: 'AAAA', messages: [] };
    const { events } = await runHycoSender(wrong);
    const refused = events.find(({ event }) => event === 'refused');
    assert.equal(refused?.['statusCode'], 401);
    assert.match(String(refused?.['statusMessage']), /invalid signature/);
  });
});
