import assert from 'node:assert/strict';
import { ServiceNotify, type ServiceNotifyOptions } from '../../../src/manager/service-notify.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

describe('what a supervisor is told', () => {
  let clock: FakeClock;
  let sent: string[][];
  let status: string;
  const errors: string[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    status = 'one';
    errors.length = 0;
  });

  function notify(more: Partial<ServiceNotifyOptions> = {}): ServiceNotify {
    return new ServiceNotify({
      clock,
      status: () => status,
      send: (assignments) => Promise.resolve(void sent.push([...assignments])),
      onError: ({ message }) => errors.push(message),
      ...more,
    });
  }

  it('is ready with a status, and then a sign of life at half of the limit, as long as the loop turns', async () => {
    const told = notify({ watchdogMs: 60_000 });
    await clock.advanceAsync(120_000);
    assert.deepEqual(sent, [], 'nothing before it is ready');
    await told.ready();
    await clock.advanceAsync(29_999);
    assert.deepEqual(sent, [['READY=1', 'STATUS=one']]);
    await clock.advanceAsync(1);
    await clock.advanceAsync(30_000);
    assert.deepEqual(sent.slice(1), [
      ['WATCHDOG=1', 'STATUS=one'],
      ['WATCHDOG=1', 'STATUS=one'],
    ]);
  });

  it('gives no sign of life where nobody waits for one', async () => {
    await notify().ready();
    assert.equal(clock.timers, 0);
  });

  it('tells a status that has changed, not more often than every 10 s, and not one that is the same', async () => {
    const told = notify();
    await told.ready();
    status = 'two';
    told.changed();
    told.changed();
    await clock.advanceAsync(9_999);
    assert.equal(sent.length, 1);
    await clock.advanceAsync(1);
    assert.deepEqual(sent.slice(1), [['STATUS=two']]);
    told.changed();
    await clock.advanceAsync(20_000);
    assert.equal(sent.length, 2);
  });

  it('tells that it reloads and that it has, also when that fails', async () => {
    const told = notify();
    await clock.advanceAsync(1_500);
    let asked = 0;
    await told.reloading(() => {
      asked += 1;
      assert.deepEqual(sent, [['RELOADING=1', 'MONOTONIC_USEC=1500000']]);
      return Promise.reject(new Error('a broken file'));
    });
    assert.equal(asked, 1);
    assert.deepEqual(sent.slice(1), [['READY=1', 'STATUS=one']]);
  });

  it('goes on with signs of life while it stops, and leaves no timer when it has ended', async () => {
    const told = notify({ watchdogMs: 60_000 });
    await told.ready();
    await told.stopping();
    await clock.advanceAsync(30_000);
    told.changed();
    await told.end();
    assert.deepEqual(
      sent.map(([first]) => first),
      ['READY=1', 'STOPPING=1', 'WATCHDOG=1'],
    );
    assert.equal(clock.timers, 0);
    told.changed();
    await told.ready();
    assert.equal(sent.length, 3, 'nothing after the end');
    assert.equal(clock.timers, 0);
  });

  it('sends one message after the other, and goes on after one that could not be sent', async () => {
    let release: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (release = resolve));
    const sends = [() => first.then(() => Promise.reject(new Error('no way'))), () => Promise.resolve()];
    const told = notify({
      send: (assignments) => {
        sent.push([...assignments]);
        return sends.shift()?.() ?? Promise.resolve();
      },
    });
    const ready = told.ready();
    const stopping = told.stopping();
    await clock.advanceAsync(0);
    assert.equal(sent.length, 1);
    release();
    await Promise.all([ready, stopping]);
    assert.deepEqual([sent.length, errors], [2, ['no way']]);
  });
});
