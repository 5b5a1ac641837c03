/**
 * Which hybrid connections a command is about: CONNECTION arguments joined with connection strings from a file, from
 * HCM_CONNECTION_STRING or from stdin. The order: files, else the variable; a name chooses among several strings.
 */
import {
  parseConnectionName,
  parseConnectionString,
  resolveConnection,
} from '../../protocol/connection-string.ts';
import type { ConnectionString, Credential } from '../../protocol/connection-string.ts';
import { HcmError } from '../../protocol/errors.ts';
import { cloudSuffixOf, CLOUD_SUFFIXES, isLoopbackName } from '../../protocol/relay-hosts.ts';
import { systemClock } from '../../tunnel/clock.ts';
import type { Connection } from '../../tunnel/options.ts';
import { readySasToken, sasKeyTokens, type TokenProvider } from '../../tunnel/token-provider.ts';
import { readSecretFile, readStdin } from './input-file.ts';
import type { Output } from './output.ts';

const STDIN = '-';

export interface ConnectionRequest {
  /** CONNECTION arguments, as typed. */
  names: readonly string[];
  /** Files that hold a connection string each; `-` is stdin. */
  files: readonly string[];
  namespace?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  output: Output;
  /** stdin is taken: it carries the bytes of the connection. */
  stdinTaken?: boolean;
}

/** Every connection that was asked for, at least one. @throws HcmError with codes of status 2 and 3. */
export async function readConnections(request: ConnectionRequest): Promise<Connection[]> {
  const names = request.names.filter((name) => name !== STDIN);
  for (const name of names) refuseConnectionString(name);
  const strings = await readConnectionStrings(request);
  for (const string of strings) checkNamespace(request.namespace, string);
  if (strings.length === 0) throw withoutKey(request, names);
  if (names.length === 0)
    return strings.map((string) => toConnection(resolveConnection({ connectionString: string })));
  return names.map((name) =>
    toConnection(resolveConnection({ connectionString: choose(strings, name), name })),
  );
}

async function readConnectionStrings(request: ConnectionRequest): Promise<ConnectionString[]> {
  const { files, names, env, output } = request;
  const sources = files.length > 0 ? files : names.includes(STDIN) ? [STDIN] : [];
  if (sources.includes(STDIN) && request.stdinTaken) {
    throw new HcmError(
      'HCM_USAGE',
      'stdin carries the bytes of the connection, so no connection string can come from it.',
      {
        details: { next: 'Give --connection-string-file FILE or set HCM_CONNECTION_STRING' },
      },
    );
  }
  const texts: string[] = [];
  for (const source of sources) {
    texts.push(source === STDIN ? await readStdin() : await readSecretFile(source, output));
  }
  const fromEnv = env['HCM_CONNECTION_STRING'];
  if (sources.length === 0 && fromEnv) texts.push(fromEnv);
  return texts.map((text) => parseConnectionString(text));
}

/** Of several strings, the one for this entity; else the one that is for a whole namespace. */
function choose(strings: readonly ConnectionString[], name: string): ConnectionString {
  const own = strings.find(({ entityPath }) => entityPath?.toLowerCase() === name.toLowerCase());
  const chosen = own ?? strings.find(({ entityPath }) => entityPath === undefined) ?? strings[0];
  if (chosen === undefined) throw new Error('no connection string to choose from');
  return chosen;
}

function toConnection(resolved: {
  endpoint: Connection['endpoint'];
  path: string;
  credential: Credential;
}): Connection {
  const { endpoint, path, credential } = resolved;
  const tokens = tokensOf(credential);
  return { endpoint, path, ...(tokens === undefined ? {} : { tokens }) };
}

function tokensOf(credential: Credential): TokenProvider | undefined {
  switch (credential.kind) {
    case 'key':
      return sasKeyTokens(credential, systemClock);
    case 'signature':
      return readySasToken(credential.token);
    case 'none':
      return undefined;
    case 'managed-identity':
      throw new HcmError(
        'HCM_TOKEN_MISSING',
        'Managed identity is not supported yet: use a connection string with a key.',
      );
  }
}

/** Whoever types a connection string shows it to all users of the machine, and to the shell's history. */
function refuseConnectionString(name: string): void {
  if (!/endpoint=|sharedaccess/i.test(name)) return;
  throw new HcmError(
    'HCM_USAGE',
    'A connection string holds a secret and does not belong on the command line.',
    {
      details: {
        next: 'Put it into a file for --connection-string-file FILE, or into HCM_CONNECTION_STRING',
      },
    },
  );
}

function checkNamespace(namespace: string | undefined, { endpoint }: ConnectionString): void {
  if (namespace === undefined) return;
  const wanted = namespace.toLowerCase().replace(/:\d+$/, '');
  if (wanted === endpoint.host || endpoint.host.startsWith(`${wanted}.`) || isLoopbackName(endpoint.host))
    return;
  throw new HcmError(
    'HCM_CONNECTION_INVALID',
    `The connection string is for ${endpoint.host}, but the namespace "${namespace}" was asked for.`,
    { details: { reason: 'namespace-disagrees' } },
  );
}

/** Names alone: check them, so that a typo is found first, then say what is missing. */
function withoutKey(request: ConnectionRequest, names: readonly string[]): HcmError {
  if (names.length === 0) {
    return new HcmError('HCM_USAGE', 'No connection is named.', {
      details: {
        next: 'Give CONNECTION with a connection string in --connection-string-file FILE or HCM_CONNECTION_STRING',
      },
    });
  }
  const [first = ''] = names.map((name) => nameOf(name, request.namespace));
  return new HcmError('HCM_TOKEN_MISSING', `There is no key for ${first}.`);
}

function nameOf(text: string, namespaceFlag: string | undefined): string {
  const { namespace, name } = parseConnectionName(
    namespaceFlag === undefined ? text : `${namespaceFlag}/${text}`,
  );
  const isHost = namespace.includes('.') || cloudSuffixOf(namespace) !== undefined;
  return `${isHost ? namespace : `${namespace}.${CLOUD_SUFFIXES.public}`}/${name}`;
}
