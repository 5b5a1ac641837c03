import assert from 'node:assert/strict';
import { HcmError } from '../../../src/protocol/errors.ts';
import { forward, type ForwardedStream } from '../../../src/tunnel/forwarder.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeEnd } from '../../helpers/fake-end.ts';
import { turn } from '../../helpers/until.ts';

const bytes = (text: string) => [Buffer.from(text)];

describe('The forwarder', () => {
  let clock: FakeClock;
  let stream: ForwardedStream;
  let done: { error: Error | undefined } | undefined;

  function start(idleTimeoutMs?: number): { a: FakeEnd; b: FakeEnd } {
    clock = new FakeClock();
    const ends = { a: new FakeEnd(), b: new FakeEnd() };
    done = undefined;
    stream = forward(ends.a, ends.b, { clock, idleTimeoutMs });
    void stream.done.then((error) => (done = { error }));
    return ends;
  }

  it('writes what arrives at one end to the other, and counts it', () => {
    const ends = start();
    ends.a.events.onBytes([Buffer.from('ab'), Buffer.from('c')]);
    ends.b.events.onBytes(bytes('defg'));
    assert.deepEqual([ends.a.calls, ends.b.calls], [['write defg'], ['write abc']]);
    assert.deepEqual([stream.bytesAtoB, stream.bytesBtoA], [3, 4]);
  });

  it('hands the hold on with the bytes', () => {
    const ends = start();
    const hold = () => undefined;
    ends.a.events.onBytes(bytes('x'), hold);
    assert.equal(ends.b.lastHold, hold);
  });

  it('pauses the source while the other end is full, and only it', () => {
    const ends = start();
    ends.b.hasRoom = false;
    ends.a.events.onBytes(bytes('x'));
    assert.deepEqual(ends.a.calls, ['pause']);
    ends.b.events.onDrain();
    assert.deepEqual([ends.a.calls, ends.b.calls], [['pause', 'resume'], ['write x']]);
  });

  it('passes each end of a direction on by itself, and is done when both ends are gone', async () => {
    const ends = start();
    ends.a.events.onEnd();
    assert.deepEqual([ends.a.calls, ends.b.calls], [[], ['end']]);
    ends.b.events.onBytes(bytes('answer'));
    ends.b.events.onEnd();
    assert.deepEqual(ends.a.calls, ['write answer', 'end']);
    ends.a.events.onClosed(undefined);
    await turn();
    assert.equal(done, undefined);
    ends.b.events.onClosed(undefined);
    await turn();
    assert.deepEqual(done, { error: undefined });
    assert.ok(!ends.a.calls.concat(ends.b.calls).some((call) => call.startsWith('reset')));
  });

  it('resets the other end after an error at one, whichever it is', async () => {
    for (const first of ['a', 'b'] as const) {
      const ends = start();
      const other = first === 'a' ? ends.b : ends.a;
      ends[first].events.onClosed(new Error('broken'));
      assert.deepEqual(other.calls, ['reset broken']);
      other.events.onClosed(new Error('reset by us'));
      await turn();
      assert.equal(done?.error?.message, 'broken', 'the first error is the reason');
    }
  });

  it('aborts both ends, and tells the reason when they are gone', async () => {
    const ends = start();
    stream.abort(new Error('shutdown'));
    assert.deepEqual([ends.a.calls, ends.b.calls], [['reset shutdown'], ['reset shutdown']]);
    ends.a.events.onClosed(new Error('x'));
    ends.b.events.onClosed(new Error('y'));
    await turn();
    assert.equal(done?.error?.message, 'shutdown');
  });

  it('aborts after the idle time, counted from the last byte in either direction', async () => {
    const ends = start(1000);
    clock.advance(900);
    ends.a.events.onBytes(bytes('x'));
    clock.advance(900);
    ends.b.events.onBytes(bytes('y'));
    clock.advance(999);
    assert.ok(!ends.a.calls.includes('reset no byte for 1000 ms'));
    clock.advance(1);
    assert.ok(ends.a.calls.includes('reset no byte for 1000 ms'));
    assert.ok(ends.b.calls.includes('reset no byte for 1000 ms'));
    ends.a.events.onClosed(new Error('x'));
    ends.b.events.onClosed(new Error('x'));
    await turn();
    assert.ok(done?.error instanceof HcmError && done.error.code === 'HCM_IDLE_TIMEOUT');
    assert.equal(clock.timers, 0);
  });

  it('is not idle while a slow reader takes what waits', () => {
    const ends = start(1000);
    ends.b.hasRoom = false;
    ends.a.events.onBytes(bytes('much'));
    clock.advance(900);
    ends.b.events.onDrain();
    clock.advance(900);
    assert.deepEqual(ends.a.calls, ['pause', 'resume']);
    clock.advance(100);
    assert.ok(ends.a.calls.includes('reset no byte for 1000 ms'));
  });

  it('sets one timer, however many bytes pass, and none without a limit', () => {
    const ends = start(1000);
    for (let count = 0; count < 100; count += 1) ends.a.events.onBytes(bytes('x'));
    assert.equal(clock.timers, 1);
    ends.a.events.onClosed(undefined);
    ends.b.events.onClosed(undefined);
    assert.equal(clock.timers, 0);
    start();
    assert.equal(clock.timers, 0);
  });
});
