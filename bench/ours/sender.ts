/** Our sender in a process of its own: a local port whose connections become streams. */
import { Sender, startLocalPort } from '../../src/index.ts';
import { connectionOf, optionsOf, readConfig, sayReady, type ClientConfig } from './entry.ts';

const config = readConfig<ClientConfig>();

const sender = new Sender(connectionOf(config), optionsOf(config));
const { bind } = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, sender);
sayReady({ port: Number(bind.split(':').at(-1)) });
