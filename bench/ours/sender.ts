/** Our sender in a process of its own. NOT WIRED YET: fill in with the library once src/index.ts exports it. */
import { readConfig, type SenderConfig } from './entry.ts';

const config = readConfig<SenderConfig>();

process.stderr.write(`bench/ours/sender.ts is not wired to src/index.ts yet (${config.entityName})\n`);
process.exit(1);
