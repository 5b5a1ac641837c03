/** Our listener in a process of its own. */
import { HybridConnectionListener, type ListenerOptions } from '../../src/index.ts';
import { connectionOf, optionsOf, readConfig, sayReady, type ListenerConfig } from './entry.ts';

const config = readConfig<ListenerConfig>();

const { target, http, handler } = config;
const listener = new HybridConnectionListener(connectionOf(config), {
  ...optionsOf(config),
  target,
  ...(http && { address: { kind: 'http', secure: false, basePath: '', ...http } }),
  ...(handler && {
    onRequest: ((await import(handler)) as { handle: NonNullable<ListenerOptions['onRequest']> }).handle,
  }),
});
listener.start();
await listener.online();
sayReady();
