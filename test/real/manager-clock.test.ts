// The clock of the manager's machine is set while it runs: libfaketime shows that one process another time.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuSecondsOf, kill, ManagerBed, summary } from './manager-bed.ts';

/** The clock is looked at each 10 s. */
const NOTICED_WITHIN_MS = 15_000;
/** A refused token is tried again after 10 s. */
const BACK_WITHIN_MS = 20_000;
/** A busy loop would take all of one core. */
const BUSY_SHARE = 0.5;

describe('a manager with 50 connections whose clock is set', () => {
  let bed: ManagerBed;
  let clockFile: string;

  before(async () => {
    bed = await ManagerBed.start();
    clockFile = join(bed.path.directory, 'clock');
    await setClock(0);
    await bed.startManager({ wrap: withClock });
    await bed.allOnline(30_000);
  });
  after(() => bed?.stop());

  const setClock = (offsetS: number) => writeFile(clockFile, `${offsetS >= 0 ? '+' : ''}${offsetS}\n`);

  function withClock(command: string, args: readonly string[]): [string, string[]] {
    const settings = [
      `LD_PRELOAD=${libfaketime()}`,
      `FAKETIME_TIMESTAMP_FILE=${clockFile}`,
      'FAKETIME_NO_CACHE=1',
      // Timers keep their pace: it is the wall clock that somebody sets.
      'DONT_FAKE_MONOTONIC=1',
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ];
    return ['env', [...settings, command, ...args]];
  }

  /** Sets the clock and waits until all listeners have noticed: each shows the relay a new token. */
  async function step(offsetS: number): Promise<void> {
    const { process: manager } = bed.manager;
    const [seen, cpuBefore, startedMs] = [
      manager.events.length,
      cpuSecondsOf(manager.pid),
      performance.now(),
    ];
    await setClock(offsetS);
    const renewed = () => manager.events.slice(seen).filter(({ event }) => event === 'token-renewed').length;
    await bed.until('new tokens', () => renewed() >= bed.names.length, NOTICED_WITHIN_MS);
    const seconds = (performance.now() - startedMs) / 1_000;
    const cpu = cpuSecondsOf(manager.pid) - cpuBefore;
    assert.ok(cpu < seconds * BUSY_SHARE, `${cpu} s of CPU in ${seconds} s`);
  }

  async function allStayed(): Promise<void> {
    const seen = await bed.list();
    assert.equal(summary(seen), '50 online');
    assert.deepEqual(new Set(seen.map(({ reconnects }) => reconnects)), new Set([0]));
  }

  async function relayReturns(): Promise<void> {
    await bed.killEmulator();
    await bed.noneOnline(2_000);
    await bed.startEmulator();
    await bed.allOnline(BACK_WITHIN_MS);
  }

  /** What was told last of the clock, by each listener that told something, in minutes. */
  function toldMinutes(): Set<number> {
    const last = new Map<unknown, number>();
    for (const event of bed.manager.process.events)
      if (event.event === 'clock-skew') last.set(event['id'], Math.round(Number(event['skewMs']) / 60_000));
    return new Set(last.values());
  }

  it('stays online through all of it', async () => {
    for (const offsetS of [600, -3_600, 3_600]) {
      await step(offsetS);
      await allStayed();
      if (offsetS < 0) assert.deepEqual(toldMinutes(), new Set([-60]));
    }
  });

  it('comes back to its relay with a clock that is ahead or behind, says so, and carries bytes', async () => {
    await relayReturns();
    assert.deepEqual(toldMinutes(), new Set([60]));
    await step(-3_600);
    await relayReturns();
    assert.deepEqual(toldMinutes(), new Set([-60]));
    for (const name of bed.names) if (name.startsWith('raw')) await bed.answers(name);
    for (const { since } of await bed.list()) {
      const distanceMs = Math.abs(Date.parse(since) - Date.now());
      assert.ok(distanceMs < 2 * 3_600_000, since);
    }
  });

  it('starts with a clock that is an hour behind, works, and has it as a problem until it is mended', async () => {
    await kill(bed.manager.process);
    await bed.startManager({ wrap: withClock });
    await bed.allOnline(BACK_WITHIN_MS);
    for (const name of bed.names) if (name.startsWith('raw')) await bed.answers(name);
    await bed.answersAtForwards();
    const problems = async () => (await bed.manager.client.describe()).problems.map(({ code }) => code);
    assert.deepEqual(await problems(), ['HCM_CLOCK_SKEW']);
    assert.equal(bed.manager.process.events.filter(({ event }) => event === 'reconnecting').length, 0);
    assert.equal(bed.manager.process.events.filter(({ event }) => event === 'refused').length, 0);
    await step(0);
    await bed.until('no problem', async () => (await problems()).length === 0);
  });
});

function libfaketime(): string {
  const found = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`);
  const [file] = found.filter((path) => existsSync(path));
  assert.ok(file, 'libfaketime is not installed');
  return file;
}
