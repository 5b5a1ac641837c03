/** Relayed HTTP and what is special to the emulator: anonymous senders, lost listeners, deletion, faults, events. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import {
  openListener,
  openRendezvous,
  pattern,
  readAnswer,
  sendRequest,
  writeRequest,
} from '../../contract/http-clients.ts';
import { closeRawClientsAfterEach, RawClient } from '../../contract/raw-client.ts';
import { token } from '../../contract/tokens.ts';
import { closeClientsAfterEach, goodToken } from '../../contract/ws-clients.ts';
import { turns, until } from '../../helpers/until.ts';
import { useEmulators } from './emulator-under-test.ts';

const CHUNKED = { method: 'POST', headers: ['Transfer-Encoding: chunked'] };

describe('the emulator, relaying HTTP', () => {
  const startEmulator = useEmulators();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const listening = async (options: Parameters<typeof startEmulator>[0] = {}) => {
    const under = await startEmulator(options);
    return { ...under, listener: await openListener(under.relay) };
  };

  describe('for a connection that is open to anonymous senders', () => {
    const open = async () => {
      const connections = [{ name: 'one', requiresClientAuthorization: false }];
      return await listening({ connections });
    };

    it('asks for no token', async () => {
      const { relay, listener } = await open();
      const client = await sendRequest(relay, { token: null });
      listener.respond({ requestId: (await listener.request()).id });
      equal((await readAnswer(client)).status, 200);
    });

    it('judges no token, and strips those that are for the relay alone', async () => {
      const { relay, listener } = await open();
      await sendRequest(relay, {
        token: 'nonsense',
        target: '?sb-hc-token=nonsense&a=1&sb-hc-sas-key=x',
        headers: ['Authorization: SharedAccessSignature nonsense'],
      });
      const { requestTarget, requestHeaders } = await listener.request();
      equal(requestTarget, '/one?a=1');
      deepEqual(requestHeaders, {
        ...{ Host: 'localhost', Authorization: 'SharedAccessSignature nonsense', Via: '1.1 localhost' },
      });
    });
  });

  it('names itself in Via as it was asked for', async () => {
    const { relay, listener } = await listening();
    const host = `local-relay.servicebus.localhost:${relay.port}`;
    await sendRequest(relay, { host });
    const { requestHeaders } = await listener.request();
    deepEqual(requestHeaders, { Host: host, Via: '1.1 local-relay.servicebus.localhost' });
  });

  it('hands out addresses without TLS where it has none', async () => {
    const { relay } = await startEmulator({ insecure: true, behaviour: { addressScheme: 'ws' } });
    const listener = await RawClient.connect(relay);
    listener.ask(
      `/$hc/one?sb-hc-action=listen&sb-hc-token=${encodeURIComponent(goodToken(relay, 'listen'))}`,
    );
    equal((await listener.answer()).status, 101);
    await sendRequest(relay);
    const { request } = JSON.parse((await listener.message()).payload.toString()) as {
      request: { address: string };
    };
    match(request.address, new RegExp(`^ws://localhost:${relay.port}/\\$hc/one\\?`));
  });

  it('has other statuses on request', async () => {
    const { relay } = await startEmulator({ behaviour: { statuses: { 'no-listener': 502 } } });
    const { status, reason } = await readAnswer(await sendRequest(relay));
    equal(status, 502);
    match(reason, /^There are no listeners/);
  });

  describe('when a listener leaves', () => {
    it('answers 502 for what it had read, at once', async () => {
      const { relay, listener } = await listening();
      await openListener(relay, { id: 'other' });
      const client = await sendRequest(relay, { headers: ['Microsoft-Relay-DisallowedListeners: other'] });
      const { address } = await listener.request();
      listener.webSocket.terminate();
      const { status, reason, headers } = await readAnswer(client);
      deepEqual([status, headers.has('via')], [502, false]);
      match(reason, /^The listener went away before it responded\./);
      await rejects(openRendezvous(relay, address), /refused: 403/);
    });

    it('asks another one for what it had not', async () => {
      const { relay, listener } = await listening();
      const client = await sendRequest(relay, CHUNKED);
      const first = await listener.request();
      const second = await openListener(relay);
      listener.webSocket.close();
      const { address } = await second.request();
      equal(address, first.address);
      const rendezvous = await openRendezvous(relay, address);
      client.socket.write('0\r\n\r\n');
      rendezvous.respond({ requestId: (await rendezvous.request()).id }, 'second');
      equal((await readAnswer(client)).body.toString(), 'second');
    });

    it('answers 404 when there is no other', async () => {
      const { relay, listener } = await listening();
      const client = await sendRequest(relay, CHUNKED);
      await listener.request();
      listener.webSocket.close();
      equal((await readAnswer(client)).status, 404);
    });

    it('lets it answer what it has come for', async () => {
      const { relay, listener } = await listening();
      const client = await sendRequest(relay);
      const { address, id } = await listener.request();
      const rendezvous = await openRendezvous(relay, address);
      listener.webSocket.close();
      await once(listener.webSocket, 'close');
      rendezvous.respond({ requestId: id }, 'still here');
      equal((await readAnswer(client)).body.toString(), 'still here');
    });

    it('may wait for it instead', async () => {
      const { relay, listener, emulator } = await listening({ behaviour: { requestOfLostListener: 'wait' } });
      const client = await sendRequest(relay);
      const { id } = await listener.request();
      listener.webSocket.terminate();
      await until(() => emulator.listenerCount('one') === 0, 'the loss of the listener');
      const back = await openListener(relay);
      back.respond({ requestId: id }, 'back again');
      equal((await readAnswer(client)).body.toString(), 'back again');
    });
  });

  it('takes answers only from listeners of the same connection', async () => {
    const { relay, listener } = await listening({ connections: [{ name: 'one' }, { name: 'two' }] });
    const client = await sendRequest(relay);
    const { id } = await listener.request();
    const { rootKey } = relay;
    const stranger = await openListener(relay, { path: 'two', token: token('http://localhost/', rootKey) });
    stranger.respond({ requestId: id, statusCode: 418 });
    stranger.webSocket.ping();
    await once(stranger.webSocket, 'pong');
    listener.respond({ requestId: id });
    equal((await readAnswer(client)).status, 200);
  });

  it('ends requests to a connection that is deleted: with 404, or, where an answer has begun, cut off', async () => {
    const { relay, listener, emulator } = await listening();
    const waiting = await sendRequest(relay);
    await listener.request();
    const begun = await sendRequest(relay);
    const { address, id } = await listener.request();
    const rendezvous = await openRendezvous(relay, address);
    rendezvous.respond({ requestId: id, body: true });
    await until(() => begun.received.includes('\r\n\r\n'), 'the head');
    emulator.removeConnection('one');
    match((await readAnswer(waiting)).reason, /^Endpoint does not exist\./);
    await rejects(readAnswer(begun), /the connection ended/);
    equal((await rendezvous.closed()).code, 1001);
    equal((await listener.closed()).code, 1001);
  });

  it('tells of requests and answers in events, without queries and tokens', async () => {
    const { relay, listener, events } = await listening();
    const client = await sendRequest(relay, { target: '/path?secret=1&sb-hc-id=abc' });
    const remote = `127.0.0.1:${client.socket.localPort}`;
    const { id } = await listener.request();
    listener.respond({ requestId: id, statusCode: 202 }, 'x');
    await readAnswer(client);
    writeRequest(client, relay, { ...CHUNKED, target: '?sb-hc-id=def' });
    const { address } = await listener.request();
    const rendezvous = await openRendezvous(relay, address);
    rendezvous.respond({ requestId: 'x', body: true });
    await until(() => client.received.includes('\r\n\r\n'), 'the head');
    client.socket.destroy();
    await rendezvous.closed();
    writeRequest(await RawClient.connect(relay), relay, { token: null });
    await until(() => events.some(({ event }) => event === 'refused'), 'the refusal');
    const own = events
      .filter(({ event }) => /^(?:request|response|refused)/.test(event))
      .map(({ time, ...event }) => (ok(time), event));
    const ids = [
      { connection: 'one', id: 'abc_G0' },
      { connection: 'one', id: 'def_G0' },
    ];
    deepEqual(own.slice(0, 5), [
      {
        event: 'request',
        method: 'GET',
        path: '/one/path',
        remote,
        inline: true,
        ...ids[0],
      },
      { event: 'response', status: 202, inline: true, ...ids[0] },
      {
        event: 'request',
        method: 'POST',
        path: '/one',
        remote,
        inline: false,
        ...ids[1],
      },
      { event: 'response', status: 200, inline: false, ...ids[1] },
      { event: 'request-lost', reason: 'the sender closed its connection', ...ids[1] },
    ]);
    deepEqual([own[5]?.event, own[5] && 'action' in own[5] && own[5].action], ['refused', 'http']);
    equal(/SharedAccessSignature|secret|sb-hc-/.test(JSON.stringify(events)), false);
    equal(JSON.stringify(events).includes(id), false, 'the secret of the address');
  });

  describe('with a fault', () => {
    it('refuses requests', async () => {
      const { relay, listener, emulator } = await listening();
      emulator.faults.refuse({ action: 'http', status: 503, reason: 'Busy', times: 1 });
      const client = await sendRequest(relay);
      const { status, reason } = await readAnswer(client);
      deepEqual([status, reason], [503, 'Busy']);
      writeRequest(client, relay);
      await listener.request();
    });

    it('holds requests back', async () => {
      const { relay, listener, emulator, clock } = await listening();
      emulator.faults.stallMs = { http: 2_000 };
      await sendRequest(relay);
      const timers = clock.timers;
      await until(() => clock.timers > timers, 'the stall');
      equal(listener.messages.length, 0);
      clock.advance(2_000);
      await listener.request();
    });

    it('refuses and delays the rendezvous', async () => {
      const { relay, listener, emulator, clock } = await listening();
      const client = await sendRequest(relay);
      const { address, id } = await listener.request();
      emulator.faults.refuse({ action: 'request', status: 500, times: 1 });
      await rejects(openRendezvous(relay, address), /refused: 500/);
      emulator.faults.rendezvousDelayMs = 300;
      const timers = clock.timers;
      const opening = openRendezvous(relay, address);
      await until(() => clock.timers > timers, 'the delay');
      clock.advance(300);
      (await opening).respond({ requestId: id }, 'x');
      equal((await readAnswer(client)).status, 200);
    });

    it('cuts the rendezvous after so many bytes, and the sender with it', async () => {
      const { relay, listener, emulator } = await listening();
      emulator.faults.cutStreamAfterBytes = 100_000;
      const client = await sendRequest(relay);
      const { address, id } = await listener.request();
      const rendezvous = await openRendezvous(relay, address);
      rendezvous.respond({ requestId: id }, pattern(200_000));
      await rejects(readAnswer(client), /the connection ended/);
      equal((await rendezvous.closed()).code, 1006);
    });

    it('says nothing more in a black hole', async () => {
      const { relay, listener, emulator, clock } = await listening();
      const waiting = await sendRequest(relay);
      await listener.request();
      const begun = await sendRequest(relay);
      const { address, id } = await listener.request();
      const rendezvous = await openRendezvous(relay, address);
      rendezvous.respond({ requestId: id, body: true });
      await until(() => begun.received.includes('\r\n\r\n'), 'the head');
      const received = begun.received.length;
      emulator.faults.blackHole();
      await rendezvous.fragment('lost', true);
      writeRequest(waiting, relay);
      clock.advance(3_600_000);
      await turns(20);
      deepEqual([waiting.received.length, begun.received.length], [0, received]);
      deepEqual(
        [waiting.ended, begun.ended, rendezvous.close, listener.close],
        [false, false, undefined, undefined],
      );
    });
  });

  it('cuts off a sender without TLS by a reset, never by an end', async () => {
    const { relay } = await startEmulator({
      insecure: true,
      connections: [{ name: 'one', requiresClientAuthorization: false }],
    });
    const listener = await RawClient.connect(relay);
    listener.ask(
      `/$hc/one?sb-hc-action=listen&sb-hc-token=${encodeURIComponent(goodToken(relay, 'listen'))}`,
    );
    equal((await listener.answer()).status, 101);
    const client = await RawClient.connect(relay);
    // HTTP/1.0: the end of the connection would be the end of the answer.
    client.socket.write('GET /one HTTP/1.0\r\n\r\n');
    const message = JSON.parse((await listener.message()).payload.toString()) as {
      request: { address: string; id: string };
    };
    const { pathname, search } = new URL(message.request.address);
    const rendezvous = await RawClient.connect(relay);
    rendezvous.ask(pathname + search);
    equal((await rendezvous.answer()).status, 101);
    const response = { requestId: message.request.id, statusCode: 200, body: true };
    rendezvous.send({ opcode: 1, payload: JSON.stringify({ response }) });
    rendezvous.send({ opcode: 2, fin: false, payload: 'begun' });
    await until(() => client.received.includes('begun'), 'the beginning');
    const failed = once(client.socket, 'error') as Promise<[NodeJS.ErrnoException]>;
    rendezvous.socket.destroy();
    equal((await failed)[0].code, 'ECONNRESET');
  });
});
