/** How long the emulator takes inside a process, its code loaded, from the call to `ready`: {"ready":true,"ms":N}. */
import { pathToFileURL } from 'node:url';
import type * as Library from '../../src/index.ts';
import { readConfig, sayReady, type EmulatorStartConfig } from './entry.ts';

const { library } = readConfig<EmulatorStartConfig>();
const { createEmulator } = (await import(pathToFileURL(library).href)) as typeof Library;

const start = performance.now();
const emulator = await createEmulator({ connections: [{ name: 'bench', target: '127.0.0.1:9' }] });
sayReady({ ms: performance.now() - start });
await emulator.stop();
