/**
 * The tunnel that one writes with npm's `ws` in an afternoon: the same hops and meetings as Azure Relay (control
 * channel, one rendezvous a stream), `createWebSocketStream` and `pipe` at every end, bufferutil for the masks.
 */
import { createRequire } from 'node:module';
import { certificateFiles } from '../certificate.ts';
import { Chain, portOf } from './chain.ts';
import type { WsHopConfig } from './hops/ws-hop.ts';
import type { Peer } from './peer.ts';

export const wsPipe: Peer = {
  name: 'ws',
  legs: ['plain', 'tls'],
  available() {
    try {
      createRequire(import.meta.url).resolve('bufferutil');
      return Promise.resolve(undefined);
    } catch {
      return Promise.resolve('bufferutil is not installed (npm ci without --omit=optional)');
    }
  },
  async start({ tls, targetPort }) {
    const certificate = tls ? await certificateFiles() : undefined;
    return Chain.build(async (chain) => {
      const more = certificate ? { certificate } : {};
      const relay = await chain.node('relay', 'peers/hops/ws-relay-hop.ts', more);
      const config = (port: number): WsHopConfig => ({ relayPort: portOf(relay), targetPort: port, ...more });
      await chain.node('listener', 'peers/hops/ws-listener-hop.ts', config(targetPort));
      return portOf(await chain.node('sender', 'peers/hops/ws-sender-hop.ts', config(0)));
    });
  },
};
