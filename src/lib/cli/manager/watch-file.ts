/** Tells when a file has been edited: editors write in place, or put a new file in its place. It may not exist yet. */
import { watch } from 'chokidar';
import { existsSync, unwatchFile, watchFile as pollFile } from 'node:fs';
import { dirname } from 'node:path';

/** An editor may write in several steps; the last one counts. */
const SETTLED_MS = 200;
/** Where there is no folder to watch, it is looked for; one stat(2) each time. */
const LOOK_MS = 2_000;

/**
 * Calls `onEdit` once it watches, and after each edit, whatever it rejects with. Resolves, once it watches, with what ends
 * it.
 */
export async function watchFile(
  path: string,
  onEdit: () => Promise<unknown>,
  { lookMs = LOOK_MS }: { lookMs?: number } = {},
): Promise<() => Promise<void>> {
  const tell = () => void onEdit().catch(() => undefined);
  if (existsSync(dirname(path))) return watchInFolder(path, tell);
  let watching: Promise<() => Promise<void>> | undefined;
  const look = () => {
    if (watching !== undefined || !existsSync(path)) return;
    unwatchFile(path, look);
    watching = watchInFolder(path, tell);
  };
  pollFile(path, { interval: lookMs }, look);
  return async () => {
    unwatchFile(path, look);
    await (
      await watching
    )?.();
  };
}

async function watchInFolder(path: string, tell: () => void): Promise<() => Promise<void>> {
  const watcher = watch(path, {
    ignoreInitial: true,
    awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: SETTLED_MS / 4 },
  });
  watcher.on('all', tell);
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  // What was written until it is watched was not seen.
  tell();
  return () => watcher.close();
}
