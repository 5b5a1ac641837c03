/** Our listener in a process of its own. */
import { HybridConnectionListener } from '../../src/index.ts';
import { connectionOf, optionsOf, readConfig, sayReady, type ListenerConfig } from './entry.ts';

const config = readConfig<ListenerConfig>();

const listener = new HybridConnectionListener(connectionOf(config), {
  ...optionsOf(config),
  target: config.target,
});
listener.start();
await listener.online();
sayReady();
