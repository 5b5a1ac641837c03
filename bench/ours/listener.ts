/** Our listener in a process of its own. NOT WIRED YET: fill in with the library once src/index.ts exports it. */
import { readConfig, type ListenerConfig } from './entry.ts';

const config = readConfig<ListenerConfig>();

process.stderr.write(`bench/ours/listener.ts is not wired to src/index.ts yet (${config.entityName})\n`);
process.exit(1);
