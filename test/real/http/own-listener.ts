// A program that serves relayed requests itself, through the door of the library.
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import {
  HybridConnectionListener,
  resolveConnection,
  sasKeyTokens,
  systemClock,
} from '../../../src/index.ts';
import type { HcmPath } from '../hcm-path.ts';

/** Resolves when it is online. The handler is one for node:http: ours feels like it. */
export async function startOwnListener(
  path: HcmPath,
  name: string,
  handle: RequestListener,
): Promise<HybridConnectionListener> {
  const connection = path.relay.connections.find((candidate) => candidate.name === name);
  const {
    endpoint,
    path: entity,
    credential,
  } = resolveConnection({ connectionString: connection?.listenerConnectionString ?? '' });
  if (credential.kind !== 'key') throw new Error(`${name} has no key`);
  const listener = new HybridConnectionListener(
    { endpoint, path: entity, tokens: sasKeyTokens(credential, systemClock) },
    { loopbackCa: await readFile(path.relay.caFile, 'utf8') },
  );
  listener.on('request', handle as never);
  listener.start();
  await listener.online();
  return listener;
}
