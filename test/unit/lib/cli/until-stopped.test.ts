import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { endAtOnce } from '../../../../src/lib/cli/stop-signals.ts';
import { untilStopped } from '../../../../src/lib/cli/until-stopped.ts';

const never = new Promise<never>(() => undefined);

describe('until it is stopped', () => {
  let signals: EventEmitter;
  beforeEach(() => (signals = new EventEmitter()));
  afterEach(() => assert.deepEqual(signals.eventNames(), []));

  const run = <T>(begin: () => Promise<T>, stop: () => Promise<T | void> = () => Promise.resolve()) =>
    untilStopped({ begin, stop, abort: () => Promise.resolve() }, signals);

  it('takes over from what ends a command that has not begun', async () => {
    signals.on('SIGINT', endAtOnce).on('SIGTERM', endAtOnce);
    const { exitStatus } = await run(() => {
      assert.deepEqual(
        [signals.listenerCount('SIGINT'), signals.listeners('SIGINT').includes(endAtOnce)],
        [1, false],
      );
      signals.emit('SIGINT', 'SIGINT');
      return never;
    });
    assert.equal(exitStatus, 0);
  });

  it('ends by itself with its result', async () => {
    assert.deepEqual(await run(() => Promise.resolve(7)), { result: 7, exitStatus: 0 });
  });

  it('fails with its own error', async () => {
    await assert.rejects(
      run(() => Promise.reject(new Error('no'))),
      /no/,
    );
  });

  it('hears signals before it says that it is ready', async () => {
    const { exitStatus } = await run(() => {
      signals.emit('SIGINT', 'SIGINT');
      return never;
    });
    assert.equal(exitStatus, 0);
  });

  it('the first signal stops in peace: status 0, though what was running breaks off', async () => {
    let breakOff: (error: Error) => void = () => undefined;
    const running = new Promise<never>((_, reject) => (breakOff = reject));
    const ending = run(
      () => running,
      () => {
        breakOff(new Error('stopped'));
        return Promise.resolve();
      },
    );
    signals.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual(await ending, { result: undefined, exitStatus: 0 });
  });

  it('what stops may have a result of its own', async () => {
    const ending = run<number>(
      () => never,
      () => Promise.resolve(42),
    );
    signals.emit('SIGINT', 'SIGINT');
    assert.deepEqual(await ending, { result: 42, exitStatus: 0 });
  });

  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`the second signal aborts: ${signal} is ${status}, more signals change nothing`, async () => {
      const ending = run(
        () => never,
        () => never,
      );
      signals.emit('SIGINT', 'SIGINT');
      signals.emit(signal, signal);
      signals.emit('SIGINT', 'SIGINT');
      assert.equal((await ending).exitStatus, status);
    });
  }
});
