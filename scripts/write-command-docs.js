// Writes docs/commands, one page a command. With --check it writes nothing and fails when a page is not as it would
// be written.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { register } from 'tsx/esm/api';

register();
const { docsFolder, renderPages } = await import('./command-docs.ts');

const pages = await renderPages();
mkdirSync(docsFolder, { recursive: true });
const present = new Map(
  readdirSync(docsFolder).map((file) => [file, readFileSync(join(docsFolder, file), 'utf8')]),
);
const stale = [...new Set([...pages.keys(), ...present.keys()])].filter(
  (file) => pages.get(file) !== present.get(file),
);

if (!process.argv.includes('--check')) {
  for (const file of stale) {
    const text = pages.get(file);
    if (text === undefined) rmSync(join(docsFolder, file));
    else writeFileSync(join(docsFolder, file), text);
  }
} else if (stale.length > 0) {
  console.error(`docs/commands is out of date (npm run docs): ${stale.join(', ')}`);
  process.exitCode = 1;
}
