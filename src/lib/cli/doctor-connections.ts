/**
 * What `doctor` examines: one hybrid connection, by every credential there is for it. Without any credential the way to
 * it can be examined all the same; the token is then what fails.
 */
import { HcmError } from '../../protocol/errors.ts';
import type { Connection } from '../../tunnel/options.ts';
import { connectionRequest, type ConnectionFlags } from './connection-flags.ts';
import { readConnections, wantedConnection, type ConnectionLookUp } from './connection-input.ts';
import { EXIT, ERROR_TABLE } from '../error-table.ts';
import type { Output } from './output.ts';

export interface DoctorInput {
  flags: ConnectionFlags;
  name: string | undefined;
  output: Output;
}

/** None when nothing was named. @throws HcmError of status 2, for input that names no one hybrid connection. */
export async function readDoctorConnections({ flags, name, output }: DoctorInput): Promise<Connection[]> {
  const files = flags['connection-string-file'] ?? [];
  const isNamed = name !== undefined || files.length > 0 || Boolean(process.env['HCM_CONNECTION_STRING']);
  if (!isNamed) return [];
  const names = name === undefined ? [] : [name];
  const request = connectionRequest(flags, { names, output, right: 'Listen' });
  try {
    const found = await readConnections({ ...request, lookUp: withBothRights(request.lookUp) });
    return sameEntity(found);
  } catch (error) {
    if (!isAboutAccess(error) || name === undefined) throw error;
    return [await withoutToken(name, flags, error)];
  }
}

/** With keys of two rules, where one may listen and the other send. */
function withBothRights(lookUp: ConnectionLookUp): ConnectionLookUp {
  return {
    ...lookUp,
    async byKey(wanted) {
      const listening = await orMissing(lookUp.byKey(wanted, 'Listen'));
      const sending = await orMissing(lookUp.byKey(wanted, 'Send'));
      const found = [listening, sending].flatMap((result) => (Array.isArray(result) ? result : []));
      if (found.length === 0 && listening instanceof HcmError) throw listening;
      return found;
    },
  };
}

async function orMissing(asked: Promise<Connection[]>): Promise<Connection[] | HcmError> {
  return asked.catch((error: unknown) => {
    if (error instanceof HcmError && error.code === 'HCM_RIGHT_MISSING') return error;
    throw error;
  });
}

/** Input that can be understood, and for which Azure gives no key. */
function isAboutAccess(error: unknown): error is HcmError {
  if (!(error instanceof HcmError) || error.code === 'HCM_INTERRUPTED') return false;
  const { exitStatus } = ERROR_TABLE[error.code];
  return exitStatus === EXIT.forbidden || exitStatus === EXIT.relay || exitStatus === EXIT.resource;
}

/** The way is known by the name alone; whoever asks for a token hears why there is none. */
async function withoutToken(name: string, flags: ConnectionFlags, error: HcmError): Promise<Connection> {
  const [{ endpointByName }, { loadCloud }, { statePaths }] = await Promise.all([
    import('../services/connection-access.ts'),
    import('../auth/clouds.ts'),
    import('../config/paths.ts'),
  ]);
  const { env } = process;
  const wanted = wantedConnection(name, flags.namespace);
  const cloud = await loadCloud({ name: flags.cloud, env, directory: statePaths(env).directory });
  return {
    endpoint: endpointByName(wanted.namespace, cloud),
    path: wanted.name,
    tokens: { renewable: false, token: () => Promise.reject(error) },
  };
}

function sameEntity(connections: Connection[]): Connection[] {
  const keyOf = ({ endpoint, path }: Connection) => `${endpoint.host}:${endpoint.port}/${path}`.toLowerCase();
  if (new Set(connections.map(keyOf)).size <= 1) return connections;
  throw new HcmError('HCM_USAGE', 'The connection strings are for different hybrid connections.', {
    details: { next: 'hcm doctor --connection-string-file listen.txt --connection-string-file send.txt' },
  });
}
