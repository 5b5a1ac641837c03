/**
 * One emulator a state folder: a lock of `proper-lockfile`, a folder whose time its holder keeps fresh, and beside it
 * a file that names the holder. A holder of this machine that died is taken over at once; another (of a machine or
 * container that cannot be seen from here, or whose number has gone to another process) when its lock is stale.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LockOptions } from 'proper-lockfile';
import { HcmError } from '../protocol/errors.ts';
import { codeOf, writeAtomically } from './state-file.ts';

const LOCK_NAME = 'emulator.lock';
const OWNER_NAME = 'emulator.owner.json';
/** Held for the moment in which a lock is looked at, taken or left, so that lock and owner always belong together. */
const GUARD_NAME = 'emulator.guard';
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** A holder that did not run for so long (stopped by Ctrl-Z, asleep) loses its lock to whoever asks for it. */
const STALE_MS = 20_000;
const UPDATE_MS = 5_000;
/** Whoever dies with the guard in hand holds others up for so long: the least that the library takes. */
const GUARD_STALE_MS = 2_000;
const GUARD_RETRY_MS = 20;
const GUARD_WAIT_MS = 2 * GUARD_STALE_MS;

/** Tells this process from an earlier one of the same number: in a container it is always the same. */
const THIS_PROCESS = randomUUID();

interface LockOwner {
  readonly pid: number;
  readonly host: string;
  readonly process: string;
  /** Where the emulator answers, once it does. */
  readonly endpoint?: string | undefined;
}

export interface StateLockOptions {
  /**
   * The lock was lost, since this process did not run for long: another emulator may have the state now. Called once;
   * the state must not be written any more.
   */
  onLost?: ((error: HcmError) => void) | undefined;
  /** How often the holder says that it lives; at least 1000. Default 5000. */
  updateMs?: number | undefined;
  /** Whether a process of this machine runs; a test's own in tests. */
  isRunning?: ((pid: number) => boolean) | undefined;
}

export class StateLock {
  readonly #folder: string;
  readonly #options: StateLockOptions;
  #free: (() => Promise<void>) | undefined;

  private constructor(folder: string, options: StateLockOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * Locks a folder, which is made where it is missing.
   * @throws HcmError HCM_STATE_LOCKED, `details` has `pid` and, once known, `endpoint` of the owner;
   * HCM_STATE_UNWRITABLE.
   */
  static async acquire(folder: string, options: StateLockOptions = {}): Promise<StateLock> {
    const stateLock = new StateLock(folder, options);
    try {
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      await guarded(folder, () => stateLock.#take());
      return stateLock;
    } catch (error) {
      if (error instanceof HcmError) throw error;
      const cause = codeOf(error);
      throw new HcmError('HCM_STATE_UNWRITABLE', `Cannot lock ${folder}: ${cause}.`, {
        details: { folder, cause },
      });
    }
  }

  /** Tells the next one who tries where this emulator answers. */
  async setEndpoint(endpoint: string): Promise<void> {
    if (this.#free) await this.#writeOwner(endpoint);
  }

  /** False once it was lost or released. */
  get isHeld(): boolean {
    return this.#free !== undefined;
  }

  /** Leaves nothing of it behind; does nothing when it was lost. */
  async release(): Promise<void> {
    const free = this.#free;
    this.#free = undefined;
    if (free === undefined) return;
    try {
      await guarded(this.#folder, async () => {
        await rm(join(this.#folder, OWNER_NAME), { force: true });
        await free();
      });
    } catch (error) {
      await free().catch(() => undefined);
      // The folder was deleted in the meantime, the lock with it.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  async #take(): Promise<void> {
    const path = join(this.#folder, LOCK_NAME);
    try {
      this.#free = await this.#lock();
    } catch (error) {
      if (codeOf(error) !== 'ELOCKED') throw error;
      const owner = await readOwner(this.#folder);
      if (owner === undefined || this.#mayRun(owner)) throw locked(path, owner);
      await rm(path, { recursive: true, force: true });
      this.#free = await this.#lock();
    }
    await this.#writeOwner();
  }

  async #lock(): Promise<() => Promise<void>> {
    return lockFolder(this.#folder, {
      lockfilePath: join(this.#folder, LOCK_NAME),
      stale: STALE_MS,
      update: this.#options.updateMs ?? UPDATE_MS,
      onCompromised: () => this.#lose(),
    });
  }

  #lose(): void {
    if (this.#free === undefined) return;
    this.#free = undefined;
    const folder = this.#folder;
    this.#options.onLost?.(
      new HcmError(
        'HCM_STATE_LOCKED',
        `The lock of ${folder} was lost: another emulator may use the state.`,
        {
          details: { folder },
        },
      ),
    );
  }

  /** Of another machine's processes (a shared folder, a container) only the age of the lock tells. */
  #mayRun({ pid, host, process: id }: LockOwner): boolean {
    if (host !== hostname()) return true;
    return pid === process.pid ? id === THIS_PROCESS : (this.#options.isRunning ?? isRunning)(pid);
  }

  #writeOwner(endpoint?: string): Promise<void> {
    const owner: LockOwner = { pid: process.pid, host: hostname(), process: THIS_PROCESS, endpoint };
    return writeAtomically(join(this.#folder, OWNER_NAME), JSON.stringify(owner), FILE_MODE);
  }
}

async function guarded(folder: string, act: () => Promise<void>): Promise<void> {
  const free = await waitForGuard(join(folder, GUARD_NAME));
  try {
    await act();
  } finally {
    // Lost, when the machine stood still in the middle of it.
    await free().catch(() => undefined);
  }
}

async function waitForGuard(path: string): Promise<() => Promise<void>> {
  const options = {
    lockfilePath: path,
    realpath: false,
    stale: GUARD_STALE_MS,
    onCompromised: () => undefined,
  };
  // The library's own retries would try again whatever the error.
  for (const deadline = performance.now() + GUARD_WAIT_MS; ; await sleep(GUARD_RETRY_MS)) {
    try {
      return await lockFolder(path, options);
    } catch (error) {
      if (codeOf(error) !== 'ELOCKED' || performance.now() > deadline) throw error;
    }
  }
}

/** Loaded where a lock is wanted: the library listens to signals from then on, to free its locks at the end. */
async function lockFolder(path: string, options: LockOptions): Promise<() => Promise<void>> {
  const { default: properLockfile } = await import('proper-lockfile');
  return properLockfile.lock(path, options);
}

function locked(path: string, owner: LockOwner | undefined): HcmError {
  const { pid, host, endpoint } = owner ?? {};
  const where = endpoint === undefined ? '' : ` at ${endpoint}`;
  const machine = host === undefined || host === hostname() ? '' : ` on ${host}`;
  const who = pid === undefined ? 'an unknown process' : `process ${pid}${machine}`;
  return new HcmError(
    'HCM_STATE_LOCKED',
    `An emulator with this state runs already${where}: ${who}. Its lock is ${path}.`,
    {
      details: {
        ...(pid === undefined ? {} : { pid }),
        ...(host === undefined ? {} : { host }),
        file: path,
        ...(endpoint === undefined ? {} : { endpoint }),
      },
    },
  );
}

async function readOwner(folder: string): Promise<LockOwner | undefined> {
  try {
    const owner = JSON.parse(await readFile(join(folder, OWNER_NAME), 'utf8')) as Partial<LockOwner>;
    const { pid, host, process: id = '', endpoint } = owner;
    if (typeof pid !== 'number' || typeof host !== 'string') return undefined;
    return { pid, host, process: id, endpoint };
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
