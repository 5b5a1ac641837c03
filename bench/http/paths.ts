/**
 * The HTTP paths: a client, the relay, a listener, and a handler. `ours-http` has the handler in a target of its own, as
 * `hcm listen --target http://...` does; `ours-handler` and `hyco-https` have it in the listener's process.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from '../bundle.ts';
import { spawnReady } from '../children.ts';
import { ours, startLibraryRelay } from '../ours.ts';
import type { ListenerConfig, RelayReady } from '../ours/entry.ts';
import { Chain, portOf } from '../peers/chain.ts';
import type { HttpEntry, PathOptions, Peer } from '../peers/peer.ts';
import { checkoutDir, scratchDir } from '../places.ts';
import { sasResource, signSasToken } from '../../src/protocol/sas-token.ts';

const clientsDir = join(checkoutDir, 'test', 'real', 'clients', 'hyco-https');
const tokenLifeMs = 3_600_000;

export const directHttp: Peer = {
  name: 'direct-http',
  legs: ['plain'],
  available: () => Promise.resolve(undefined),
  start: () =>
    Chain.build(async (chain) => {
      const port = portOf(await chain.node('target', 'http/target.ts', {}));
      return { url: `http://127.0.0.1:${port}`, headers: {}, caPem: '' };
    }),
};

export const oursHttp = relayed(
  'ours-http',
  () => ours.available(),
  async (chain, relay, options) => {
    const port = portOf(await chain.node('target', 'http/target.ts', {}));
    await chain.node('listener', 'ours/listener.ts', {
      ...listenerOf(relay, options),
      http: { host: '127.0.0.1', port },
    });
  },
);

export const oursHandler = relayed(
  'ours-handler',
  () => ours.available(),
  async (chain, relay, options) => {
    const handler = await bundled('http/handler.ts');
    await chain.node('listener', 'ours/listener.ts', { ...listenerOf(relay, options), handler });
  },
);

/** Microsoft's own listener for HTTP, unmodified, installed by test/real/clients. */
export const hycoHttps = relayed(
  'hyco-https',
  async () => {
    if (existsSync(join(clientsDir, 'node_modules', 'hyco-https'))) return ours.available();
    return 'hyco-https is not installed (test/real/clients/install.sh)';
  },
  async (chain, relay, { tls }) => {
    const caFile = join(scratchDir('hyco-https'), 'ca.pem');
    writeFileSync(caFile, relay.caPem);
    const key = fieldsOf(relay.listenerConnectionString);
    const env = {
      HYCO_HANDLER: await bundled('http/handler.ts'),
      HYCO_RELAY_URI: `${tls ? 'wss' : 'ws'}://localhost:${relay.port}`,
      HYCO_PATH: key('EntityPath'),
      HYCO_KEY_NAME: key('SharedAccessKeyName'),
      HYCO_KEY: key('SharedAccessKey'),
      // It has no option for a CA; this costs only its start-up.
      ...(tls && { NODE_EXTRA_CA_CERTS: caFile }),
    };
    const isReady = (line: Record<string, unknown>): boolean => line['event'] === 'listening';
    const argv = ['--no-deprecation', join(clientsDir, 'hyco-https-listener.cjs')];
    chain.add('listener', await spawnReady(process.execPath, argv, { env, isReady }));
  },
);

function relayed(
  name: string,
  available: Peer['available'],
  listen: (chain: Chain, relay: RelayReady, options: PathOptions) => Promise<void>,
): Peer {
  return {
    name,
    legs: ['plain', 'tls'],
    available,
    start: (options) =>
      Chain.build(async (chain) => {
        const addressScheme = options.tls ? 'wss' : 'ws';
        const relay = await startLibraryRelay(chain, { ...options, addressScheme });
        await listen(chain, relay, options);
        return entryOf(relay, options);
      }),
  };
}

function listenerOf({ caPem, listenerConnectionString }: RelayReady, { tls }: PathOptions): ListenerConfig {
  return { tls, caPem, connectionString: listenerConnectionString, dialect: 'raw' };
}

/** Where senders ask, with a token as `hcm token` would mint it. */
function entryOf({ port, caPem, senderConnectionString }: RelayReady, { tls }: PathOptions): HttpEntry {
  const field = fieldsOf(senderConnectionString);
  const entity = field('EntityPath');
  const token = signSasToken({
    resource: sasResource('localhost', entity),
    keyName: field('SharedAccessKeyName'),
    key: field('SharedAccessKey'),
    expiresAtMs: Date.now() + tokenLifeMs,
  });
  const url = `${tls ? 'https' : 'http'}://localhost:${port}/${entity}`;
  return { url, headers: { ServiceBusAuthorization: token }, caPem };
}

function fieldsOf(connectionString: string): (name: string) => string {
  return (name) => new RegExp(`(?:^|;)${name}=([^;]+)`).exec(connectionString)?.[1] ?? '';
}
