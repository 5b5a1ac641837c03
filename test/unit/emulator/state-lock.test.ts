/** One emulator a folder: the second is told of the first, and the dead hold nothing. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { StateLock, type Processes } from '../../../src/emulator/state-lock.ts';
import { useFolder } from './temporary-folder.ts';

/** Processes by pid, with when they started. */
const world = (running: Record<number, string>): Processes => ({
  isRunning: (pid) => pid in running,
  startOf: (pid) => Promise.resolve(running[pid] ?? ''),
});
const OTHER = 424_242;

describe('StateLock', () => {
  const folder = useFolder();
  const path = () => `${folder()}/emulator.lock`;
  const lockOf = async (owner: object, text = JSON.stringify(owner)) => {
    await mkdir(folder(), { recursive: true });
    await writeFile(path(), text);
  };

  it('tells the second who the first is, and where', async () => {
    const first = await StateLock.acquire(folder());
    await rejects(StateLock.acquire(folder()), {
      code: 'HCM_STATE_LOCKED',
      details: { pid: process.pid, host: hostname(), file: path() },
    });
    await first.setEndpoint('sb://localhost:1234/');
    await rejects(StateLock.acquire(folder()), {
      code: 'HCM_STATE_LOCKED',
      details: { pid: process.pid, host: hostname(), file: path(), endpoint: 'sb://localhost:1234/' },
    });
  });

  it('is free again once released', async () => {
    await (await StateLock.acquire(folder())).release();
    await (await StateLock.acquire(folder())).release();
    deepEqual(await readdir(folder()), []);
  });

  it('is taken over from a process that died', async () => {
    await lockOf({ pid: OTHER, host: hostname(), processStart: 'then' });
    await StateLock.acquire(folder(), world({ [process.pid]: 'now' }));
    equal((JSON.parse(await readFile(path(), 'utf8')) as { pid: number }).pid, process.pid);
    deepEqual(await readdir(folder()), ['emulator.lock']);
  });

  it('is taken over when another process has got the number since', async () => {
    await lockOf({ pid: OTHER, host: hostname(), processStart: 'then' });
    await StateLock.acquire(folder(), world({ [process.pid]: 'now', [OTHER]: 'later' }));
  });

  it('is kept by a process that runs, also where nobody knows since when', async () => {
    for (const processStart of ['then', '']) {
      await lockOf({ pid: OTHER, host: hostname(), processStart });
      await rejects(StateLock.acquire(folder(), world({ [OTHER]: 'then' })), { code: 'HCM_STATE_LOCKED' });
    }
  });

  it('is kept by another machine, whose processes cannot be seen', async () => {
    await lockOf({ pid: OTHER, host: 'elsewhere', processStart: '' });
    await rejects(StateLock.acquire(folder(), world({})), { code: 'HCM_STATE_LOCKED' });
  });

  it('is got by one of many who come at once, also over a dead one', async () => {
    await lockOf({ pid: OTHER, host: hostname(), processStart: 'then' });
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, () => StateLock.acquire(folder(), world({ [process.pid]: '' }))),
    );
    equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of tries) {
      if (result.status === 'rejected') equal((result.reason as { code: string }).code, 'HCM_STATE_LOCKED');
    }
  });

  it('is taken over when whoever began to write it never ended', async () => {
    await lockOf({}, '');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path(), longAgo, longAgo);
    await StateLock.acquire(folder());
  });

  it('says HCM_STATE_UNWRITABLE where no lock can be', async () => {
    await writeFile(folder(), '');
    await rejects(StateLock.acquire(folder()), { code: 'HCM_STATE_UNWRITABLE' });
  });

  it('knows its own process', async () => {
    await StateLock.acquire(folder());
    const owner = JSON.parse(await readFile(path(), 'utf8')) as { pid: number; processStart: string };
    equal(owner.pid, process.pid);
    if (process.platform === 'linux') equal(/^[0-9a-f-]{36} \d+$/.test(owner.processStart), true);
  });
});
