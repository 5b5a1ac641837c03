/** The sender of the `ws` path: a local port, and one WebSocket to the relay a connection. */
import net from 'node:net';
import { listenAndSayReady, readConfig } from './hop.ts';
import { dialer, join, streamOf, type WsHopConfig } from './ws-hop.ts';

const dial = dialer(readConfig<WsHopConfig>());

listenAndSayReady(
  net.createServer({ noDelay: true, allowHalfOpen: true }, (local) =>
    join(local, streamOf(dial('/connect'))),
  ),
);
