/** Our relay in a process of its own. NOT WIRED YET: fill in with the library once src/index.ts exports it. */
import { readConfig, type RelayConfig } from './entry.ts';

const config = readConfig<RelayConfig>();

process.stderr.write(`bench/ours/relay.ts is not wired to src/index.ts yet (${config.entityName})\n`);
process.exit(1);
