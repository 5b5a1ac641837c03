/** The listener of the `ws` path: for each sender a rendezvous to the relay and a connection to the target. */
import net from 'node:net';
import { readConfig, sayReady } from './hop.ts';
import { dialer, join, streamOf, type WsHopConfig } from './ws-hop.ts';

const config = readConfig<WsHopConfig>();
const dial = dialer(config);

const control = dial('/listen');
control.on('open', () => sayReady());
control.on('message', (id: Buffer) => {
  const target = { port: config.targetPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true };
  join(streamOf(dial(`/accept?${id.toString()}`)), net.connect(target));
});
