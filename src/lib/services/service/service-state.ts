/** What a manager that is taken away leaves in its folder: nothing that would be missed, or connections. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Uninstalled } from './service-host.ts';

type Left = Pick<Uninstalled, 'removedFolders' | 'kept'>;

/** Of the folder of a manager that goes on belonging to whoever had it: removed with `purge`, else named. */
export async function leaveState(
  path: string,
  { root, purge }: { root: string; purge: boolean },
): Promise<Left> {
  const place = `${root}${path}`;
  const found = await worthKeeping(place);
  if (!purge)
    return { removedFolders: [], kept: found === undefined ? [] : [{ path, why: keptBecause(found, root) }] };
  await rm(place, { recursive: true, force: true });
  return { removedFolders: found === undefined ? [] : [path], kept: [] };
}

/** `found`: as `worthKeeping` says. */
export function keptBecause(found: string, root: string): string {
  return `connections and keys (${found.slice(root.length)}); --purge removes them`;
}

/** The manager makes these again by itself; logs that were rotated are counted. */
const MADE_AGAIN = /^(?:manager\.log(?:\.\d+)?|control\.sock|manager\.socket)$/;
/** Of no worth when nothing stands in them. */
const STORES = new Set(['connections.json', 'secrets.json']);
const IN_EVERY_STORE = new Set(['version', 'keychain']);

/**
 * What in this folder, of those that it holds at any depth, is more than the manager makes by itself; undefined: nothing.
 * What cannot be understood is worth keeping.
 */
export async function worthKeeping(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (MADE_AGAIN.test(entry.name)) continue;
    if (entry.isDirectory()) {
      const found = await worthKeeping(path);
      if (found !== undefined) return found;
    } else if (!STORES.has(entry.name) || !(await isEmptyStore(path))) return path;
  }
  return undefined;
}

/** Nothing in it but what the manager writes into every store. */
async function isEmptyStore(path: string): Promise<boolean> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as unknown;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.entries(value).every(([name, inner]) => IN_EVERY_STORE.has(name) || isEmpty(inner));
  } catch {
    return false;
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
