/** Each fault does what it says, and stops when it is cleared. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { turns, until } from '../../helpers/until.ts';
import { closeRawClientsAfterEach, RawClient } from '../../contract/raw-client.ts';
import {
  closeClientsAfterEach,
  closeOf,
  open,
  openStream,
  refusal,
  start,
  TestListener,
} from '../../contract/ws-clients.ts';
import { useEmulators } from './emulator-under-test.ts';

const ABNORMAL = 1006;

describe('faults of the emulator', () => {
  const startEmulator = useEmulators();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  const listening = async () => {
    const under = await startEmulator();
    const listener = await TestListener.open(under.relay, { token: under.tokenFor('listen') });
    return { ...under, listener, faults: under.emulator.faults };
  };
  const streaming = async (
    prepare: (faults: Awaited<ReturnType<typeof listening>>['faults']) => void = () => undefined,
  ) => {
    const under = await listening();
    prepare(under.faults);
    const stream = await openStream(under.relay, under.listener, { token: under.tokenFor('connect') });
    return { ...under, ...stream };
  };

  it('drop control channels with a Close of any code', async () => {
    const { faults, listener, emulator } = await listening();
    const closed = closeOf(listener.webSocket);
    equal(faults.dropControlChannels({ code: 1011, reason: 'InternalServerError: NameRenewalFailed' }), 1);
    deepEqual(await closed, { code: 1011, reason: 'InternalServerError: NameRenewalFailed' });
    equal(emulator.listenerCount('one'), 0);
  });

  it('drop control channels without a Close', async () => {
    const { faults, listener, emulator } = await listening();
    const closed = closeOf(listener.webSocket);
    faults.dropControlChannels();
    equal((await closed).code, ABNORMAL);
    equal(emulator.listenerCount('one'), 0);
  });

  it('refuse an action so many times, before any check', async () => {
    const { faults, relay, tokenFor } = await listening();
    faults.refuse({ action: 'connect', status: 503, reason: 'The server is busy', times: 2 });
    const answer = () => refusal(start(relay, 'connect', { token: 'rubbish' }));
    deepEqual([(await answer()).status, (await answer()).reason], [503, 'The server is busy']);
    equal((await answer()).status, 401);
    const takeBack = faults.refuse({ action: 'listen', status: 404 });
    equal((await refusal(start(relay, 'listen', { token: tokenFor('listen') }))).status, 404);
    takeBack();
    await open(start(relay, 'listen', { token: tokenFor('listen') }));
  });

  it('hold handshakes back, for a time or for ever', async () => {
    const { faults, relay, tokenFor, clock } = await listening();
    faults.stallMs = { listen: 5_000, connect: Infinity };
    const timers = clock.timers;
    const late = open(start(relay, 'listen', { token: tokenFor('listen') }));
    const client = await RawClient.connect(relay);
    client.ask('/$hc/one');
    await until(() => clock.timers === timers + 1, 'the stalled handshake');
    clock.advance(4_999);
    await turns(20);
    equal(client.received.length, 0);
    clock.advance(1);
    await late;
    equal(client.received.length, 0);
    equal(client.ended, false);
  });

  it('delay the rendezvous', async () => {
    const { faults, relay, tokenFor, clock, listener } = await listening();
    faults.rendezvousDelayMs = 700;
    const sender = open(start(relay, 'connect', { token: tokenFor('connect') }));
    const message = await listener.nextAccept();
    const timers = clock.timers;
    const rendezvous = listener.accept(message);
    await until(() => clock.timers === timers + 1, 'the delayed rendezvous');
    clock.advance(700);
    await Promise.all([sender, rendezvous]);
  });

  it('refuse renewals', async () => {
    const { faults, listener, tokenFor } = await listening();
    faults.refuseRenewals = true;
    const closed = closeOf(listener.webSocket);
    listener.webSocket.send(JSON.stringify({ renewToken: { token: tokenFor('listen') } }));
    equal((await closed).code, 1008);
  });

  it('cut a stream, without a Close, after so many bytes', async () => {
    const { sender, rendezvous } = await streaming((faults) => (faults.cutStreamAfterBytes = 1_000));
    const closes = Promise.all([closeOf(sender), closeOf(rendezvous)]);
    sender.send(Buffer.alloc(999));
    const [data] = (await once(rendezvous, 'message')) as [Buffer];
    equal(data.length, 999);
    rendezvous.send(Buffer.alloc(1));
    deepEqual(
      (await closes).map(({ code }) => code),
      [ABNORMAL, ABNORMAL],
    );
  });

  it('close a stream with a code in its middle', async () => {
    const { sender, rendezvous, faults, emulator } = await streaming();
    const closes = Promise.all([closeOf(sender), closeOf(rendezvous)]);
    equal(faults.closeStreams(1011, 'fault'), 1);
    deepEqual(await closes, [
      { code: 1011, reason: 'fault' },
      { code: 1011, reason: 'fault' },
    ]);
    await until(() => emulator.streamCount === 0, 'the end of the stream');
  });

  it('abort streams', async () => {
    const { sender, rendezvous, faults } = await streaming();
    const closes = Promise.all([closeOf(sender), closeOf(rendezvous)]);
    equal(faults.abortStreams(), 1);
    for (const { code } of await closes) equal(code, ABNORMAL);
  });

  it('are a black hole: nothing is answered, and nothing is closed', async () => {
    const { sender, rendezvous, listener, faults, relay, clock, tokenFor } = await streaming();
    const heard: string[] = [];
    const all = { sender, rendezvous, control: listener.webSocket };
    const held = await RawClient.connect(relay);
    held.ask(`/$hc/one?sb-hc-token=${encodeURIComponent(tokenFor('connect'))}`);
    await listener.nextAccept();
    for (const [name, webSocket] of Object.entries(all)) {
      for (const event of ['pong', 'message', 'close'])
        webSocket.on(event, () => heard.push(`${name} ${event}`));
    }
    faults.blackHole();
    sender.ping();
    sender.send('x'.repeat(100_000));
    rendezvous.ping();
    listener.webSocket.ping();
    const late = RawClient.connect(relay).then(() => heard.push('TLS'));
    late.catch(() => undefined);
    clock.advance(60_000);
    await turns(200);
    deepEqual([heard, held.received.length, held.ended], [[], 0, false]);
    faults.clear();
    await open(start(relay, 'listen', { token: tokenFor('listen') }));
  });

  it('reset every connection, and take new ones', async () => {
    const { sender, rendezvous, listener, faults, relay, tokenFor, emulator } = await streaming();
    const closes = Promise.all([sender, rendezvous, listener.webSocket].map(closeOf));
    equal(faults.resetConnections(), 3);
    for (const { code } of await closes) equal(code, ABNORMAL);
    await until(() => emulator.listenerCount('one') === 0, 'the listener to be gone');
    await open(start(relay, 'listen', { token: tokenFor('listen') }));
  });

  it('put the clock wrong: Date, timestamps, and the expiry of tokens', async () => {
    const { faults, relay, tokenFor, clock } = await listening();
    faults.clockOffsetMs = 2 * 3_600_000;
    const { status, reason, headers } = await refusal(start(relay, 'listen', { token: tokenFor('listen') }));
    equal(status, 401);
    match(reason, /^ExpiredToken/);
    const offMs = Date.parse(headers.date as string) - clock.nowMs();
    ok(Math.abs(offMs - 2 * 3_600_000) < 2_000, `Date is off by ${offMs} ms`);
  });

  it('end when they are cleared', async () => {
    const { faults, relay, tokenFor } = await listening();
    Object.assign(faults, { stallMs: { listen: Infinity }, clockOffsetMs: 9e9, refuseRenewals: true });
    faults.refuse({ action: 'listen', status: 500 });
    faults.clear();
    await open(start(relay, 'listen', { token: tokenFor('listen') }));
  });

  it('can be there from the start', async () => {
    const { relay, tokenFor } = await startEmulator({ faults: { clockOffsetMs: 2 * 3_600_000 } });
    match((await refusal(start(relay, 'listen', { token: tokenFor('listen') }))).reason, /^ExpiredToken/);
  });
});
