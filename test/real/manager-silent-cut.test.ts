// The way to the relay is cut, and nobody is told: no FIN, no reset, no answer.
import assert from 'node:assert/strict';
import { Cable } from './cable.ts';
import type { ConnectionView } from '../../src/manager/control/operations.ts';
import { listenersOf, ManagerBed } from './manager-bed.ts';

/** A Ping each 30 s, 10 s for its answer, and 5 s for the rest. */
const NOTICED_WITHIN_MS = 45_000;
/** An attempt that hangs is given up after 10 s; the first ones begin 1 s after the loss. */
const GIVEN_UP_WITHIN_MS = 20_000;
const BACK_WITHIN_MS = 20_000;

describe('a manager with 50 connections whose network is cut silently', () => {
  let bed: ManagerBed;
  let cable: Cable;

  before(async () => {
    bed = await ManagerBed.start();
    cable = await Cable.lay(bed.path.relayPort);
    await bed.leadThrough(cable.port);
    await bed.startManager();
    await bed.allOnline(30_000);
  });
  after(async () => {
    cable?.stop();
    await bed?.stop();
  });

  it('notices within 45 s, and is back by itself once the network is', async () => {
    cable.cut();
    await bed.noneOnline(NOTICED_WITHIN_MS);
    // As a user sees it; and long enough that attempts to come back hang, too.
    const hangs = (all: readonly ConnectionView[]) =>
      all.some(({ reason }) => reason?.code === 'HCM_CONNECT_TIMEOUT');
    await bed.becomes('an attempt that was given up', hangs, GIVEN_UP_WITHIN_MS);
    for (const { state } of listenersOf(await bed.list())) assert.notEqual(state, 'online');
    cable.mend();
    await bed.allOnline(BACK_WITHIN_MS);
    await bed.bytesFlow();
  });
});
