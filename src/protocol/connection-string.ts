/**
 * Connection strings: reading, writing, and finding the one hybrid connection that is meant. Rules as in the .NET
 * client (RelayConnectionStringBuilder), stricter where it would fail later. No message repeats a value that may
 * hold a secret. Its small value parsers are in connection-string-values.ts.
 */
import { parseAuthentication, parseEndpoint, parseTimeSpan } from './connection-string-values.ts';
import { checkEntityName, entityNameFault } from './entity-name.ts';
import { HcmError } from './errors.ts';
import { KEY_MAX_CHARS, KEY_NAME_MAX_CHARS, OPERATION_TIMEOUT_MS } from './limits.ts';
import { isLoopbackName, urlHost, type Endpoint } from './relay-hosts.ts';
import { isSasToken } from './sas-token.ts';

export { parseConnectionName } from './entity-name.ts';

/** How a client proves who it is. `none` is a sender to an entity that takes anonymous senders. */
export type Credential =
  | { readonly kind: 'key'; readonly keyName: string; readonly key: string }
  | { readonly kind: 'signature'; readonly token: string }
  | { readonly kind: 'managed-identity' }
  | { readonly kind: 'none' };

export interface ConnectionString {
  readonly endpoint: Endpoint;
  readonly entityPath?: string;
  readonly credential: Credential;
  readonly operationTimeoutMs: number;
}

const KNOWN_KEYS = [
  'Endpoint',
  'EntityPath',
  'SharedAccessKeyName',
  'SharedAccessKey',
  'SharedAccessSignature',
  'OperationTimeout',
  'Authentication',
  'UseDevelopmentEmulator',
] as const;
type Key = (typeof KNOWN_KEYS)[number];
type Pairs = ReadonlyMap<Key, string>;

/**
 * Reads a connection string. Keys in any case and order; empty parts between `;` do not count.
 * @throws HcmError HCM_CONNECTION_STRING_INVALID; `details.reason` is one stable word for each kind of fault.
 */
export function parseConnectionString(text: string): ConnectionString {
  const pairs = readPairs(text);
  const endpointText = pairs.get('Endpoint');
  if (endpointText === undefined) throw invalid('endpoint-missing', 'it has no Endpoint');
  const endpoint = parseEndpoint(endpointText, invalid);
  checkEmulatorFlag(pairs, endpoint);

  const entityPath = pairs.get('EntityPath');
  const fault = entityPath === undefined ? undefined : entityNameFault(entityPath);
  if (fault !== undefined) throw invalid('entity-path', `its EntityPath is not usable, ${fault}`);

  const timeout = pairs.get('OperationTimeout');
  return {
    endpoint,
    ...(entityPath === undefined ? {} : { entityPath }),
    credential: credentialOf(pairs),
    operationTimeoutMs: timeout === undefined ? OPERATION_TIMEOUT_MS : parseTimeSpan(timeout, invalid),
  };
}

/**
 * Writes a connection string, keys in the order that Microsoft's Hybrid Connection Manager insists on: Endpoint,
 * SharedAccessKeyName, SharedAccessKey, EntityPath. Port 443 is left out.
 */
export function formatConnectionString(
  parts: Pick<ConnectionString, 'endpoint' | 'credential'> & { readonly entityPath?: string | undefined },
): string {
  const { endpoint, credential, entityPath } = parts;
  const port = endpoint.port === 443 ? '' : `:${endpoint.port}`;
  const pairs: [Key, string][] = [['Endpoint', `sb://${urlHost(endpoint.host)}${port}/`]];
  if (credential.kind === 'key') {
    pairs.push(['SharedAccessKeyName', credential.keyName], ['SharedAccessKey', credential.key]);
  } else if (credential.kind === 'signature') {
    pairs.push(['SharedAccessSignature', credential.token]);
  } else if (credential.kind === 'managed-identity') {
    pairs.push(['Authentication', 'Managed Identity']);
  }
  if (entityPath !== undefined) pairs.push(['EntityPath', entityPath]);
  for (const [key, value] of pairs) {
    if (value.includes(';')) throw invalid('semicolon', `a value of ${key} would hold ";"`);
  }
  return pairs.map(([key, value]) => `${key}=${value}`).join(';');
}

/**
 * Joins a connection string and the NAME somebody typed into one hybrid connection. The spelling of EntityPath wins.
 * @throws HcmError HCM_CONNECTION_INVALID when the two disagree (compared without case) or neither names an entity.
 */
