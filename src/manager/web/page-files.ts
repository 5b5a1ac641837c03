/** The files of the page, as the build made them. Only what a listing of their folder has is served. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, posix, relative, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
const INDEX = 'index.html';
/** Vite's `assets/NAME-HASH.EXT`: another content has another name. */
const HASHED = /^assets\/.+-[\w-]{8}\.\w+$/;

export interface PageFile {
  readonly content: Buffer;
  readonly type: string;
  readonly etag: string;
  /** It never changes under this name. */
  readonly isImmutable: boolean;
}

/** The file of a path of a URL; undefined when there is none. Asks the disk each time: it may have been built anew. */
export async function loadPageFile(folder: string, path: string): Promise<PageFile | undefined> {
  const name = path === '/' ? INDEX : path.slice(1);
  const type = TYPES[extname(name)];
  if (type === undefined || !(await fileNames(folder)).includes(name)) return undefined;
  const content = await readFile(join(folder, name));
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  return { content, type, etag, isImmutable: HASHED.test(name) };
}

/** With `/`, from the folder; none where there is no folder. Links are not followed. */
async function fileNames(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll(sep, posix.sep));
}
