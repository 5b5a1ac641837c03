/** An emulator in a process of its own, to be killed: `node --import=tsx emulator-process.ts '<options>'`. */
import { createEmulator, type EmulatorOptions } from '../../src/emulator/create-emulator.ts';

const emulator = await createEmulator(JSON.parse(process.argv[2] ?? '{}') as EmulatorOptions);
const { port, caPem, connections, state } = emulator;
process.stdout.write(`${JSON.stringify({ port, caPem, connections, state })}\n`);
// The parent's death ends it too.
process.stdin.on('end', () => process.exit()).resume();
