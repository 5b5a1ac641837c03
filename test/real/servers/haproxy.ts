// A real HAProxy that takes connections only with a PROXY header, by TCP and by a Unix socket, and answers each HTTP
// request with what the header told it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptsConnections, freePort, LOOPBACK } from './free-port.ts';
import { startProcess } from './process.ts';
import { inServerDirectory, type RealServer } from './server-directory.ts';

const COMMAND = '/usr/sbin/haproxy'; // not on every user's PATH
const OWNER = 'www-data';

export interface HaproxyServer extends RealServer {
  /** A Unix socket that leads to the same. */
  readonly socketPath: string;
}

/** Answers `SOURCE PORT UNIQUE-ID\n`. */
export function startHaproxy(): Promise<HaproxyServer> {
  return inServerDirectory('haproxy', OWNER, async (directory) => {
    const port = await freePort();
    const socketPath = join(directory, 'in.sock');
    const configFile = join(directory, 'haproxy.cfg');
    await writeFile(configFile, configuration(port, socketPath));
    const child = await startProcess({
      command: COMMAND,
      args: ['-db', '-f', configFile],
      cwd: directory,
      user: OWNER,
      isReady: () => acceptsConnections(port),
    });
    return { host: LOOPBACK, port, socketPath, stop: () => child.stop() };
  });
}

function configuration(port: number, socketPath: string): string {
  return `
global
  maxconn 200
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 5s
frontend proxied
  bind ${LOOPBACK}:${port} accept-proxy
  bind unix@${socketPath} accept-proxy mode 666
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[fc_pp_unique_id]\\n"
`;
}
