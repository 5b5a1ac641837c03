/** Section `manager:` for the commands that run it in the foreground: the file is read, and its connections are opened. */
import { dirname, resolve } from 'node:path';
import { parseConnectionName } from '../../protocol/entity-name.ts';
import { HcmError } from '../../protocol/errors.ts';
import type { Connection } from '../../tunnel/options.ts';
import { formatPlace } from '../config/hcm-yaml/faults.ts';
import { parseManagerSection } from '../config/hcm-yaml/load.ts';
import type { Access, ManagerDeclaration } from '../config/hcm-yaml/manager-declaration.ts';
import type { Place } from '../config/hcm-yaml/declaration.ts';
import type { RelayRight } from '../services/connection-access.ts';
import { connectionRequest, type ConnectionFlags } from './connection-flags.ts';
import { readConnections, type ConnectionRequest } from './connection-input.ts';
import { readInputFile, readStdin } from './input-file.ts';
import type { Output } from './output.ts';

export interface ManagerFileRequest {
  /** `-` is stdin. */
  file: string;
  flags: ConnectionFlags;
  /** CONNECTION arguments: there may be none. */
  names: readonly string[];
  output: Output;
  env?: NodeJS.ProcessEnv;
}

/** An entry, and the connection that it names. */
export interface OpenedEntry<Entry> {
  entry: Entry;
  connection: Connection;
}

interface Named {
  readonly connection: string;
  readonly access: Access;
  readonly at: Place;
}

const LISTS = { listeners: 'Listen', forwards: 'Send' } as const satisfies Record<string, RelayRight>;

/**
 * The entries of one list of the file, each with its connection.
 * @throws HcmError as `parseManagerSection` and `readConnections`, with the place of the entry; HCM_CONFIG_INVALID when
 * the list is empty.
 */
export async function openManagerFile<List extends keyof typeof LISTS>(
  list: List,
  request: ManagerFileRequest,
): Promise<OpenedEntry<ManagerDeclaration[List][number]>[]> {
  if (request.names.length > 0) throw namesBesideFile();
  const { name, section } = await readManagerFile(request);
  const entries: readonly ManagerDeclaration[List][number][] = section[list];
  if (entries.length === 0) throw emptyList(name, list);
  const connections = await openEntries(entries, { request, file: name, right: LISTS[list] });
  return entries.flatMap((entry) => {
    const connection = connections.get(entry);
    return connection === undefined ? [] : [{ entry, connection }];
  });
}

async function readManagerFile({ file, env = process.env }: ManagerFileRequest) {
  const isStdin = file === '-';
  const name = isStdin ? 'stdin' : file;
  const text = isStdin
    ? await readStdin({ what: 'hcm.yaml', instead: '--file FILE' })
    : await readInputFile(file);
  const folder = isStdin ? process.cwd() : dirname(resolve(file));
  return { name, section: await parseManagerSection(text, { file: name, env, folder }) };
}

/**
 * Each entry says who we are; the variable that counts for command lines does not count here. What is on this machine
 * comes first; Azure is asked once for all that need it.
 */
async function openEntries<Entry extends Named>(
  entries: readonly Entry[],
  { request, file, right }: { request: ManagerFileRequest; file: string; right: RelayRight },
): Promise<Map<Entry, Connection>> {
  const { flags, output } = request;
  const plain = { ...flags, 'connection-string-file': undefined, namespace: undefined, entra: false };
  const base: ConnectionRequest = { ...connectionRequest(plain, { names: [], output, right }), env: {} };
  const opened = new Map<Entry, Connection>();
  for (const entry of entries) {
    const secret = secretOf(entry.access);
    if (secret === undefined) continue;
    const { namespace, name } = parseConnectionName(entry.connection);
    const [connection] = await readConnections({ ...base, names: [name], namespace, ...secret }).catch(
      (error: unknown) => Promise.reject(placed(error, file, entry)),
    );
    if (connection !== undefined) opened.set(entry, connection);
  }
  for (const kind of ['azure', 'entra'] as const) {
    const asking = entries.filter(({ access }) => access.kind === kind);
    if (asking.length === 0) continue;
    const names = asking.map(({ connection }) => connection);
    const connections = await readConnections({ ...base, names, entra: kind === 'entra' });
    for (const [index, connection] of connections.entries()) {
      const entry = asking[index];
      if (entry !== undefined) opened.set(entry, connection);
    }
  }
  return opened;
}

/** The connection of one entry, for whoever opens them one by one. */
export async function openEntry(
  entry: Named,
  how: { request: ManagerFileRequest; file: string; right: RelayRight },
): Promise<Connection> {
  const connection = (await openEntries([entry], how)).get(entry);
  if (connection === undefined) throw new Error('an entry without a connection');
  return connection;
}

function secretOf(access: Access): Pick<ConnectionRequest, 'files' | 'env'> | undefined {
  if (access.kind === 'file') return { files: [access.path], env: {} };
  if (access.kind === 'variable') return { files: [], env: { HCM_CONNECTION_STRING: access.text } };
  return undefined;
}

function placed(error: unknown, file: string, { connection, at }: Named): Error {
  if (!(error instanceof HcmError)) return error as Error;
  const { code, message, retryable, details } = error;
  const text = `${formatPlace(file, at)}: ${connection}: ${message}`;
  return new HcmError(code, text, { retryable, details, cause: error });
}

function namesBesideFile(): HcmError {
  return new HcmError('HCM_USAGE', 'The file names its connections itself: give no CONNECTION with --file.', {
    details: { next: 'Leave out CONNECTION, or --file' },
  });
}

function emptyList(file: string, list: keyof typeof LISTS): HcmError {
  const example =
    list === 'listeners'
      ? 'manager: {listeners: [{connection: my-relay/db, target: "db.corp.local:5432"}]}'
      : 'manager: {forwards: [{connection: my-relay/db, bind: "127.0.0.1:5432"}]}';
  const message = `Section manager of ${file} has no ${list}, so there is nothing to run.`;
  return new HcmError('HCM_CONFIG_INVALID', message, {
    details: { path: file, next: `Write into it: ${example}` },
  });
}
