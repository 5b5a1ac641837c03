/** What clients in the field send although no document says so, and the read that Microsoft's manager makes. */
import { equal, match, ok } from 'node:assert/strict';
import { request } from 'node:https';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay } from './relay-under-test.ts';
import { token } from './tokens.ts';
import { closeClientsAfterEach, goodToken, open, start, TestListener } from './ws-clients.ts';

describe('a relay, to clients with habits of their own', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const askRaw = async (target: string, headers: string[] = [], host?: string) => {
    const client = await RawClient.connect(relay());
    client.ask(target, headers, host);
    return client;
  };
  const authorization = () => `ServiceBusAuthorization: ${goodToken(relay(), 'connect')}`;

  it('accepts a rendezvous with the header that hyco-ws calls 0', async () => {
    const listener = await TestListener.open(relay());
    const isOpen = open(start(relay(), 'connect'));
    await listener.accept(await listener.nextAccept(), {
      headers: { 0: 'Sec-WebSocket-Extensions: permessage-deflate' },
    });
    await isOpen;
  });

  for (const prefix of ['/%24hc/', '/$HC/', '/%24HC/']) {
    it(`takes ${prefix} for /$hc/`, async () => {
      const listener = await TestListener.open(relay());
      await askRaw(`${prefix}${relay().path}?sb-hc-action=connect`, [authorization()]);
      ok((await listener.nextAccept()).address.includes(`/$hc/${relay().path}?`));
    });
  }

  it('finds the query behind an escaped question mark', async () => {
    const listener = await TestListener.open(relay());
    await askRaw(`/$hc/${relay().path}%3Fsb-hc-action=connect&sb-hc-id=abc`, [authorization()]);
    match((await listener.nextAccept()).id, /^abc_G/);
  });

  it('does not care for the order and the case of its parameters', async () => {
    const listener = await TestListener.open(relay());
    await askRaw(`/$hc/${relay().path}?x=1&SB-HC-ID=abc&Sb-Hc-Action=Connect&y=2`, [authorization()]);
    const { id, address } = await listener.nextAccept();
    match(id, /^abc_G/);
    ok(address.includes('?x=1&y=2&sb-hc-action=accept'));
  });

  it('does without a port in Host, and without Host', async () => {
    const listener = await TestListener.open(relay());
    for (const host of ['localhost', '127.0.0.1', '']) {
      await askRaw(`/$hc/${relay().path}?sb-hc-action=connect`, [authorization()], host);
      equal(new URL((await listener.nextAccept()).address).port, String(relay().port));
    }
  });

  it('takes a key in the clear where a token may stand, and refuses one of its two halves', async () => {
    const { path, sendKey } = relay();
    const key = encodeURIComponent(sendKey.key);
    const listener = await TestListener.open(relay());
    const pairs = `sb-hc-sas-key-name=${sendKey.name}&sb-hc-sas-key=${key}`;
    const client = await askRaw(`/$hc/${path}?sb-hc-action=connect&${pairs}`);
    const { address } = await listener.nextAccept();
    equal(address.includes('sas-key'), false);
    client.socket.destroy();
    const half = await askRaw(`/$hc/${path}?sb-hc-action=connect&sb-hc-sas-key=${key}`);
    const { status, reason } = await half.answer();
    equal(status, 401);
    match(reason, /Malformed Token/);
  });
});

describe("a relay, read by Microsoft's manager", () => {
  const relay = useRelay();
  closeClientsAfterEach();

  const read = (path: string, sas: string | undefined) =>
    new Promise<{ status: number; type: string; body: string; reason: string }>((resolve, reject) => {
      const { host, port, ca } = relay();
      const headers = { 'X-PROCESS-AT': 'ServiceBus', ...(sas === undefined ? {} : { Authorization: sas }) };
      const options = {
        host,
        port,
        path: `/${path}?api-version=2016-07`,
        headers,
        agent: false,
        ...(ca && { ca }),
      };
      request(options, (response) => {
        let body = '';
        const { statusCode: status = 0, statusMessage: reason = '' } = response;
        const type = response.headers['content-type'] ?? '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.once('end', () => resolve({ status, type, body, reason }));
      })
        .once('error', reject)
        .end();
    });

  it('describes the entity to a Listen key, and counts its listeners', async () => {
    await TestListener.open(relay());
    await TestListener.open(relay());
    const { status, type, body } = await read(relay().path, goodToken(relay(), 'listen'));
    equal(status, 200);
    match(type, /^application\/atom\+xml/);
    match(
      body,
      /<HybridConnectionDescription xmlns="http:\/\/schemas\.microsoft\.com\/netservices\/2010\/10\//,
    );
    match(
      body,
      /<CreatedAt>.*<UpdatedAt>.*<RequiresClientAuthorization>true<\/.*<ListenerCount>2<\/ListenerCount>/,
    );
  });

  it('refuses those who may not listen', async () => {
    equal((await read(relay().path, undefined)).status, 401);
    equal((await read(relay().path, goodToken(relay(), 'connect'))).status, 403);
    const { body } = await read(relay().path, undefined);
    match(body, /<Error><Code>401<\/Code><Detail>MissingToken/);
  });

  it('shows an empty feed for an entity that is not there', async () => {
    const { status, type } = await read('nothing', token(`http://${relay().host}/`, relay().rootKey));
    equal(status, 200);
    match(type, /type=feed/);
  });
});
