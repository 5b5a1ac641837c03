/**
 * Which hybrid connections a command is about, and how it may open them: CONNECTION arguments joined with connection
 * strings from a file, from HCM_CONNECTION_STRING or from stdin; without one, keys and tokens come from Azure. The
 * order: files, else the variable; a name chooses among several strings.
 */
import {
  parseConnectionName,
  parseConnectionString,
  resolveConnection,
} from '../../protocol/connection-string.ts';
import type { ConnectionString, Credential } from '../../protocol/connection-string.ts';
import { HcmError } from '../../protocol/errors.ts';
import { isLoopbackName } from '../../protocol/relay-hosts.ts';
import { systemClock } from '../../tunnel/clock.ts';
import type { Connection } from '../../tunnel/options.ts';
import { readySasToken, sasKeyTokens, type TokenProvider } from '../../tunnel/token-provider.ts';
import { parseResourceId } from '../arm/references.ts';
import type { RelayRight, WantedConnection } from '../services/connection-access.ts';
import { readSecretFile, readStdin } from './input-file.ts';
import type { Output } from './output.ts';

const STDIN = '-';
const ON_STDIN = { what: 'connection string', instead: '--connection-string-file FILE' };

/** The way to Azure, for connections that come without a connection string. */
export interface ConnectionLookUp {
  /** With keys that ARM gives. */
  byKey(wanted: readonly WantedConnection[], right: RelayRight): Promise<Connection[]>;
  /** With tokens of Entra ID; no key is read. */
  byEntra(wanted: readonly WantedConnection[]): Promise<Connection[]>;
  /** Tokens of the identity of the machine in Azure that we run on. */
  managedIdentity(): Promise<TokenProvider>;
}

export interface ConnectionRequest {
  /** CONNECTION arguments, as typed. */
  names: readonly string[];
  /** Files that hold a connection string each; `-` is stdin. */
  files: readonly string[];
  namespace?: string | undefined;
  /** Tokens of Entra ID, and no key. */
  entra?: boolean;
  /** What the command does at the relay. */
  right: RelayRight;
  env: Readonly<Record<string, string | undefined>>;
  output: Output;
  /** stdin is taken: it carries the bytes of the connection. */
  stdinTaken?: boolean;
  lookUp: ConnectionLookUp;
}

/** Every connection that was asked for, at least one. @throws HcmError with codes of status 2 and 3, and of Azure. */
export async function readConnections(request: ConnectionRequest): Promise<Connection[]> {
  const names = request.names.filter((name) => name !== STDIN);
  for (const name of names) refuseConnectionString(name);
  // --entra asks for no key; the variable, which may hold one, was perhaps set for another command.
  const strings = request.entra ? [] : await readConnectionStrings(request);
  for (const string of strings) checkNamespace(request.namespace, string);
  if (strings.length === 0) return lookUpConnections(request, names);
  const toConnection = connectionMaker(request.lookUp);
  if (names.length === 0)
    return Promise.all(
      strings.map((string) => toConnection(resolveConnection({ connectionString: string }))),
    );
  return Promise.all(
    names.map((name) => toConnection(resolveConnection({ connectionString: choose(strings, name), name }))),
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
    texts.push(source === STDIN ? await readStdin(ON_STDIN) : await readSecretFile(source, output));
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

function connectionMaker(lookUp: ConnectionLookUp) {
  return async (resolved: {
    endpoint: Connection['endpoint'];
    path: string;
    credential: Credential;
  }): Promise<Connection> => {
    const { endpoint, path, credential } = resolved;
    const tokens = await tokensOf(credential, lookUp);
    return { endpoint, path, ...(tokens === undefined ? {} : { tokens }) };
  };
}

async function tokensOf(
  credential: Credential,
  lookUp: ConnectionLookUp,
): Promise<TokenProvider | undefined> {
  switch (credential.kind) {
    case 'key':
      return sasKeyTokens(credential, systemClock);
    case 'signature':
      return readySasToken(credential.token);
    case 'none':
      return undefined;
    case 'managed-identity':
      return lookUp.managedIdentity();
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

/** Names alone: all are checked first, so that a typo is found before anybody is asked for anything. */
async function lookUpConnections(
  { namespace, entra, right, lookUp }: ConnectionRequest,
  names: readonly string[],
): Promise<Connection[]> {
  if (names.length === 0) {
    throw new HcmError('HCM_USAGE', 'No connection is named.', {
      details: {
        next: 'Give CONNECTION, or a connection string in --connection-string-file FILE or HCM_CONNECTION_STRING',
      },
    });
  }
  const wanted = names.map((name) => wantedConnection(name, namespace));
  if (entra) return lookUp.byEntra(wanted);
  try {
    return await lookUp.byKey(wanted, right);
  } catch (error) {
    throw withoutKey(error, names);
  }
}

/** Nobody has to sign in to Azure for a tunnel: an error that says so names the other way, too. */
function withoutKey(error: unknown, [first = '']: readonly string[]): unknown {
  if (!(error instanceof HcmError) || error.code !== 'HCM_SIGN_IN_REQUIRED') return error;
  const message = `There is no key for ${first}, and Azure cannot be asked for one: ${error.message}`;
  return new HcmError('HCM_TOKEN_MISSING', message, { cause: error });
}

/** `NAMESPACE/NAME`, `NAME` of --namespace, or a resource id. @throws HcmError HCM_CONNECTION_INVALID. */
export function wantedConnection(text: string, namespaceFlag?: string): WantedConnection {
  const id = parseResourceId(text);
  if (id !== undefined && /^Microsoft\.Relay\/namespaces\/hybridConnections$/i.test(id.type)) {
    const { subscriptionId, resourceGroup } = id;
    const [namespace = '', name = ''] = id.names;
    return { namespace, name, subscriptionId, resourceGroup };
  }
  return parseConnectionName(namespaceFlag === undefined ? text : `${namespaceFlag}/${text}`);
}
