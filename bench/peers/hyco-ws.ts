/**
 * Microsoft's own Node listener, unmodified, under our relay and our sender. It is installed by test/real/clients,
 * with a lock file of its own; without that install the peer is unavailable.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnReady } from '../children.ts';
import { ours, startLibraryRelay, startLibrarySender } from '../ours.ts';
import { checkoutDir, scratchDir } from '../places.ts';
import { Chain, portOf } from './chain.ts';
import type { Peer } from './peer.ts';

const clientsDir = join(checkoutDir, 'test', 'real', 'clients');

export const hycoWs: Peer = {
  name: 'hyco-ws',
  legs: ['plain', 'tls'],
  async available() {
    if (existsSync(join(clientsDir, 'node_modules', 'hyco-ws'))) return ours.available();
    return 'hyco-ws is not installed (test/real/clients/install.sh)';
  },
  start(options) {
    return Chain.build(async (chain) => {
      const relay = await startLibraryRelay(chain, { ...options, addressScheme: options.tls ? 'wss' : 'ws' });
      const field = (name: string) =>
        new RegExp(`${name}=([^;]+)`).exec(relay.listenerConnectionString)?.[1] ?? '';
      const env = {
        HYCO_MODE: 'pump',
        HYCO_TARGET_PORT: String(options.targetPort),
        HYCO_RELAY_URI: `${options.tls ? 'wss' : 'ws'}://localhost:${relay.port}`,
        HYCO_PATH: field('EntityPath'),
        HYCO_KEY_NAME: field('SharedAccessKeyName'),
        HYCO_KEY: field('SharedAccessKey'),
        ...trust(relay.caPem),
      };
      const isReady = (line: Record<string, unknown>) => line['event'] === 'listening';
      const program = join(clientsDir, 'hyco-listener.cjs');
      chain.add('listener', await spawnReady(process.execPath, [program], { env, isReady }));
      return portOf(await startLibrarySender(chain, relay, options));
    });
  },
};

/** hyco-ws has no option for a CA, so this one process gets it by environment (which costs only its start-up). */
function trust(caPem: string): Record<string, string> {
  if (caPem === '') return {};
  const file = join(scratchDir('hyco-ws'), 'ca.pem');
  writeFileSync(file, caPem);
  return { NODE_EXTRA_CA_CERTS: file };
}
