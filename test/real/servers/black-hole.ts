// A port that neither takes a connection nor refuses it: its process never accepts, and its queue is full, so that the
// kernel drops who comes next, as a firewall does.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { LOOPBACK } from './free-port.ts';
import { startProcess } from './process.ts';

/** Of Linux: one more than the backlog of 1. */
const QUEUED = 2;
/** Listens, says where, and then does nothing any more, not even its event loop. */
const SCRIPT = `
const server = require('net').createServer().listen({ port: 0, host: '${LOOPBACK}', backlog: 1 }, () => {
  require('fs').writeSync(1, server.address().port + '\\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

export async function startBlackHole(): Promise<{ port: number; stop: () => Promise<void> }> {
  let port = 0;
  const holder = await startProcess({
    command: process.execPath,
    args: ['-e', SCRIPT],
    onLine: (line) => (port = Number(line)),
    isReady: () => Promise.resolve(port > 0),
  });
  const fillers: Socket[] = [];
  for (let count = 0; count < QUEUED; count += 1) {
    const filler = connect({ port, host: LOOPBACK });
    fillers.push(filler.on('error', () => undefined));
    await once(filler, 'connect');
  }
  return {
    port,
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      await holder.stop();
    },
  };
}
