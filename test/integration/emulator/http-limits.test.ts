/** Relayed HTTP over time: every limit, who is to blame for it, and what memory a slow end costs. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import {
  openListener,
  openRendezvous,
  pattern,
  readAnswer,
  sendRequest,
  writeRequest,
  type ListenerSocket,
} from '../../contract/http-clients.ts';
import { closeRawClientsAfterEach, type RawClient } from '../../contract/raw-client.ts';
import { closeClientsAfterEach } from '../../contract/ws-clients.ts';
import { turns, until } from '../../helpers/until.ts';
import { useEmulators, type EmulatorUnderTest } from './emulator-under-test.ts';

const MINUTE_MS = 60_000;
const TOO_LATE =
  /^The request was routed to the listener but the listener did not respond in the required time\. TrackingId:/;
const LARGE = { method: 'POST', headers: ['Content-Length: 1000000'] };
const CHUNKED = { method: 'POST', headers: ['Transfer-Encoding: chunked'] };
/** What the buffers of the kernel and of four sockets hold is far less. */
const HELD_MAX_BYTES = 48 * 1024 * 1024;

describe('relayed HTTP and time', () => {
  const startEmulator = useEmulators();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  /** What the relay has been told to be in events since the start. */
  const seen = (under: EmulatorUnderTest, event: string) =>
    until(() => under.events.some((one) => one.event === event), event);
  const listening = async (behaviour = {}) => {
    const under = await startEmulator({ behaviour });
    return { ...under, listener: await openListener(under.relay) };
  };
  const fetched = async (under: Awaited<ReturnType<typeof listening>>, options = LARGE) => {
    const client = await sendRequest(under.relay, options);
    const { address } = await under.listener.request();
    const rendezvous = await openRendezvous(under.relay, address);
    const request = await rendezvous.request();
    return { ...under, client, rendezvous, request };
  };
  const answering = async () => {
    const under = await listening();
    const client = await sendRequest(under.relay);
    const { address, id } = await under.listener.request();
    const rendezvous = await openRendezvous(under.relay, address);
    rendezvous.respond({ requestId: id, body: true });
    await until(() => client.received.includes('\r\n\r\n'), 'the head');
    return { ...under, client, rendezvous };
  };
  const cutOff = async (client: RawClient, rendezvous: ListenerSocket) => {
    await rejects(readAnswer(client), /the connection ended/);
    equal((await rendezvous.closed()).code, 1001);
  };

  it('answers 504 after 60 s for a listener that says nothing, which is none the worse for it', async () => {
    const { relay, listener, clock, events } = await listening();
    const client = await sendRequest(relay, { method: 'POST', body: 'x' });
    const { id, address } = await listener.request();
    await listener.binary();
    clock.advance(MINUTE_MS - 1);
    await turns(5);
    equal(client.received.length, 0);
    clock.advance(1);
    const answer = await readAnswer(client);
    deepEqual([answer.status, answer.headers.has('via')], [504, false]);
    match(answer.reason, TOO_LATE);
    deepEqual(JSON.parse(answer.body.toString()), {
      error: { code: 'GatewayTimeout', message: answer.reason },
    });
    await rejects(openRendezvous(relay, address), /refused: 403/);
    listener.respond({ requestId: id }, 'late');
    writeRequest(client, relay);
    listener.respond({ requestId: (await listener.request()).id }, 'next');
    equal((await readAnswer(client)).body.toString(), 'next');
    ok(events.some(({ event }) => event === 'message-ignored'));
  });

  it('has both limits as options', async () => {
    const { relay, listener, clock } = await listening({ responseTimeoutMs: 500, bodyIdleMs: 300 });
    const late = await sendRequest(relay);
    await listener.request();
    clock.advance(500);
    equal((await readAnswer(late)).status, 504);
    const stalled = await sendRequest(relay, { method: 'POST', headers: ['Content-Length: 5'] });
    await turns(20);
    clock.advance(300);
    equal((await readAnswer(stalled)).status, 408);
  });

  it('answers 504 when nobody comes to the address', async () => {
    const { relay, listener, clock } = await listening();
    const client = await sendRequest(relay, CHUNKED);
    await listener.request();
    clock.advance(MINUTE_MS);
    equal((await readAnswer(client)).status, 504);
  });

  it('answers 504 when somebody comes and says nothing', async () => {
    const { client, rendezvous, clock } = await fetched(await listening());
    client.socket.write(pattern(1_000_000));
    await rendezvous.binary();
    clock.advance(MINUTE_MS - 1);
    await turns(5);
    equal(client.received.length, 0);
    clock.advance(1);
    equal((await readAnswer(client)).status, 504);
    equal((await rendezvous.closed()).code, 1001);
  });

  it('counts from the last piece of the request, however long that takes', async () => {
    const { client, rendezvous, clock, request } = await fetched(await listening());
    for (let piece = 0; piece < 10; piece += 1) {
      clock.advance(MINUTE_MS - 1);
      client.socket.write(pattern(100_000));
      await until(() => client.socket.writableLength === 0, 'the sending');
      await turns(20);
    }
    equal((await rendezvous.binary()).length, 1_000_000);
    clock.advance(MINUTE_MS - 1);
    rendezvous.respond({ requestId: request.id }, 'in time');
    equal((await readAnswer(client)).body.toString(), 'in time');
  });

  it('answers 408 when a sender stops within a small body, and tells no listener', async () => {
    const { relay, listener, clock } = await listening();
    const client = await sendRequest(relay, { method: 'POST', headers: ['Content-Length: 5'] });
    client.socket.write('abc');
    await turns(20);
    clock.advance(MINUTE_MS);
    const { status, reason } = await readAnswer(client);
    equal(status, 408);
    match(reason, /^The body of the request did not arrive in the required time\./);
    equal(listener.messages.length, 0);
  });

  it('answers 408 when a sender stops within a large body, and closes the rendezvous with 1001', async () => {
    const { client, rendezvous, clock } = await fetched(await listening());
    client.socket.write(pattern(500));
    await turns(20);
    clock.advance(MINUTE_MS);
    equal((await readAnswer(client)).status, 408);
    equal((await rendezvous.closed()).code, 1001);
  });

  it('cuts the sender off when an answer stops for 60 s', async () => {
    const { client, rendezvous, clock, events } = await answering();
    for (const part of ['one', 'two', 'three']) {
      clock.advance(MINUTE_MS - 1);
      await rendezvous.fragment(part);
      await until(() => client.received.includes(part), part);
    }
    clock.advance(MINUTE_MS);
    await cutOff(client, rendezvous);
    ok(events.some(({ event }) => event === 'request-lost'));
  });

  it('holds a listener back that is faster than its sender, and cuts a sender off that stops', async () => {
    const { client, rendezvous, clock } = await answering();
    client.socket.pause();
    let sent = 0;
    const { webSocket } = rendezvous;
    const part = pattern(256 * 1024);
    while (webSocket.bufferedAmount < 4 * part.length) {
      webSocket.send(part, { fin: false, binary: true });
      sent += part.length;
      await turns(5);
      ok(sent < HELD_MAX_BYTES, 'nobody holds the listener back');
    }
    clock.advance(MINUTE_MS);
    client.socket.resume();
    await client.end();
    equal(client.received.includes('\r\n0\r\n\r\n'), false);
    equal((await rendezvous.closed()).code, 1001);
  });

  it('goes on with an answer whose sender reads again', async () => {
    const { client, rendezvous } = await answering();
    client.socket.pause();
    const bytes = 20_000_000;
    rendezvous.webSocket.send(pattern(bytes), { fin: true, binary: true });
    await turns(50);
    client.socket.resume();
    equal((await readAnswer(client)).body.length, bytes);
    equal((await rendezvous.closed()).code, 1000);
  });

  it('holds a sender back that is faster than its listener', async () => {
    const under = await listening();
    const { client, rendezvous, request } = await fetched(under, CHUNKED);
    rendezvous.webSocket.pause();
    const chunk = Buffer.concat([Buffer.from('40000\r\n'), pattern(256 * 1024), Buffer.from('\r\n')]);
    let sent = 0;
    while (client.socket.writableLength < 4 * chunk.length) {
      client.socket.write(chunk);
      sent += 256 * 1024;
      await turns(5);
      ok(sent < HELD_MAX_BYTES, 'nobody holds the sender back');
    }
    rendezvous.webSocket.resume();
    client.socket.write('0\r\n\r\n');
    equal((await rendezvous.binary()).length, sent);
    rendezvous.respond({ requestId: request.id });
    equal((await readAnswer(client)).status, 200);
  });

  it('gives no more requests to a listener that does not read', async () => {
    const { relay, listener } = await listening();
    listener.webSocket.pause();
    const clients: RawClient[] = [];
    while (!clients.some(({ received }) => received.length > 0)) {
      clients.push(await sendRequest(relay, { method: 'POST', body: pattern(65_536) }));
      await turns(5);
      ok(clients.length < 500, 'nothing was refused');
    }
    const refused = clients.find(({ received }) => received.length > 0);
    equal((await readAnswer(refused as RawClient)).status, 503);
  });

  it('leaves no timer behind an answer', async () => {
    const { relay, listener, clock, emulator } = await listening();
    const before = clock.timers;
    const client = await sendRequest(relay);
    listener.respond({ requestId: (await listener.request()).id }, 'x');
    await readAnswer(client);
    await until(() => clock.timers === before, 'the end of the timers');
    writeRequest(client, relay);
    const { address, id } = await listener.request();
    const rendezvous = await openRendezvous(relay, address);
    rendezvous.respond({ requestId: id }, 'x');
    await readAnswer(client);
    await rendezvous.closed();
    await until(() => clock.timers === before, 'the end of the timers');
    equal(emulator.streamCount, 0);
  });

  it('is stopped with requests in every state', async () => {
    const { emulator, relay, listener, clock } = await listening();
    const inline = await sendRequest(relay);
    await listener.request();
    await sendRequest(relay, { method: 'POST', headers: ['Content-Length: 5'] });
    await sendRequest(relay, CHUNKED);
    await openRendezvous(relay, (await listener.request()).address);
    await sendRequest(relay, CHUNKED);
    await listener.request();
    await emulator.stop();
    match((await readAnswer(inline)).reason, /^The listener went away before it responded\./);
    equal(clock.timers, 0);
  });

  it('is over for both ends when the emulator aborts', async () => {
    const under = await answering();
    await under.emulator.abort();
    await rejects(readAnswer(under.client), /the connection ended/);
    equal((await under.rendezvous.closed()).code, 1006);
    equal(under.clock.timers, 0);
    await seen(under, 'request-lost');
  });
});
