/**
 * One emulator a state folder: a file that names its owner. Locks of processes that died are taken over; on Linux
 * also when their number has gone to another process since.
 */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HcmError } from '../protocol/errors.ts';
import { codeOf, writeAtomically, writeDurably } from './state-file.ts';

const FILE_NAME = 'emulator.lock';
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** A lock without readable owner is being written; after this long its writer has died, in ms. */
const UNFINISHED_MS = 2_000;
const RETRY_MS = 20;

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system counts it; tells a reused pid. '' where that is not known. */
  readonly processStart: string;
  /** Where the emulator answers, once it does. */
  readonly endpoint?: string | undefined;
}

/** Whether a process runs, and since when; a test's own in tests. */
export interface Processes {
  isRunning(pid: number): boolean;
  startOf(pid: number): Promise<string>;
}

export class StateLock {
  readonly path: string;
  #owner: LockOwner;

  private constructor(path: string, owner: LockOwner) {
    this.path = path;
    this.#owner = owner;
  }

  /**
   * Locks a folder, which is made where it is missing.
   * @throws HcmError HCM_STATE_LOCKED, `details` has `pid` and, once known, `endpoint` of the owner;
   * HCM_STATE_UNWRITABLE.
   */
  static async acquire(folder: string, processes: Processes = thisMachine): Promise<StateLock> {
    const path = join(folder, FILE_NAME);
    const { pid } = process;
    const owner: LockOwner = { pid, host: hostname(), processStart: await processes.startOf(pid) };
    try {
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      while (!(await create(path, owner))) await makeWay(path, processes);
    } catch (error) {
      if (error instanceof HcmError) throw error;
      const cause = codeOf(error);
      throw new HcmError('HCM_STATE_UNWRITABLE', `Cannot lock ${folder}: ${cause}.`, {
        details: { folder, cause },
      });
    }
    return new StateLock(path, owner);
  }

  /** Tells the next one who tries where this emulator answers. */
  async setEndpoint(endpoint: string): Promise<void> {
    this.#owner = { ...this.#owner, endpoint };
    await writeAtomically(this.path, JSON.stringify(this.#owner), FILE_MODE);
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function create(path: string, owner: LockOwner): Promise<boolean> {
  try {
    await writeDurably(path, JSON.stringify(owner), FILE_MODE);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose owner has died; waits for one that is being made; throws for one that holds. */
async function makeWay(path: string, processes: Processes): Promise<void> {
  const text = await readFile(path, 'utf8').catch(ignoreMissing);
  if (text === undefined) return;
  const owner = parseOwner(text);
  if (owner !== undefined && (await holds(owner, processes))) throw locked(path, owner);
  const isStale = owner !== undefined || (await ageOf(path)) > UNFINISHED_MS;
  if (!isStale || !(await removeIfSame(path, text))) await sleep(RETRY_MS);
}

/** Two who find the same dead owner must not remove each other's new lock: only one at a time compares and removes. */
async function removeIfSame(path: string, text: string): Promise<boolean> {
  const guard = `${path}.takeover`;
  try {
    await writeDurably(guard, '', FILE_MODE);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if ((await ageOf(guard)) > UNFINISHED_MS) await rm(guard, { force: true });
    return false;
  }
  try {
    const now = await readFile(path, 'utf8').catch(ignoreMissing);
    if (now === text) await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

async function holds(owner: LockOwner, processes: Processes): Promise<boolean> {
  // Another machine's processes (a shared folder, a container) cannot be seen from here.
  if (owner.host !== hostname()) return true;
  if (!processes.isRunning(owner.pid)) return false;
  return owner.processStart === '' || owner.processStart === (await processes.startOf(owner.pid));
}

function locked(path: string, { pid, host, endpoint }: LockOwner): HcmError {
  const where = endpoint === undefined ? '' : ` at ${endpoint}`;
  const machine = host === hostname() ? '' : ` on ${host}`;
  return new HcmError(
    'HCM_STATE_LOCKED',
    `An emulator with this state runs already${where}: process ${pid}${machine}. Its lock is ${path}.`,
    { details: { pid, host, file: path, ...(endpoint === undefined ? {} : { endpoint }) } },
  );
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner>;
    const { pid, host, processStart = '', endpoint } = owner;
    if (typeof pid !== 'number' || typeof host !== 'string') return undefined;
    return { pid, host, processStart, endpoint };
  } catch {
    return undefined;
  }
}

async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(ignoreMissing);
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

const thisMachine: Processes = {
  isRunning(pid) {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return codeOf(error) === 'EPERM';
    }
  },
  /** Linux: clock ticks since boot, and which boot; the name in the second field may hold spaces. */
  async startOf(pid) {
    try {
      const [status, boot] = await Promise.all([
        readFile(`/proc/${pid}/stat`, 'utf8'),
        readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      ]);
      return `${boot.trim()} ${status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
    } catch {
      return '';
    }
  },
};
