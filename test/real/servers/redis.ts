// A real Redis server that keeps everything in memory.
import { acceptsConnections, freePort, LOOPBACK } from './free-port.ts';
import { startProcess } from './process.ts';
import { inServerDirectory, type RealServer } from './server-directory.ts';

const OWNER = 'redis';

/** Resolves when it accepts connections; it has nothing to load, so it answers at once. */
export function startRedis(): Promise<RealServer> {
  return inServerDirectory('redis', OWNER, async (directory) => {
    const port = await freePort();
    const child = await startProcess({
      command: 'redis-server',
      args: [
        '--bind',
        LOOPBACK,
        '--port',
        String(port),
        '--dir',
        directory,
        '--save',
        '',
        '--appendonly',
        'no',
      ],
      cwd: directory,
      user: OWNER,
      isReady: () => acceptsConnections(port),
    });
    return { host: LOOPBACK, port, stop: () => child.stop() };
  });
}
