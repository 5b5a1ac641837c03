/**
 * What the emulator remembers between two starts: one document with the made-up tenant, the namespaces, their
 * connections, rules and keys. Schema, checks, and a fresh one; files are state-file.ts's business.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { checkEntityName } from '../protocol/entity-name.ts';
import { HcmError } from '../protocol/errors.ts';
import { USER_METADATA_MAX_CHARS } from '../protocol/limits.ts';
import { parseTarget } from '../protocol/target.ts';
import { withTarget } from '../protocol/user-metadata.ts';

export const STATE_VERSION = 1;
export const DEFAULT_NAMESPACE = 'local-relay';
export const DEFAULT_RESOURCE_GROUP = 'local';

export type Right = 'Listen' | 'Send' | 'Manage';
export const RIGHTS: readonly Right[] = ['Listen', 'Send', 'Manage'];

/** An authorization rule, of a namespace or of one connection. Keys are text: what HMAC takes as it stands. */
export interface RuleState {
  name: string;
  rights: Right[];
  primaryKey: string;
  secondaryKey: string;
}

/** A hybrid connection. Times are ISO 8601. */
export interface ConnectionState {
  name: string;
  requiresClientAuthorization: boolean;
  /** As Azure keeps it: JSON text, by convention `[{"key":"endpoint","value":"host:port"}]`; '' for none. */
  userMetadata: string;
  createdAt: string;
  updatedAt: string;
  rules: RuleState[];
}

export interface NamespaceState {
  name: string;
  createdAt: string;
  updatedAt: string;
  rules: RuleState[];
  connections: ConnectionState[];
}

export interface EmulatorState {
  version: typeof STATE_VERSION;
  tenantId: string;
  subscriptionId: string;
  clientId: string;
  clientSecret: string;
  resourceGroup: string;
  namespaces: NamespaceState[];
}

/** What a caller says about a connection it wants. */
export interface ConnectionSpec {
  name: string;
  /** `host:port` on the private side; goes into the metadata. */
  target?: string | undefined;
  /** Default true; false lets senders in without a token. */
  requiresClientAuthorization?: boolean | undefined;
}

/** A key as Azure makes them: the base64 of 32 random bytes. */
export function createKey(): string {
  return randomBytes(32).toString('base64');
}

export function createRule(name: string, rights: Right[]): RuleState {
  return { name, rights, primaryKey: createKey(), secondaryKey: createKey() };
}

/** A new document: everything random, one namespace without connections. */
export function createState(nowMs = Date.now()): EmulatorState {
  const at = new Date(nowMs).toISOString();
  const namespace: NamespaceState = {
    ...{ name: DEFAULT_NAMESPACE, createdAt: at, updatedAt: at },
    rules: [createRule('RootManageSharedAccessKey', [...RIGHTS])],
    connections: [],
  };
  return {
    version: STATE_VERSION,
    tenantId: randomUUID(),
    subscriptionId: randomUUID(),
    clientId: randomUUID(),
    clientSecret: randomBytes(30).toString('base64url'),
    resourceGroup: DEFAULT_RESOURCE_GROUP,
    namespaces: [namespace],
  };
}

/**
 * Adds a connection with the rules defaultListener and defaultSender, or brings one that is there (names are
 * compared without case) up to the spec: keys and what the spec does not name stay. Returns it.
 * Objects stay the same: running listeners are known by theirs.
 * @throws HcmError HCM_CONNECTION_INVALID for a name that cannot be one, HCM_TARGET_INVALID.
 */
