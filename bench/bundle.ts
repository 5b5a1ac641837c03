/**
 * Turns TypeScript entry files into plain JavaScript, so that a measured process carries no loader: tsx would add a
 * thread, memory and start-up time. npm packages stay outside and are found in the checkout's node_modules.
 */
import { build } from 'esbuild';
import { join } from 'node:path';
import { benchDir, scratchDir } from './places.ts';

const built = new Map<string, Promise<string>>();

/** The path of the bundled entry file; `entry` is relative to bench/. Built once a run. */
export function bundled(entry: string): Promise<string> {
  let file = built.get(entry);
  if (!file) built.set(entry, (file = bundle(entry)));
  return file;
}

async function bundle(entry: string): Promise<string> {
  const outfile = join(scratchDir('entries'), entry.replaceAll('/', '-').replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [join(benchDir, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}
