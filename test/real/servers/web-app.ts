// An express application (test/real/clients/web-app) in a process of its own, with a folder of static files.
import { fileURLToPath } from 'node:url';
import { LOOPBACK } from './free-port.ts';
import { startProcess } from './process.ts';
import type { RealServer } from './server-directory.ts';

/** Its packages are its own: see the lock file beside it. */
const FOLDER = new URL('../clients/web-app/', import.meta.url);
const APPLICATION = fileURLToPath(new URL('app.cjs', FOLDER));

/** Resolves when it accepts connections. */
export async function startWebApp(filesDirectory: string): Promise<RealServer> {
  let port = 0;
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: 'production' };
  delete env['NODE_OPTIONS'];
  const child = await startProcess({
    command: process.execPath,
    args: [APPLICATION, filesDirectory],
    env,
    onLine: (line) => (port = (JSON.parse(line) as { port: number }).port),
    isReady: () => Promise.resolve(port !== 0),
  });
  return { host: LOOPBACK, port, stop: () => child.stop() };
}