export function putConnection(
  namespace: NamespaceState,
  spec: ConnectionSpec,
  nowMs: number,
): ConnectionState {
  checkEntityName(spec.name);
  const at = new Date(nowMs).toISOString();
  const existing = findByName(namespace.connections, spec.name);
  if (existing !== undefined) {
    const wanted = {
      userMetadata: metadataFor(spec, existing.userMetadata),
      requiresClientAuthorization: spec.requiresClientAuthorization ?? existing.requiresClientAuthorization,
    };
    const same =
      wanted.userMetadata === existing.userMetadata &&
      wanted.requiresClientAuthorization === existing.requiresClientAuthorization;
    if (!same) Object.assign(existing, wanted, { updatedAt: at });
    for (const [name, right] of DEFAULT_RULES) {
      if (findByName(existing.rules, name) === undefined) existing.rules.push(createRule(name, [right]));
    }
    return existing;
  }
  const connection: ConnectionState = {
    name: spec.name,
    requiresClientAuthorization: spec.requiresClientAuthorization ?? true,
    userMetadata: metadataFor(spec, ''),
    ...{ createdAt: at, updatedAt: at },
    rules: DEFAULT_RULES.map(([name, right]) => createRule(name, [right])),
  };
  namespace.connections.push(connection);
  return connection;
}

const DEFAULT_RULES: readonly (readonly [string, Right])[] = [
  ['defaultListener', 'Listen'],
  ['defaultSender', 'Send'],
];

function metadataFor({ target }: ConnectionSpec, existing: string): string {
  return target === undefined ? existing : withTarget(existing, parseTarget(target));
}

/** Azure compares the names of resources without case. */
export function findByName<T extends { name: string }>(items: readonly T[], name: string): T | undefined {
  return items.find((item) => item.name.toLowerCase() === name.toLowerCase());
}

/**
 * Checks a document read from somewhere.
 * @throws HcmError HCM_STATE_CORRUPT; `details.reason` is `newer-version` when a later hcm wrote it (then it must
 * not be overwritten), else `schema`.
 */
export function checkState(value: unknown): EmulatorState {
  const state = asRecord(value, 'the document');
  if (typeof state.version === 'number' && state.version > STATE_VERSION) {
    throw new HcmError(
      'HCM_STATE_CORRUPT',
      `The emulator's state has version ${state.version}, and this hcm knows ${STATE_VERSION}: a newer hcm wrote it.`,
      { details: { reason: 'newer-version', version: state.version } },
    );
  }
  if (state.version !== STATE_VERSION) throw corrupt('version');
  for (const name of ['tenantId', 'subscriptionId', 'clientId', 'clientSecret', 'resourceGroup'] as const) {
    text(state[name], name);
  }
  for (const item of list(state.namespaces, 'namespaces')) {
    const namespace = asRecord(item, 'namespaces[]');
    for (const name of ['name', 'createdAt', 'updatedAt'] as const)
      text(namespace[name], `namespaces[].${name}`);
    for (const rule of list(namespace.rules, 'namespaces[].rules')) checkRule(rule);
    for (const connection of list(namespace.connections, 'connections')) checkConnection(connection);
  }
  if ((state.namespaces as unknown[]).length === 0) throw corrupt('namespaces');
  return value as EmulatorState;
}

function checkConnection(value: unknown): void {
  const connection = asRecord(value, 'connections[]');
  for (const name of ['name', 'createdAt', 'updatedAt'] as const)
    text(connection[name], `connections[].${name}`);
  if (typeof connection.requiresClientAuthorization !== 'boolean') {
    throw corrupt('connections[].requiresClientAuthorization');
  }
  const metadata = connection.userMetadata;
  if (typeof metadata !== 'string' || metadata.length > USER_METADATA_MAX_CHARS) {
    throw corrupt('connections[].userMetadata');
  }
  for (const rule of list(connection.rules, 'connections[].rules')) checkRule(rule);
}

function checkRule(value: unknown): void {
  const rule = asRecord(value, 'rules[]');
  for (const name of ['name', 'primaryKey', 'secondaryKey'] as const) text(rule[name], `rules[].${name}`);
  for (const right of list(rule.rights, 'rules[].rights')) {
    if (!RIGHTS.some((known) => known === right)) throw corrupt('rules[].rights');
  }
}

function asRecord(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt(where);
  return value as Record<string, unknown>;
}

function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw corrupt(where);
  return value;
}

function text(value: unknown, where: string): void {
  if (typeof value !== 'string' || value === '') throw corrupt(where);
}

function corrupt(where: string): HcmError {
  return new HcmError(
    'HCM_STATE_CORRUPT',
    `The emulator's state cannot be used: ${where} is not as it must be.`,
    {
      details: { reason: 'schema', where },
    },
  );
}
