// The relay dies again and again under a manager with 50 connections.
import assert from 'node:assert/strict';
import { lookable, type Heap } from './heap.ts';
import { footprintOf, listenersOf, ManagerBed, summary } from './manager-bed.ts';

const KILLS = 20;
/** From the relay's own return on: one looks at least every 2 s, 0.5 s until it counts, 1 s for all others; dials. */
const BACK_WITHIN_MS = 10_000;

/** What happens to be under way at the moment of looking, and functions that were called for the first time. */
const SLACK = 100;
/** The log keeps its newest 10,000 lines in memory, and fills up during the test. */
const HEAP_SLACK_BYTES = 8 * 1024 * 1024;

describe('a manager with 50 connections, and a relay that is killed 20 times', () => {
  let bed: ManagerBed;
  let heap: Heap;

  before(async () => {
    bed = await ManagerBed.start();
    const { wrap, look } = await lookable();
    await bed.startManager({ wrap });
    heap = await look();
    await bed.allOnline(30_000);
    await bed.bytesFlow();
  });
  after(async () => {
    heap?.close();
    await bed?.stop();
  });

  async function killAndReturn(): Promise<{ goneMs: number; backMs: number }> {
    await bed.killEmulator();
    const goneMs = await bed.noneOnline(2_000);
    await bed.startEmulator();
    return { goneMs, backMs: await bed.allOnline(BACK_WITHIN_MS) };
  }

  async function look(): Promise<Record<string, number>> {
    const { pid } = bed.manager.process;
    return { ...(await heap.alive()), ...(await heap.handles()), ...footprintOf(pid) };
  }

  it('says at once that it is gone, is back within seconds each time, and nothing is left over', async () => {
    const times = [await killAndReturn(), await killAndReturn()];
    const early = await look();
    while (times.length < KILLS) times.push(await killAndReturn());
    const late = await look();
    // A leak of one object, timer or socket a reconnect would be 18 x 38 of them.
    for (const [kind, count] of Object.entries(late)) {
      if (kind === 'used' || kind === 'residentMb') continue;
      assert.ok(count <= (early[kind] ?? 0) + SLACK, `${kind}: ${early[kind]}, then ${count}`);
    }
    assert.ok(
      late['used']! - early['used']! < HEAP_SLACK_BYTES,
      `heap: ${early['used']}, then ${late['used']}`,
    );
    assert.ok(times.length === KILLS);
  });

  it('carries bytes through all 50 afterwards', async () => {
    const seen = await bed.list();
    assert.equal(summary(seen), '50 online');
    for (const { reconnects } of listenersOf(seen)) assert.ok(reconnects >= KILLS, String(reconnects));
    await bed.bytesFlow();
  });
});
