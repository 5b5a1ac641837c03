/** A sender and a listener as bytes on sockets, our two WebSockets joined between them. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { join, type Join, type JoinOptions } from '../../../src/emulator/relay/join.ts';
import { WebSocket } from '../../../src/websocket/websocket.ts';
import { BytePattern } from '../../helpers/byte-pattern.ts';
import { joinMessages, parse, type FrameEvent } from '../../helpers/frame-collector.ts';
import { rawFrame, type RawFrame } from '../../helpers/frames.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets, socketPair } from '../../helpers/socket-pair.ts';
import { turns, until } from '../../helpers/until.ts';

const MASK = Buffer.from([1, 22, 33, 44]);
const MIB = 1024 * 1024;
const pattern = new BytePattern();

/** A client of the relay, in bytes: it masks what it sends. */
class RawClient {
  received = Buffer.alloc(0);
  readonly seen: string[] = [];
  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => (this.received = Buffer.concat([this.received, bytes])));
    socket.on('end', () => this.seen.push('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.seen.push(error.code ?? error.message));
    socket.on('close', () => this.seen.push('close'));
  }
  send(...frames: RawFrame[]): void {
    this.socket.write(Buffer.concat(frames.map((frame) => rawFrame({ mask: MASK, ...frame }))));
  }
  get events(): FrameEvent[] {
    return parse([this.received], { expectMasked: false }).events;
  }
  get messages(): string[] {
    return joinMessages(this.events);
  }
}

