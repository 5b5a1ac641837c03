/** What a manager that is taken away leaves in its folder: nothing that would be missed, or connections. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The manager makes these again by itself; a log that was rotated has its time before its name. */
const MADE_AGAIN = /^(?:(?:\d{8}-\d{4}-\d+-)?manager\.log(?:\.txt)?|control\.sock|manager\.socket)$/;
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
