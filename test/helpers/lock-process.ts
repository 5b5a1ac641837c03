/** Holds the lock of a state folder until it is killed: `node --import=tsx lock-process.ts '"<folder>"'`. */
import { StateLock } from '../../src/emulator/state-lock.ts';

await StateLock.acquire(JSON.parse(process.argv[2] ?? '""') as string);
process.stdout.write(`${JSON.stringify({ pid: process.pid })}\n`);
// The parent's death ends it too.
process.stdin.on('end', () => process.exit()).resume();
