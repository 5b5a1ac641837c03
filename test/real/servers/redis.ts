// A real Redis server that keeps everything in memory.
import { join } from 'node:path';
import { acceptsConnections, freePort, LOOPBACK } from './free-port.ts';
import { startProcess } from './process.ts';
import { inServerDirectory, type RealServer } from './server-directory.ts';

const OWNER = 'redis';

export interface RedisServer extends RealServer {
  /** The Unix socket that it listens on, too. */
  readonly socketPath: string;
}

/** Resolves when it accepts connections; it has nothing to load, so it answers at once. */
export function startRedis(): Promise<RedisServer> {
  return inServerDirectory('redis', OWNER, async (directory) => {
    const port = await freePort();
    const socketPath = join(directory, 'redis.sock');
    const child = await startProcess({
      command: 'redis-server',
      args: [
        '--bind',
        LOOPBACK,
        '--port',
        String(port),
        '--unixsocket',
        socketPath,
        '--unixsocketperm',
        '777',
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
    return { host: LOOPBACK, port, socketPath, stop: () => child.stop() };
  });
}
