// A PHP application on PHP's own server (php-app.php), which closes each connection after its answer.
import { fileURLToPath } from 'node:url';
import { acceptsConnections, freePort, LOOPBACK } from './free-port.ts';
import { startProcess } from './process.ts';
import type { RealServer } from './server-directory.ts';

const APPLICATION = fileURLToPath(new URL('php-app.php', import.meta.url));
const WORKERS = '4';

/** Resolves when it accepts connections. */
export async function startPhp(): Promise<RealServer> {
  const port = await freePort();
  const child = await startProcess({
    command: 'php',
    args: [
      '-d',
      'upload_max_filesize=16M',
      '-d',
      'post_max_size=16M',
      '-S',
      `${LOOPBACK}:${port}`,
      APPLICATION,
    ],
    env: { ...process.env, PHP_CLI_SERVER_WORKERS: WORKERS },
    isReady: () => acceptsConnections(port),
  });
  return { host: LOOPBACK, port, stop: () => child.stop() };
}
