/** Our relay in a process of its own: the emulator with one connection. */
import { createEmulator, formatTarget } from '../../src/index.ts';
import { readConfig, sayReady, type RelayConfig, type RelayReady } from './entry.ts';

const { tls, entityName, target, addressScheme } = readConfig<RelayConfig>();

const emulator = await createEmulator({
  host: '127.0.0.1',
  connections: [{ name: entityName, target: formatTarget(target) }],
  insecure: !tls,
  ...(addressScheme && { behaviour: { addressScheme } }),
});
const [connection] = emulator.connections;
if (!connection) throw new Error('the emulator made no connection');
const { listenerConnectionString, senderConnectionString } = connection;
const ready: RelayReady = {
  port: emulator.port,
  caPem: emulator.caPem,
  listenerConnectionString,
  senderConnectionString,
};
sayReady(ready);
