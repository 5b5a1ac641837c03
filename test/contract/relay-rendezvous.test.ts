/** A relay, to a listener that comes to a rendezvous: accepting, rejecting, and coming too late. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { until } from '../helpers/until.ts';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay } from './relay-under-test.ts';
import {
  closeClientsAfterEach,
  dial,
  goodToken,
  open,
  refusal,
  start,
  TestListener,
  type OpenOptions,
} from './ws-clients.ts';

describe('a relay, at a rendezvous', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const held = async (options: OpenOptions = {}) => {
    const listener = await TestListener.open(relay());
    const sender = start(relay(), 'connect', options);
    return { listener, sender, message: await listener.nextAccept() };
  };
  const isClientError = (status: number) => ok(status >= 400 && status <= 499, `status ${status}`);

  it('echoes the subprotocol that the listener picked to both', async () => {
    const { listener, sender, message } = await held({ protocols: ['one', 'two'] });
    const isOpen = open(sender);
    const rendezvous = await listener.accept(message, { protocols: ['two'] });
    await isOpen;
    deepEqual([rendezvous.protocol, sender.protocol], ['two', 'two']);
  });

  it('names no subprotocol when the listener picks none', async () => {
    const listener = await TestListener.open(relay());
    const client = await RawClient.connect(relay());
    client.ask(`/$hc/${relay().path}?sb-hc-action=connect`, [
      `ServiceBusAuthorization: ${goodToken(relay(), 'connect')}`,
      'Sec-WebSocket-Protocol: one, two',
    ]);
    await listener.accept(await listener.nextAccept());
    const { status, headers } = await client.answer();
    equal(status, 101);
    equal(headers.has('sec-websocket-protocol'), false);
  });

  it('answers the listener before the sender', async () => {
    const { listener, sender, message } = await held();
    const order: string[] = [];
    sender.on('open', () => order.push('sender'));
    const rendezvous = dial(relay(), message.address);
    rendezvous.on('open', () => order.push('listener'));
    await Promise.all([open(sender), open(rendezvous)]);
    deepEqual(order, ['listener', 'sender']);
    await listener.close();
  });

  it('keeps what the listener sends at once for the sender', async () => {
    const { sender, message } = await held();
    const url = new URL(message.address);
    const client = await RawClient.connect(relay());
    client.ask(`${url.pathname}${url.search}`);
    client.send({ opcode: 1, payload: 'early' });
    const [data] = (await once(sender, 'message')) as [Buffer];
    equal(data.toString(), 'early');
  });

  it('keeps what a hasty sender sends before its answer for the listener', async () => {
    const listener = await TestListener.open(relay());
    const client = await RawClient.connect(relay());
    client.ask(`/$hc/${relay().path}`, [`ServiceBusAuthorization: ${goodToken(relay(), 'connect')}`]);
    client.send({ opcode: 1, payload: 'at once' });
    const message = await listener.nextAccept();
    client.send({ opcode: 1, payload: 'while it waits' });
    const rendezvous = dial(relay(), message.address);
    const texts: string[] = [];
    rendezvous.on('message', (data: Buffer) => void texts.push(data.toString()));
    await until(() => texts.length === 2, 'both messages');
    deepEqual(texts, ['at once', 'while it waits']);
    equal((await client.answer()).status, 101);
  });

  it('accepts an address once', async () => {
    const { listener, sender, message } = await held();
    const isOpen = open(sender);
    await listener.accept(message);
    await isOpen;
    isClientError((await refusal(dial(relay(), message.address))).status);
  });

  it('refuses an address that it never gave', async () => {
    const url = `wss://${relay().host}:${relay().port}/$hc/${relay().path}?sb-hc-action=accept&sb-hc-id=made-up_G0_00`;
    isClientError((await refusal(dial(relay(), url))).status);
  });

  it('refuses the address of a sender that has gone', async () => {
    const { sender, message } = await held();
    sender.terminate();
    // The loss travels on a connection of its own: asked until it has arrived, with a status that changes nothing.
    let status = 400;
    while (status === 400) {
      const bad = `${message.address}&sb-hc-statusCode=7`;
      status = (await refusal(dial(relay(), bad))).status;
    }
    isClientError(status);
    const late = await refusal(dial(relay(), message.address));
    isClientError(late.status);
  });

  describe('rejecting', () => {
    const reject = async (parameters: string) => {
      const { sender, message } = await held();
      const told = refusal(sender);
      const answer = await refusal(dial(relay(), `${message.address}&${parameters}`));
      return { answer, told, message };
    };

    it('says 410 to the listener, and its status and words to the sender', async () => {
      const { answer, told } = await reject(
        'sb-hc-statusCode=502&sb-hc-statusDescription=Target%20refused%3A%20db%3A5432',
      );
      equal(answer.status, 410);
      const { status, reason } = await told;
      equal(status, 502);
      equal(reason, 'Target refused: db:5432');
    });

    it('takes the names without prefix, as hyco-websocket sends them', async () => {
      const { answer, told } = await reject('statusCode=418&statusDescription=short+and+stout');
      equal(answer.status, 410);
      const { status, reason } = await told;
      deepEqual([status, reason], [418, 'short and stout']);
    });

    it('lets nobody write on the status line what is no text', async () => {
      const { told } = await reject('sb-hc-statusCode=400&sb-hc-statusDescription=a%0D%0ASet-Cookie:%20b');
      const { status, reason, headers } = await told;
      deepEqual([status, reason], [400, 'a Set-Cookie: b']);
      equal(headers['set-cookie'], undefined);
    });

    for (const bad of ['99', '1000', 'no', '-1', '']) {
      it(`says 400 to the status ${JSON.stringify(bad)}, and leaves the sender waiting`, async () => {
        const { sender, message, listener } = await held();
        const answer = await refusal(dial(relay(), `${message.address}&sb-hc-statusCode=${bad}`));
        equal(answer.status, 400);
        const isOpen = open(sender);
        await listener.accept(message);
        await isOpen;
      });
    }

    it('uses up the address', async () => {
      const { told, message } = await reject('sb-hc-statusCode=400&sb-hc-statusDescription=no');
      await told;
      isClientError((await refusal(dial(relay(), message.address))).status);
    });
  });

  it('refuses a rendezvous request that is no WebSocket handshake', async () => {
    const { message } = await held();
    const url = new URL(message.address);
    const client = await RawClient.connect(relay());
    client.socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    );
    const { status, reason } = await client.answer();
    equal(status, 400);
    match(reason, /Sec-WebSocket-Key/);
    await until(() => client.ended, 'the end');
  });
});
