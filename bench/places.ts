/** Where things are. `bench/results` is git-ignored: results, bundles, compiled programs, certificates, keys. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchDir = dirname(fileURLToPath(import.meta.url));
export const checkoutDir = dirname(benchDir);
export const resultsDir = join(benchDir, 'results');

/** A folder of bench/results for the scratch files of one noun, made when missing. */
export function scratchDir(name: string): string {
  const dir = join(resultsDir, 'build', name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}
