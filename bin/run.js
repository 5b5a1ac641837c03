#!/usr/bin/env node
// The installed program: the bundle in dist/, nothing else.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../dist/lib/cli/main.js';

await main({ root: dirname(dirname(fileURLToPath(import.meta.url))) });
