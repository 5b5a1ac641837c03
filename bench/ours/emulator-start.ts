/** How long the emulator takes inside a process, its code loaded, from the call to `ready`: {"ready":true,"ms":N}. */
import { createEmulator } from '../../src/index.ts';
import { sayReady } from './entry.ts';

const start = performance.now();
const emulator = await createEmulator({ connections: [{ name: 'bench', target: '127.0.0.1:9' }] });
sayReady({ ms: performance.now() - start });
await emulator.stop();