export function resolveConnection(input: {
  readonly connectionString: string | ConnectionString;
  readonly name?: string | undefined;
}): { endpoint: Endpoint; path: string; credential: Credential } {
  const { connectionString, name } = input;
  const parsed =
    typeof connectionString === 'string' ? parseConnectionString(connectionString) : connectionString;
  const { endpoint, credential, entityPath } = parsed;
  if (name !== undefined) checkEntityName(name);
  if (entityPath !== undefined && name !== undefined && entityPath.toLowerCase() !== name.toLowerCase()) {
    throw new HcmError(
      'HCM_CONNECTION_INVALID',
      `The connection string is for "${entityPath}", but "${name}" was asked for.`,
      { details: { reason: 'name-disagrees', entityPath, name } },
    );
  }
  const path = entityPath ?? name;
  if (path === undefined) {
    throw new HcmError(
      'HCM_CONNECTION_INVALID',
      `The connection string is for the whole namespace ${endpoint.host}: name the hybrid connection.`,
      { details: { reason: 'name-missing' } },
    );
  }
  return { endpoint, path, credential };
}

function readPairs(text: string): Pairs {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') throw invalid('empty', 'it is empty');
  if (/^["'`]/.test(trimmed))
    throw invalid('quoted', 'it starts with a quotation mark; leave the quotes out');
  const pairs = new Map<Key, string>();
  for (const [index, part] of trimmed.split(';').entries()) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    if (equals < 0) throw invalid('no-equals', `part ${index + 1} has no "="`);
    const written = part.slice(0, equals).trim();
    const key = KNOWN_KEYS.find((known) => known.toLowerCase() === written.toLowerCase());
    if (key === undefined) {
      // What stands before "=" may be the tail of a base64 key that a line break cut off: show only plain words.
      const shown = /^[A-Za-z]{1,24}$/.test(written) ? `unknown key "${written}"` : 'unknown key';
      throw invalid('unknown-key', `part ${index + 1} has an ${shown}`);
    }
    if (pairs.has(key)) throw invalid('repeated-key', `${key} occurs twice`);
    const value = part.slice(equals + 1).trim();
    if (value === '') throw invalid('empty-value', `${key} has no value`);
    pairs.set(key, value);
  }
  return pairs;
}

function credentialOf(pairs: Pairs): Credential {
  const keyName = pairs.get('SharedAccessKeyName');
  const key = pairs.get('SharedAccessKey');
  const token = pairs.get('SharedAccessSignature');
  const authentication = pairs.get('Authentication');
  const managed = authentication !== undefined && parseAuthentication(authentication, invalid);

  const hasKey = keyName !== undefined || key !== undefined;
  if (hasKey && token !== undefined) {
    throw invalid(
      'credential-conflict',
      'it has a SharedAccessSignature and a SharedAccessKey; one is enough',
    );
  }
  if (managed && (hasKey || token !== undefined)) {
    throw invalid(
      'credential-conflict',
      'Authentication=Managed Identity excludes shared access keys and signatures',
    );
  }
  if (managed) return { kind: 'managed-identity' };
  if (token !== undefined) {
    if (!isSasToken(token)) throw invalid('signature', 'its SharedAccessSignature is not a token');
    return { kind: 'signature', token };
  }
  if (keyName === undefined && key === undefined) return { kind: 'none' };
  if (key === undefined) throw invalid('key-missing', 'it has a SharedAccessKeyName but no SharedAccessKey');
  if (keyName === undefined)
    throw invalid('key-name-missing', 'it has a SharedAccessKey but no SharedAccessKeyName');
  if (keyName.length > KEY_NAME_MAX_CHARS)
    throw invalid('key-name-length', 'its SharedAccessKeyName is too long');
  if (key.length > KEY_MAX_CHARS) throw invalid('key-length', 'its SharedAccessKey is too long');
  if (/\s/.test(key)) throw invalid('key-whitespace', 'its SharedAccessKey holds a space or a line break');
  return { kind: 'key', keyName, key };
}

/** Emulators of Azure's messaging services are announced by this key; it must never take TLS rules off a real host. */
function checkEmulatorFlag(pairs: Pairs, endpoint: Endpoint): void {
  const flag = pairs.get('UseDevelopmentEmulator')?.toLowerCase();
  if (flag === undefined || flag === 'false') return;
  if (flag !== 'true') throw invalid('emulator-flag', 'UseDevelopmentEmulator is neither true nor false');
  if (!isLoopbackName(endpoint.host)) {
    throw invalid('emulator-host', `UseDevelopmentEmulator=true does not go with the host ${endpoint.host}`);
  }
}

function invalid(reason: string, what: string): HcmError {
  return new HcmError('HCM_CONNECTION_STRING_INVALID', `The connection string cannot be used: ${what}.`, {
    details: { reason },
  });
}
