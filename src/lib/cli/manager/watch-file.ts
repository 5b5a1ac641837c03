/**
 * Tells when a file has been edited: editors write in place, or put a new file in its place. A watch tells at once, but it
 * hangs on the folder and on the link that were there when it was set, and there may be none to be had: so the file itself
 * is looked at, too. It may not exist yet.
 */
import { watch } from 'chokidar';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An editor may write in several steps; the last one counts. */
const SETTLED_MS = 200;
/** One stat(2) each time. What is the same at two looks is written. */
const LOOK_MS = 1_000;

/**
 * Calls `onEdit` once it watches, and after each edit, whatever it rejects with. Resolves, once it watches, with what ends
 * it.
 */
export async function watchFile(
  path: string,
  onEdit: () => Promise<unknown>,
  { lookMs = LOOK_MS }: { lookMs?: number } = {},
): Promise<() => Promise<void>> {
  const watched = new WatchedFile(path, onEdit);
  await watched.begin(lookMs);
  return () => watched.end();
}

class WatchedFile {
  readonly #path: string;
  readonly #onEdit: () => Promise<unknown>;
  /** As it was when `onEdit` was called last, and at the last look. */
  #told = '';
  #seen = '';
  #endWatch: () => Promise<void> = () => Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #hasEnded = false;

  constructor(path: string, onEdit: () => Promise<unknown>) {
    this.#path = path;
    this.#onEdit = onEdit;
  }

  async begin(lookMs: number): Promise<void> {
    await this.#watch();
    // What was written until it is watched was not seen.
    await this.#tell();
    this.#timer = setInterval(() => {
      if (this.#isLooking) return;
      this.#isLooking = true;
      void this.#look().finally(() => (this.#isLooking = false));
    }, lookMs);
  }

  /** Does not wait for a look: a folder of the network may not answer. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    await this.#endWatch();
  }

  async #tell(): Promise<void> {
    // First: what is written from now on is another edit.
    this.#told = await signOf(this.#path);
    if (this.#hasEnded) return;
    void this.#onEdit().catch(() => undefined);
  }

  /** An edit that no watch has told: whatever it hung on has gone. */
  async #look(): Promise<void> {
    const before = this.#seen;
    this.#seen = await signOf(this.#path);
    if (this.#seen === this.#told || this.#seen !== before) return;
    await this.#endWatch();
    if (this.#hasEnded) return;
    await this.#watch();
    await this.#tell();
  }

  /** One that fails, such as for want of watches (inotify(7)), is none. */
  async #watch(): Promise<void> {
    this.#endWatch = () => Promise.resolve();
    if (!existsSync(dirname(this.#path))) return;
    const watcher = watch(this.#path, {
      ignoreInitial: true,
      awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: SETTLED_MS / 4 },
    });
    this.#endWatch = () => watcher.close();
    watcher.on('all', () => void this.#tell());
    await new Promise<void>((resolve) => {
      watcher.once('ready', () => resolve());
      watcher.on('error', () => resolve());
    });
  }
}

/** Another one after each edit, also of what a link leads to. */
function signOf(path: string): Promise<string> {
  return stat(path).then(
    ({ dev, ino, size, mtimeMs }) => [dev, ino, size, mtimeMs].join(' '),
    () => 'none',
  );
}
