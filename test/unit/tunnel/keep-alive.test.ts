import assert from 'node:assert/strict';
import { KeepAlive } from '../../../src/tunnel/keep-alive.ts';
import type { KeepAliveMode } from '../../../src/tunnel/options.ts';
import type { WebSocket } from '../../../src/websocket/websocket.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

/** Counts what a keep-alive looks at; the test says when a Pong comes. */
class StubWebSocket {
  bytesRead = 0;
  bytesWritten = 0;
  paused = false;
  pings = 0;
  pongs = 0;

  ping(): void {
    this.pings += 1;
    this.bytesWritten += 6;
  }
  pong(): void {
    this.pongs += 1;
    this.bytesWritten += 6;
  }
}

describe('keep-alive', () => {
  let clock: FakeClock;
  let stub: StubWebSocket;
  let deadAtMs: number | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    stub = new StubWebSocket();
    deadAtMs = undefined;
  });

  function start(options: { strict: boolean; mode?: KeepAliveMode }): KeepAlive {
    return new KeepAlive(stub as unknown as WebSocket, {
      clock,
      mode: 'ping',
      onDead: (error) => {
        assert.equal(error.code, 'HCM_KEEPALIVE_TIMEOUT');
        deadAtMs = clock.monotonicMs();
      },
      ...options,
    });
  }

  function answer(keepAlive: KeepAlive): void {
    stub.bytesRead += 2;
    keepAlive.onPong();
  }

  for (const strict of [true, false]) {
    describe(strict ? 'of a control channel' : 'of an idle stream', () => {
      it('pings every 30 s and is content with Pongs', () => {
        const keepAlive = start({ strict });
        for (let round = 1; round <= 100; round += 1) {
          clock.advance(30_000);
          assert.equal(stub.pings, round);
          answer(keepAlive);
        }
        assert.equal(deadAtMs, undefined);
        keepAlive.stop();
        assert.equal(clock.timers, 0);
      });

      it('finds a dead peer within 45 s, whenever it dies', () => {
        for (let diesAtMs = 0; diesAtMs < 60_000; diesAtMs += 500) {
          deadAtMs = undefined;
          clock = new FakeClock();
          stub = new StubWebSocket();
          const keepAlive = start({ strict });
          let answered = 0;
          for (let nowMs = 0; nowMs < 200_000 && deadAtMs === undefined; nowMs += 500) {
            if (clock.monotonicMs() < diesAtMs && stub.pings > answered) {
              answered = stub.pings;
              answer(keepAlive);
            }
            clock.advance(500);
          }
          assert.ok(
            deadAtMs !== undefined && deadAtMs - diesAtMs <= 45_000,
            `died at ${diesAtMs}: ${deadAtMs}`,
          );
        }
      });

      it('does not take a reader that is paused here for a dead peer', () => {
        start({ strict });
        stub.paused = true;
        clock.advance(600_000);
        assert.equal(deadAtMs, undefined);
        stub.paused = false;
        clock.advance(30_000);
        assert.ok(deadAtMs !== undefined, 'after it reads again, silence counts');
      });

      it('does not take a peer that sends data for dead while its Pong waits behind them', () => {
        const keepAlive = start({ strict });
        for (let round = 0; round < 100; round += 1) {
          stub.bytesRead += 64 * 1024;
          clock.advance(9_000);
        }
        assert.equal(deadAtMs, undefined);
        answer(keepAlive);
        keepAlive.stop();
        assert.equal(clock.timers, 0);
      });
    });
  }

  it('finds a control channel dead although something was written to it', () => {
    start({ strict: true });
    stub.bytesWritten += 500;
    clock.advance(40_000);
    assert.equal(deadAtMs, 40_000);
  });

  it('leaves a stream alone whose data may wait for a slow reader at the far end', () => {
    const keepAlive = start({ strict: false });
    stub.bytesWritten += 1_000_000;
    clock.advance(1_800_000);
    assert.equal(deadAtMs, undefined);
    answer(keepAlive);
    clock.advance(40_000);
    assert.ok(deadAtMs !== undefined, 'once all has arrived, silence counts again');
  });

  it('asks at once when told that the machine slept', () => {
    const keepAlive = start({ strict: true });
    keepAlive.checkNow();
    keepAlive.checkNow();
    assert.equal(stub.pings, 1);
    clock.advance(10_000);
    assert.equal(deadAtMs, 10_000);
  });

  it('sends Pongs that nobody answers, where Pings are not wanted', () => {
    const keepAlive = start({ strict: true, mode: 'pong' });
    keepAlive.checkNow();
    clock.advance(90_000);
    assert.deepEqual([stub.pings, stub.pongs, deadAtMs], [0, 3, undefined]);
    keepAlive.stop();
    assert.equal(clock.timers, 0);
  });

  it('is silent when switched off', () => {
    start({ strict: true, mode: 'off' });
    clock.advance(3_600_000);
    assert.deepEqual([stub.pings, stub.pongs, clock.timers], [0, 0, 0]);
  });
});