describe('join', () => {
  expectNothingLeft();
  let sender: RawClient;
  let listener: RawClient;
  let joined: Join;
  let opened: Socket[];
  let webSockets: [WebSocket, WebSocket];

  async function start(options: JoinOptions = {}, head?: Buffer): Promise<void> {
    const [one, two] = [await socketPair(), await socketPair()];
    opened = [one.client, one.server, two.client, two.server];
    [sender, listener] = [new RawClient(one.client), new RawClient(two.client)];
    const role = { role: 'server', closeTimeoutMs: 200 } as const;
    webSockets = [
      new WebSocket(one.server, { ...role, ...(head && { head }) }),
      new WebSocket(two.server, role),
    ];
    joined = join(...webSockets, options);
  }
  afterEach(() => destroySockets(...opened));

  it('keeps the kind and the bounds of messages, and passes empty ones on', async () => {
    await start();
    sender.send(
      { opcode: 1, payload: 'text' },
      { opcode: 2, payload: 'binary' },
      { opcode: 1 },
      { opcode: 2 },
    );
    sender.send(
      { opcode: 1, fin: false, payload: 'a' },
      { opcode: 0, fin: false },
      { opcode: 0, payload: 'b' },
    );
    await until(() => listener.messages.length === 5);
    const hex = (text: string) => Buffer.from(text).toString('hex');
    assert.deepEqual(listener.messages, [
      `text ${hex('text')}`,
      `binary ${hex('binary')}`,
      'text ',
      'binary ',
      `text ${hex('ab')}`,
    ]);
    assert.deepEqual(
      listener.events
        .slice(4)
        .map((event) => event.kind === 'fragment' && [event.first, event.last, event.hex]),
      [
        [true, false, hex('a')],
        [false, false, ''],
        [false, true, hex('b')],
      ],
    );
  });

  it('passes a large message on as it arrives, in one message', async () => {
    await start();
    const frame = rawFrame({ opcode: 2, mask: MASK, payload: pattern.slice(0, 300_000) });
    sender.socket.write(frame.subarray(0, 200_000));
    await until(() => listener.received.length > 190_000);
    sender.socket.write(frame.subarray(200_000));
    await until(() => listener.events.some((event) => event.kind === 'fragment' && event.last));
    assert.deepEqual(listener.messages, [`binary ${pattern.slice(0, 300_000).toString('hex')}`]);
  });

  it('passes text on that is not UTF-8: that is for the ends to judge', async () => {
    await start();
    sender.send({ opcode: 1, payload: Buffer.from([0xff]) });
    await until(() => listener.messages.length === 1);
    assert.deepEqual(listener.messages, ['text ff']);
  });

  it('hands on what came with the handshake, before what follows', async () => {
    await start({}, rawFrame({ opcode: 2, mask: MASK, payload: 'head' }));
    sender.send({ opcode: 2, payload: 'next' });
    await until(() => listener.messages.length === 2);
    assert.deepEqual(
      listener.messages.map((message) => Buffer.from(message.slice(7), 'hex').toString()),
      ['head', 'next'],
    );
  });

  it('answers Pings itself and lets none across, nor Pongs', async () => {
    await start();
    sender.send({ opcode: 9, payload: 'p' }, { opcode: 10 }, { opcode: 2, payload: 'x' });
    await until(() => listener.messages.length === 1 && sender.messages.length === 1);
    assert.deepEqual([sender.messages, listener.messages], [['control 10 70'], ['binary 78']]);
  });

  for (const [name, payload] of Object.entries({
    'a code and a reason': Buffer.concat([Buffer.from([0x0f, 0xa1]), Buffer.from('grüße')]),
    'a code alone': Buffer.from([0x03, 0xe8]),
    'neither code nor reason': Buffer.alloc(0),
  })) {
    it(`passes a Close with ${name} on verbatim, and the other direction goes on`, async () => {
      await start({ halfOpenLimitMs: 60_000 });
      const close = `control 8 ${payload.toString('hex')}`;
      sender.send({ opcode: 8, payload });
      await until(() => listener.messages.length === 1);
      listener.send({ opcode: 2, payload: 'on' }, { opcode: 8, payload });
      assert.equal(listener.messages[0], close);
      await until(() => sender.seen.includes('end') && listener.seen.includes('end'));
      assert.deepEqual(sender.messages, ['binary 6f6e', close]);
      sender.socket.end();
      listener.socket.end();
      assert.equal(await joined.done, true);
    });
  }

  it('resets the other side when one is lost without a Close', async () => {
    for (const loss of ['end', 'resetAndDestroy'] as const) {
      await start();
      sender.send({ opcode: 2, payload: 'part' });
      await until(() => listener.messages.length === 1);
      sender.socket[loss]();
      assert.equal(await joined.done, false);
      await until(() => listener.seen.includes('close'));
      assert.deepEqual(listener.seen, ['ECONNRESET', 'close']);
      assert.deepEqual(listener.messages, ['binary 70617274'], 'no Close is made up');
      await destroySockets(...opened);
    }
  });

  it('tells a violator why, and resets the other side', async () => {
    await start();
    listener.send({ opcode: 2, payload: 'before' }, { opcode: 3 });
    await until(() => listener.seen.includes('end'));
    assert.match(listener.messages.join(), /^control 8 03ea/);
    listener.socket.end();
    assert.equal(await joined.done, false);
    assert.deepEqual(sender.messages, ['binary 6265666f7265']);
    await until(() => sender.seen.includes('close'));
    assert.ok(sender.seen.includes('ECONNRESET'));
  });

  it('cuts a side that does not close within the limit after the other', async () => {
    await start({ halfOpenLimitMs: 20 });
    sender.send({ opcode: 8 });
    assert.equal(await joined.done, false);
    await until(() => listener.seen.includes('close') && sender.seen.includes('close'));
    assert.deepEqual(listener.seen, ['ECONNRESET', 'close']);
  });

  it('leaves the limit once both have closed, though a side is slow to end TCP', async () => {
    await start({ halfOpenLimitMs: 20 });
    sender.send({ opcode: 8 });
    listener.send({ opcode: 8 });
    assert.equal(await joined.done, true);
  });

  it('aborts both sides without a Close', async () => {
    await start();
    sender.send({ opcode: 2, payload: 'x' });
    await until(() => listener.messages.length === 1);
    joined.abort();
    assert.equal(await joined.done, false);
    await until(() => sender.seen.includes('close') && listener.seen.includes('close'));
    assert.deepEqual(
      [sender.seen[0], listener.seen[0], listener.messages.length],
      ['ECONNRESET', 'ECONNRESET', 1],
    );
  });

  it('shows the bytes to its host, who may destroy a side', async () => {
    let bytes = 0;
    const onBytes = (count: number) => {
      bytes += count;
      if (bytes >= 3) webSockets[0].destroy();
    };
    await start({ onBytes });
    sender.send({ opcode: 2, payload: 'ab' }, { opcode: 2, payload: 'c' }, { opcode: 2, payload: 'd' });
    assert.equal(await joined.done, false);
  });

  it('holds back a fast sender while the listener does not read, and loses nothing', async () => {
    await start();
    listener.socket.pause();
    const total = 24 * MIB;
    const frame = rawFrame({ opcode: 2, mask: MASK, payload: pattern.slice(0, MIB) });
    for (let sent = 0; sent < total; sent += MIB) sender.socket.write(frame);
    await turns(200);
    assert.ok(sender.socket.writableLength > 0, 'the sender is held back');
    const waiting = Math.max(
      ...opened.map((socket) => (socket === sender.socket ? 0 : socket.writableLength)),
    );
    assert.ok(waiting < 1.5 * MIB, `${waiting} bytes wait in the relay`);
    let received = 0;
    listener.socket.removeAllListeners('data').on('data', (bytes: Buffer) => (received += bytes.length));
    listener.socket.resume();
    await until(() => received >= total && sender.socket.writableLength === 0);
  });
});
