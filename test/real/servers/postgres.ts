// A real PostgreSQL server with an empty database cluster of its own. It trusts everybody who reaches its port.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, LOOPBACK } from './free-port.ts';
import { startProcess } from './process.ts';
import { runCommand, tryCommand } from './run-command.ts';
import { inServerDirectory, type RealServer } from './server-directory.ts';

const VERSIONS_DIRECTORY = '/usr/lib/postgresql';
const OWNER = 'postgres'; // the server refuses to run as root
const SUPERUSER = 'postgres';
const MAX_CONNECTIONS = 200;

export interface PostgresServer extends RealServer {
  readonly user: string;
  readonly database: string;
  readonly maxConnections: number;
  /** Full paths of the programs of this very version. */
  readonly psql: string;
  readonly pgbench: string;
  /** The environment for psql or pgbench against a port: the server's own, or a tunnel's to it. */
  clientEnv(port?: number): NodeJS.ProcessEnv;
}

/** Resolves when it answers queries. */
export function startPostgres(): Promise<PostgresServer> {
  return inServerDirectory('postgres', OWNER, async (directory) => {
    const bin = await findPrograms();
    const data = join(directory, 'data');
    const initdbOptions = ['--auth=trust', `--username=${SUPERUSER}`, '--encoding=UTF8', '--no-sync'];
    const asOwner = { user: OWNER, cwd: directory };
    await runCommand(join(bin, 'initdb'), ['--pgdata', data, '--locale=C.UTF-8', ...initdbOptions], asOwner);
    const port = await freePort();
    const settings = {
      port: String(port),
      listen_addresses: LOOPBACK,
      unix_socket_directories: '',
      max_connections: String(MAX_CONNECTIONS),
      fsync: 'off',
      log_min_messages: 'warning',
    };
    const child = await startProcess({
      command: join(bin, 'postgres'),
      args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      ...asOwner,
      stopSignal: 'SIGINT', // fast shutdown: ends the sessions that are open
      // It accepts connections while it is starting up, and refuses them: its own client knows the difference.
      isReady: async () => {
        const answer = await tryCommand(join(bin, 'pg_isready'), [
          '--host',
          LOOPBACK,
          '--port',
          String(port),
        ]);
        return answer.status === 0;
      },
    });
    return {
      host: LOOPBACK,
      port,
      user: SUPERUSER,
      database: 'postgres',
      maxConnections: MAX_CONNECTIONS,
      psql: join(bin, 'psql'),
      pgbench: join(bin, 'pgbench'),
      clientEnv: (clientPort = port) => ({
        ...process.env,
        PGHOST: LOOPBACK,
        PGPORT: String(clientPort),
        PGUSER: SUPERUSER,
        PGDATABASE: 'postgres',
        PGCONNECT_TIMEOUT: '20', // seconds
      }),
      stop: () => child.stop(),
    };
  });
}

/** The directory with the programs of the newest version that is installed, server included. */
async function findPrograms(): Promise<string> {
  const versions = (await readdir(VERSIONS_DIRECTORY)).sort((a, b) => Number(b) - Number(a));
  for (const version of versions) {
    const bin = join(VERSIONS_DIRECTORY, version, 'bin');
    const programs = await readdir(bin);
    if (['initdb', 'postgres', 'psql', 'pgbench'].every((name) => programs.includes(name))) return bin;
  }
  throw new Error(`no PostgreSQL server under ${VERSIONS_DIRECTORY}: run .ci/install-real`);
}
