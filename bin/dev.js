#!/usr/bin/env node
// The program from its sources, whatever is in dist/: for work on hcm itself.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

register();
const { main } = await import('../src/lib/cli/main.ts');
await main({ root: dirname(dirname(fileURLToPath(import.meta.url))), fromSource: true });
