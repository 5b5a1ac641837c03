/** One emulator a folder: the second is told of the first, and the dead hold nothing. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { HcmError } from '../../../src/protocol/errors.ts';
import { StateLock } from '../../../src/emulator/state-lock.ts';
import { Child } from '../../helpers/child.ts';
import { until } from '../../helpers/until.ts';
import { useFolder } from './temporary-folder.ts';

const OTHER = 424_242;
const LONG_AGO = new Date(Date.now() - 60_000);
const running = { isRunning: () => true };
const dead = { isRunning: () => false };

describe('StateLock', () => {
  const folder = useFolder();
  const lockPath = () => `${folder()}/emulator.lock`;
  const ownerPath = () => `${folder()}/emulator.owner.json`;
  const locks: StateLock[] = [];

  /** What a process leaves that was killed. */
  const lockOf = async (owner: string | object, touched = new Date()) => {
    await mkdir(lockPath(), { recursive: true });
    await writeFile(ownerPath(), typeof owner === 'string' ? owner : JSON.stringify(owner));
    await utimes(lockPath(), touched, touched);
  };
  const acquire = async (options?: Parameters<typeof StateLock.acquire>[1]) => {
    const lock = await StateLock.acquire(folder(), options);
    locks.push(lock);
    return lock;
  };
  const pidOfOwner = async () => (JSON.parse(await readFile(ownerPath(), 'utf8')) as { pid: number }).pid;

  afterEach(() => Promise.all(locks.splice(0).map((lock) => lock.release())));

  it('tells the second who the first is, and where', async () => {
    const first = await acquire();
    const details = { pid: process.pid, host: hostname(), file: lockPath() };
    await rejects(acquire(), { code: 'HCM_STATE_LOCKED', details });
    await first.setEndpoint('sb://localhost:1234/');
    await rejects(acquire(), {
      code: 'HCM_STATE_LOCKED',
      details: { ...details, endpoint: 'sb://localhost:1234/' },
    });
  });

  it('is free again once released, and leaves nothing', async () => {
    await (await acquire()).release();
    const again = await acquire();
    equal(again.isHeld, true);
    await again.release();
    await again.release();
    equal(again.isHeld, false);
    deepEqual(await readdir(folder()), []);
  });

  it('is released also when its folder is gone', async () => {
    const lock = await acquire();
    await rm(folder(), { recursive: true });
    await lock.release();
  });

  it('is taken over at once from a process that was killed', async () => {
    const child = await Child.start('./lock-process.ts', folder());
    await rejects(acquire(), { code: 'HCM_STATE_LOCKED' });
    await child.kill();
    await acquire();
    equal(await pidOfOwner(), process.pid);
    deepEqual((await readdir(folder())).sort(), ['emulator.lock', 'emulator.owner.json']);
  });

  it('is taken over from an earlier process of the same number', async () => {
    await lockOf({ pid: process.pid, host: hostname(), process: 'another one' });
    await acquire(running);
  });

  it('is kept by a process that runs', async () => {
    await lockOf({ pid: OTHER, host: hostname(), process: '' });
    await rejects(acquire(running), { code: 'HCM_STATE_LOCKED', message: /process 424242/ });
  });

  it('is kept by another machine, whose processes cannot be seen, while it shows life', async () => {
    await lockOf({ pid: OTHER, host: 'elsewhere', process: '' });
    await rejects(acquire(dead), { code: 'HCM_STATE_LOCKED', message: /424242 on elsewhere/ });
    await utimes(lockPath(), LONG_AGO, LONG_AGO);
    await acquire(dead);
    equal(await pidOfOwner(), process.pid);
  });

  it('is kept by whoever did not say who it is, while it shows life', async () => {
    await lockOf('{"pid":');
    await rejects(acquire(dead), { code: 'HCM_STATE_LOCKED', message: /an unknown process/ });
    await utimes(lockPath(), LONG_AGO, LONG_AGO);
    await acquire(dead);
  });

  it('is got by one of many who come at once, also over a dead one', async () => {
    await lockOf({ pid: OTHER, host: hostname(), process: '' });
    const isRunning = (pid: number) => pid !== OTHER;
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => acquire({ isRunning })));
    equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of tries) {
      if (result.status === 'rejected') equal((result.reason as HcmError).code, 'HCM_STATE_LOCKED');
    }
  });

  it('is taken over though somebody died in the middle of taking it', async () => {
    await mkdir(`${folder()}/emulator.guard`, { recursive: true });
    await utimes(`${folder()}/emulator.guard`, LONG_AGO, LONG_AGO);
    await lockOf({ pid: OTHER, host: hostname(), process: '' });
    await acquire(dead);
  });

  it('says so, once, when it was lost to somebody else, and leaves theirs alone', async () => {
    const lost: HcmError[] = [];
    const lock = await acquire({ updateMs: 1000, onLost: (error) => lost.push(error) });
    await lockOf({ pid: OTHER, host: hostname(), process: '' });
    await until(() => lost.length > 0, 'the loss');
    equal(lost[0]?.code, 'HCM_STATE_LOCKED');
    equal(lock.isHeld, false);
    await lock.setEndpoint('sb://localhost:1/');
    await lock.release();
    equal(await pidOfOwner(), OTHER);
    await rejects(acquire(running), { message: /process 424242/ });
    equal(lost.length, 1);
  });

  it('says HCM_STATE_UNWRITABLE where no lock can be', async () => {
    await writeFile(folder(), '');
    await rejects(acquire(), { code: 'HCM_STATE_UNWRITABLE' });
  });
});
