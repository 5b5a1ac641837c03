/**
 * Three Node processes that copy bytes: `node-pipe` as everyone writes it (`pipe`), `node-onread` with 1 MiB read
 * buffers and no framing, which is the limit of the runtime. Under TLS both legs of the middle hop are encrypted.
 */
import { certificateFiles } from '../certificate.ts';
import { Chain, portOf } from './chain.ts';
import type { HopConfig } from './hops/hop.ts';
import type { Peer } from './peer.ts';

export const nodePipe = pipes('node-pipe', 'peers/hops/node-pipe-hop.ts', ['plain', 'tls']);
export const nodeOnread = pipes('node-onread', 'peers/hops/node-onread-hop.ts', ['plain']);

function pipes(name: string, entry: string, legs: Peer['legs']): Peer {
  return {
    name,
    legs,
    available: () => Promise.resolve(undefined),
    async start({ tls, targetPort }) {
      const certificate = tls ? await certificateFiles() : undefined;
      return Chain.build(async (chain) => {
        const hop = (connectPort: number, tlsIn: boolean, tlsOut: boolean): HopConfig => ({
          connectPort,
          ...(certificate && { certificate, tlsIn, tlsOut }),
        });
        const listener = await chain.node('listener', entry, hop(targetPort, true, false));
        const relay = await chain.node('relay', entry, hop(portOf(listener), true, true));
        return portOf(await chain.node('sender', entry, hop(portOf(relay), false, true)));
      });
    },
  };
}
