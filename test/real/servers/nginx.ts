// A real nginx: serves one directory for downloads (with ranges, texts packed) and takes uploads into it by PUT.
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptsConnections, freePort, LOOPBACK } from './free-port.ts';
import { credentialsOf, startProcess } from './process.ts';
import { inServerDirectory, type RealServer } from './server-directory.ts';

const OWNER = 'www-data';
const COMMAND = '/usr/sbin/nginx'; // not on every user's PATH
const MAX_UPLOAD = '2g';

export interface NginxServer extends RealServer {
  /** Ends with a slash. */
  readonly url: string;
  /** Served at `/`. Files put here must be readable for everyone; uploads appear here. */
  readonly rootDirectory: string;
}

export interface NginxOptions {
  /** Takes connections only with a PROXY header; `/client` answers `ADDRESS PORT` of the client that it names. */
  proxyProtocol?: boolean;
}

/** Resolves when it accepts connections. */
export function startNginx({ proxyProtocol = false }: NginxOptions = {}): Promise<NginxServer> {
  return inServerDirectory('nginx', OWNER, async (directory) => {
    const port = await freePort();
    const rootDirectory = join(directory, 'root');
    await mkdir(rootDirectory);
    const owner = credentialsOf(OWNER);
    if (owner !== undefined) await chown(rootDirectory, owner.uid, owner.gid);
    const configFile = join(directory, 'nginx.conf');
    await writeFile(configFile, configuration(directory, rootDirectory, port, proxyProtocol));
    const child = await startProcess({
      command: COMMAND,
      args: ['-p', directory, '-c', configFile, '-e', 'stderr'],
      cwd: directory,
      user: OWNER,
      isReady: () => acceptsConnections(port),
    });
    return {
      host: LOOPBACK,
      port,
      url: `http://${LOOPBACK}:${port}/`,
      rootDirectory,
      stop: () => child.stop(),
    };
  });
}

/**
 * Uploads are renamed from body/ into root/: the same file system, so that nothing is copied. nginx packs no answer to a request
 * that names a proxy in Via, as the relay does, unless it is told to.
 */
function configuration(
  directory: string,
  rootDirectory: string,
  port: number,
  proxyProtocol: boolean,
): string {
  const client = 'location = /client { return 200 "$proxy_protocol_addr $proxy_protocol_port\\n"; }';
  return `
daemon off;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  default_type application/octet-stream;
  sendfile on;
  gzip on;
  gzip_proxied any;
  gzip_types text/plain;
  types { text/plain txt; text/html html; }
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server {
    listen ${LOOPBACK}:${port}${proxyProtocol ? ' proxy_protocol' : ''};
    ${proxyProtocol ? client : ''}
    root ${rootDirectory};
    client_max_body_size ${MAX_UPLOAD};
    location / {
      dav_methods PUT DELETE;
      dav_access user:rw group:r all:r;
      create_full_put_path on;
    }
  }
}
`;
}
