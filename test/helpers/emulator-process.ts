/** An emulator in a process of its own, to be killed: `node --import=tsx emulator-process.ts '<options>'`. */
import { serveParent } from './child-side.ts';
import { createEmulator, type EmulatorOptions } from '../../src/emulator/create-emulator.ts';

const emulator = await createEmulator(JSON.parse(process.argv[2] ?? '{}') as EmulatorOptions);
const { port, caPem, connections, state } = emulator;
serveParent({ port, caPem, connections, state });
