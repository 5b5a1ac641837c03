/** A relay, between two who have met: frames cross unchanged, and an end is an end of one direction. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeRawClientsAfterEach, RawClient } from './raw-client.ts';
import { useRelay } from './relay-under-test.ts';
import {
  closeClientsAfterEach,
  closeOf,
  goodToken,
  nextMessage,
  openStream,
  TestListener,
} from './ws-clients.ts';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const CONTINUATION = 0;

/** Code 1000 and the reason of .NET's Shutdown. */
const SHUTDOWN = Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('Shutdown')]);

describe('a relay, between sender and listener', () => {
  const relay = useRelay();
  closeClientsAfterEach();
  closeRawClientsAfterEach();

  /** Both ends as sockets, so that every frame is seen. */
  const rawStream = async () => {
    const listener = await TestListener.open(relay());
    const sender = await RawClient.connect(relay());
    const authorization = `ServiceBusAuthorization: ${goodToken(relay(), 'connect')}`;
    sender.ask(`/$hc/${relay().path}?sb-hc-action=connect`, [authorization]);
    const { pathname, search } = new URL((await listener.nextAccept()).address);
    const rendezvous = await RawClient.connect(relay());
    rendezvous.ask(`${pathname}${search}`);
    equal((await rendezvous.answer()).status, 101);
    equal((await sender.answer()).status, 101);
    return { sender, rendezvous };
  };
  const wsStream = async () => openStream(relay(), await TestListener.open(relay()));

  for (const direction of ['to the listener', 'to the sender'] as const) {
    describe(direction, () => {
      const ends = async () => {
        const { sender, rendezvous } = await rawStream();
        return direction === 'to the listener'
          ? { from: sender, to: rendezvous }
          : { from: rendezvous, to: sender };
      };

      it('keeps kind and boundaries of messages, empty ones too', async () => {
        const { from, to } = await ends();
        const sent = [
          { opcode: BINARY, payload: Buffer.from([1, 2, 3]) },
          { opcode: TEXT, payload: Buffer.from('häh') },
          { opcode: BINARY, payload: Buffer.alloc(0) },
          { opcode: TEXT, payload: Buffer.alloc(0) },
          { opcode: BINARY, payload: randomBytes(126) },
          { opcode: BINARY, payload: randomBytes(65_536) },
          { opcode: BINARY, payload: Buffer.from([0]) },
        ];
        from.send(...sent);
        for (const message of sent) deepEqual(await to.message(), message);
      });

      it('passes a message of a megabyte, byte for byte', async () => {
        const { from, to } = await ends();
        const payload = randomBytes(1_048_576);
        from.send({ opcode: BINARY, payload });
        ok((await to.message()).payload.equals(payload));
      });

      it('makes one message of one message that comes in fragments, Pings between them', async () => {
        const { from, to } = await ends();
        from.send(
          { opcode: BINARY, fin: false, payload: Buffer.from('a') },
          { opcode: PING, payload: Buffer.from('?') },
          { opcode: CONTINUATION, fin: false, payload: Buffer.from('b') },
          { opcode: CONTINUATION, payload: Buffer.alloc(0) },
          { opcode: TEXT, payload: Buffer.from('next') },
        );
        deepEqual(await to.message(), { opcode: BINARY, payload: Buffer.from('ab') });
        deepEqual(await to.message(), { opcode: TEXT, payload: Buffer.from('next') });
      });

      it('answers a Ping itself and passes neither Ping nor Pong on', async () => {
        const { from, to } = await ends();
        from.send(
          { opcode: PING, payload: 'hello?' },
          { opcode: PONG, payload: 'x' },
          { opcode: TEXT, payload: '.' },
        );
        deepEqual(await from.frame(), { fin: true, opcode: PONG, payload: Buffer.from('hello?') });
        deepEqual(await to.frame(), { fin: true, opcode: TEXT, payload: Buffer.from('.') });
      });

      it('passes a Close on, and lets the other direction go on until its own', async () => {
        const { from, to } = await ends();
        from.send({ opcode: BINARY, payload: 'last' }, { opcode: CLOSE, payload: SHUTDOWN });
        deepEqual(await to.message(), { opcode: BINARY, payload: Buffer.from('last') });
        deepEqual(await to.frame(), { fin: true, opcode: CLOSE, payload: SHUTDOWN });
        for (const text of ['one', 'two', 'three']) {
          to.send({ opcode: BINARY, payload: text });
          deepEqual(await from.message(), { opcode: BINARY, payload: Buffer.from(text) });
        }
        to.send({ opcode: CLOSE, payload: SHUTDOWN });
        deepEqual(await from.frame(), { fin: true, opcode: CLOSE, payload: SHUTDOWN });
        await Promise.all([from.end(), to.end()]);
      });

      it('passes an empty Close on as an empty one', async () => {
        const { from, to } = await ends();
        from.send({ opcode: CLOSE });
        deepEqual(await to.frame(), { fin: true, opcode: CLOSE, payload: Buffer.alloc(0) });
      });

      it('breaks it off without a Close when it is lost without one', async () => {
        const { from, to } = await ends();
        from.send({ opcode: BINARY, payload: 'half' });
        deepEqual(await to.message(), { opcode: BINARY, payload: Buffer.from('half') });
        from.socket.destroy();
        await to.end();
        equal(to.received.length, 0);
      });

      it('breaks it off, also behind a Close, when TCP ends before the Close of the other side', async () => {
        const { from, to } = await ends();
        from.send({ opcode: CLOSE, payload: SHUTDOWN });
        deepEqual(await to.frame(), { fin: true, opcode: CLOSE, payload: SHUTDOWN });
        from.socket.end();
        await to.end();
        equal(to.received.length, 0);
      });

      it('breaks it off without a Close when TCP ends before the WebSocket', async () => {
        const { from, to } = await ends();
        from.socket.end();
        await to.end();
        equal(to.received.length, 0);
      });
    });
  }

  it('carries both directions at once', async () => {
    const { sender, rendezvous } = await wsStream();
    const [up, down] = [randomBytes(300_000), randomBytes(300_000)];
    sender.send(up);
    rendezvous.send(down);
    const [atListener, atSender] = await Promise.all([nextMessage(rendezvous), nextMessage(sender)]);
    ok(atListener.data.equals(up));
    ok(atSender.data.equals(down));
  });

  it('tells the other side the code and the reason of a close', async () => {
    const { sender, rendezvous } = await wsStream();
    const both = Promise.all([closeOf(rendezvous), once(sender, 'close')]);
    sender.close(4321, 'bye');
    const [closed] = await both;
    deepEqual(closed, { code: 4321, reason: 'bye' });
  });

  it('keeps two streams apart', async () => {
    const listener = await TestListener.open(relay());
    const one = await openStream(relay(), listener, { id: 'same' });
    const two = await openStream(relay(), listener, { id: 'same' });
    two.sender.send('second');
    one.sender.send('first');
    const [first, second] = await Promise.all([nextMessage(one.rendezvous), nextMessage(two.rendezvous)]);
    deepEqual([first.data.toString(), second.data.toString()], ['first', 'second']);
  });
});
