// The targets of a manager with 50 connections stop and start again: with a health check their listeners leave the relay,
// without one a stream finds them down; all come back without anybody's help.
import assert from 'node:assert/strict';
import type { ConnectionView } from '../../src/manager/control/operations.ts';
import { askOnce, listenersOf, ManagerBed, summary } from './manager-bed.ts';

/** What happens must be in `hcm list` by then. */
const SHOWN_WITHIN_MS = 2_000;
/** Two failures in a row, a second apart; the first one is due within a second. The rest is for two slow cores. */
const LEFT_WITHIN_MS = 5_000;
/** A target that is down is asked each second; then its listener registers. */
const BACK_WITHIN_MS = 8_000;

describe('a manager with 50 connections whose targets stop and start', () => {
  let bed: ManagerBed;

  before(async () => {
    bed = await ManagerBed.start();
    await bed.startManager({ entries: { listeners: bed.listeners.map(withCheck), forwards: bed.forwards } });
    await bed.allOnline(30_000);
    await bed.bytesFlow();
  });
  after(() => bed?.stop());

  const idsIn = (all: readonly ConnectionView[], state: string) =>
    listenersOf(all)
      .filter((one) => one.state === state)
      .map(({ id }) => id)
      .sort();
  const idsOf = (checked: boolean) =>
    bed.names
      .filter((name) => isChecked(name) === checked)
      .map((name) => `listen localhost/${name}`)
      .sort();
  /** The listeners that have told this of themselves since then. */
  const told = (since: number, state: string) =>
    new Set(
      bed.manager.process.events
        .slice(since)
        .flatMap((one) => (one.event === 'state' && one['state'] === state ? [one['id']] : [])),
    );

  async function refusedStreams(): Promise<void> {
    for (const name of bed.names)
      if (!isChecked(name)) await assert.rejects(askOnce(await bed.outside(name), 'hello'), /ECONNRESET/);
  }

  it('takes the checked ones off the relay, and says of the others what a stream has found', async () => {
    const seen = bed.manager.process.events.length;
    await bed.stopTargets();
    const checked = idsOf(true);
    const isTold = () => told(seen, 'target-down').size === checked.length;
    await bed.until('all checks have failed', isTold, LEFT_WITHIN_MS);
    const isShown = (all: readonly ConnectionView[]) => idsIn(all, 'target-down').length === checked.length;
    await bed.becomes('checked ones gone', isShown, SHOWN_WITHIN_MS);
    // Whoever is not checked is not known to be down.
    assert.deepEqual(idsIn(await bed.list(), 'online'), idsOf(false));
    await refusedStreams();
    const unchecked = idsOf(false);
    const isDegraded = (all: readonly ConnectionView[]) => idsIn(all, 'degraded').length === unchecked.length;
    await bed.becomes('the others degraded', isDegraded, SHOWN_WITHIN_MS);
    const all = await bed.list();
    assert.deepEqual([idsIn(all, 'target-down'), idsIn(all, 'degraded')], [checked, unchecked]);
    for (const { id, reason } of listenersOf(all)) assert.equal(reason?.code, 'HCM_TARGET_REFUSED', id);
    await assert.rejects(bed.answers('raw-1'), 'nobody listens');
  });

  it('has all 50 online by itself once they are back, and carries bytes through all', async () => {
    await bed.returnTargets();
    await bed.allOnline(BACK_WITHIN_MS);
    assert.equal(summary(await bed.list()), '50 online');
    await bed.bytesFlow();
  });
});

/** Of the raw ones every other; all that speak something else. */
function isChecked(name: string): boolean {
  const [kind, number] = name.split('-');
  return kind !== 'raw' || Number(number) % 2 === 1;
}

function withCheck(listener: Record<string, unknown>): Record<string, unknown> {
  const name = String(listener['connection']).replace('localhost/', '');
  if (!isChecked(name)) return listener;
  const asked = name.startsWith('web') ? { http: '/' } : { tcp: true };
  return { ...listener, healthCheck: { ...asked, everySeconds: 1 } };
}
