/** Tells when a file has been edited: editors write in place, or put a new file in its place. */
import { watch } from 'chokidar';

/** An editor may write in several steps; the last one counts. */
const SETTLED_MS = 200;

/** Calls `onEdit` after each edit, whatever it rejects with. Resolves, once it watches, with what ends it. */
export async function watchFile(path: string, onEdit: () => Promise<unknown>): Promise<() => Promise<void>> {
  const watcher = watch(path, {
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: SETTLED_MS / 4 },
  });
  watcher.on('all', () => void onEdit().catch(() => undefined));
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  return () => watcher.close();
}
