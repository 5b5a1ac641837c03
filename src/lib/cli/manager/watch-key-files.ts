/**
 * Tells when a file with a connection string was changed. It looks at the file itself now and then, through links, since
 * secrets that are mounted are replaced by moving a link, which no watch on the file would see.
 */
import { unwatchFile, watchFile, type StatsListener } from 'node:fs';

/** A key is changed seldom; this is soon enough, and costs one stat(2) a file. */
const LOOK_MS = 2_000;

export class KeyFileWatch {
  readonly #onChange: (path: string) => void;
  readonly #intervalMs: number;
  readonly #watched = new Map<string, StatsListener>();

  constructor(onChange: (path: string) => void, intervalMs = LOOK_MS) {
    this.#onChange = onChange;
    this.#intervalMs = intervalMs;
  }

  /** From now on exactly these. */
  follow(paths: readonly string[]): void {
    const wanted = new Set(paths);
    for (const path of this.#watched.keys()) if (!wanted.has(path)) this.#leave(path);
    for (const path of wanted) {
      if (this.#watched.has(path)) continue;
      const tell = () => this.#onChange(path);
      this.#watched.set(path, tell);
      watchFile(path, { interval: this.#intervalMs, persistent: false }, tell);
    }
  }

  stop(): void {
    this.follow([]);
  }

  #leave(path: string): void {
    const tell = this.#watched.get(path);
    this.#watched.delete(path);
    if (tell) unwatchFile(path, tell);
  }
}
