/**
 * Microsoft's own Node listener, unmodified, under our relay and our sender. The package lives in test/real/clients
 * with a lock file of its own (hyco-ws 1.0.5, ws 1.1, moment); without that install the peer is unavailable.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entityName, ours } from '../ours.ts';
import type { RelayConfig, RelayReady, SenderConfig } from '../ours/entry.ts';
import { checkoutDir, scratchDir } from '../places.ts';
import { Chain, portOf } from './chain.ts';
import type { HycoListenerConfig } from './hops/hyco-listener.ts';
import type { Peer } from './peer.ts';

const clientsDir = join(checkoutDir, 'test', 'real', 'clients');

export const hycoWs: Peer = {
  name: 'hyco-ws',
  legs: ['plain', 'tls'],
  async available() {
    if (!existsSync(join(clientsDir, 'node_modules', 'hyco-ws'))) {
      return 'hyco-ws is not installed in test/real/clients (npm ci there)';
    }
    return ours.available();
  },
  start({ tls, targetPort }) {
    return Chain.build(async (chain) => {
      const relayConfig: RelayConfig = { tls, entityName, target: { host: '127.0.0.1', port: targetPort } };
      const relay = await chain.node('relay', 'ours/relay.ts', relayConfig);
      const { port, caPem, listenerConnectionString, senderConnectionString } =
        relay.ready as unknown as RelayReady;
      const connectionString = listenerConnectionString;
      const listener: HycoListenerConfig = {
        clientsDir,
        tls,
        relayPort: port,
        entityName,
        connectionString,
        targetPort,
      };
      await chain.node('listener', 'peers/hops/hyco-listener.ts', listener, { env: trust(caPem) });
      const common = { tls, relayPort: port, entityName, dialect: 'raw' as const, ...(caPem && { caPem }) };
      const sender: SenderConfig = { ...common, connectionString: senderConnectionString };
      return portOf(await chain.node('sender', 'ours/sender.ts', sender));
    });
  },
};

/** hyco-ws has no option for a CA, so this one process gets it by environment (which costs only its start-up). */
function trust(caPem: string | undefined): Record<string, string> {
  if (!caPem) return {};
  const file = join(scratchDir('hyco-ws'), 'ca.pem');
  writeFileSync(file, caPem);
  return { NODE_EXTRA_CA_CERTS: file };
}
