/** A control channel over time: tokens that are renewed, or not, and what is ignored. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { once } from 'node:events';
import { until } from '../../helpers/until.ts';
import { closeClientsAfterEach, closeOf, refusal, start, TestListener } from '../../contract/ws-clients.ts';
import { HOUR_MS, useEmulators, type EmulatorUnderTest } from './emulator-under-test.ts';

const GRACE_MS = 300_000;

describe('a control channel of the emulator', () => {
  const startEmulator = useEmulators();
  closeClientsAfterEach();

  const listening = async (forMs = HOUR_MS) => {
    const under = await startEmulator();
    const listener = await TestListener.open(under.relay, { token: under.tokenFor('listen', forMs) });
    return { ...under, listener };
  };
  /** The relay has read all that the listener sent before. */
  const settled = async ({ webSocket }: TestListener) => {
    webSocket.ping();
    await once(webSocket, 'pong');
  };
  const renewal = (token: string) => JSON.stringify({ renewToken: { token } });
  const eventNames = ({ events }: Pick<EmulatorUnderTest, 'events'>) => events.map(({ event }) => event);

  it('survives the expiry of its token by five minutes, and is then closed with 1008', async () => {
    const { listener, clock, emulator } = await listening();
    clock.advance(HOUR_MS + GRACE_MS - 1);
    await settled(listener);
    equal(emulator.listenerCount('one'), 1);
    const closed = closeOf(listener.webSocket);
    clock.advance(1);
    equal(emulator.listenerCount('one'), 0);
    const { code, reason } = await closed;
    equal(code, 1008);
    match(reason, /^ExpiredToken: The token is expired\. TrackingId:[0-9a-f-]{36}_G0$/);
  });

  it('lives on with a renewed token, without a word', async () => {
    const under = await listening();
    const { listener, clock, emulator, tokenFor } = under;
    clock.advance(HOUR_MS);
    listener.webSocket.send(renewal(tokenFor('listen')));
    await settled(listener);
    clock.advance(HOUR_MS + GRACE_MS - 1);
    await settled(listener);
    equal(emulator.listenerCount('one'), 1);
    deepEqual(listener.texts, []);
    deepEqual(eventNames(under), ['listener-online', 'token-renewed']);
  });

  for (const [what, make, sentence] of [
    [
      'a token of another key',
      (under: EmulatorUnderTest) => under.tokenFor('connect'),
      /^Authorization failed/,
    ],
    ['an expired token', (under: EmulatorUnderTest) => under.tokenFor('listen', -1_000), /^ExpiredToken/],
    ['no token', () => 'rubbish', /^MalformedToken/],
  ] as const) {
    it(`is closed with 1008 when it is renewed with ${what}`, async () => {
      const under = await listening();
      const closed = closeOf(under.listener.webSocket);
      under.listener.webSocket.send(renewal(make(under)));
      const { code, reason } = await closed;
      equal(code, 1008);
      match(reason, sentence);
    });
  }

  it('keeps established streams when it ends', async () => {
    const { listener, clock, emulator, relay, tokenFor } = await listening();
    const sender = start(relay, 'connect', { token: tokenFor('connect') });
    const rendezvous = await listener.accept(await listener.nextAccept());
    if (sender.readyState === sender.CONNECTING) await once(sender, 'open');
    clock.advance(HOUR_MS + GRACE_MS);
    equal(emulator.listenerCount('one'), 0);
    sender.send('on');
    const [data] = (await once(rendezvous, 'message')) as [Buffer];
    equal(data.toString(), 'on');
  });

  it('ignores what it cannot understand, and says so in events, but for an empty message', async () => {
    const { listener, events, emulator } = await listening();
    for (const text of ['not json', '[]', '{"injectFault":{}}', '{"renewToken":{}}', '{"response":{}}']) {
      listener.webSocket.send(text);
    }
    listener.webSocket.send(Buffer.from([1, 2, 3]));
    listener.webSocket.send(Buffer.alloc(0));
    await settled(listener);
    equal(emulator.listenerCount('one'), 1);
    equal(events.filter(({ event }) => event === 'message-ignored').length, 6);
  });

  it('is closed when a message is larger than any control message', async () => {
    const { listener } = await listening();
    listener.webSocket.send('x'.repeat(1_000_000));
    equal((await closeOf(listener.webSocket)).code, 1009);
  });

  it('refuses a sender with 504 when the listener does nothing for 30 s', async () => {
    const { listener, clock, relay, tokenFor } = await listening();
    const refused = refusal(start(relay, 'connect', { token: tokenFor('connect') }));
    const { address } = await listener.nextAccept();
    clock.advance(29_999);
    await settled(listener);
    clock.advance(1);
    const { status, reason } = await refused;
    equal(status, 504);
    match(reason, /^None of the connected listeners accepted the connection/);
    equal(address.length > 0, true);
  });

  it('answers a listener that is refused in a storm only once a second', async () => {
    const { relay, clock } = await startEmulator();
    const refused = () => refusal(start(relay, 'listen', { token: null }));
    for (let times = 0; times < 5; times += 1) equal((await refused()).status, 401);
    let answered = 0;
    const late = [refused(), refused()].map((answer) => answer.then(() => (answered += 1)));
    await until(() => clock.timers === 2, 'two answers to be held back');
    clock.advance(999);
    equal(answered, 0);
    clock.advance(1);
    await Promise.all(late);
    clock.advance(2_001);
    equal((await refused()).status, 401);
  });

  it('does not count what was refused before it got in', async () => {
    const { relay, tokenFor } = await startEmulator();
    const refused = () => refusal(start(relay, 'listen', { token: null }));
    for (let times = 0; times < 5; times += 1) await refused();
    await TestListener.open(relay, { token: tokenFor('listen') });
    equal((await refused()).status, 401);
  });
});
