/** No path at all: what loopback and the load program can do, for scale. */
import type { Peer } from './peer.ts';

export const direct: Peer = {
  name: 'direct',
  legs: ['plain'],
  available: () => Promise.resolve(undefined),
  start: ({ targetPort }) =>
    Promise.resolve({
      entryPort: targetPort,
      pids: { sender: [], relay: [], listener: [] },
      stop: () => Promise.resolve(),
    }),
};
