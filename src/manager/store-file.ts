/**
 * What stands in the manager's `connections.json`, and how it is read: entries that are damaged are left out and told,
 * the whole file is kept beside it then. Holds no secret, only where each one lies.
 */
import { parseTarget } from '../protocol/target.ts';
import { corrupt, newer } from './state-document.ts';

const VERSION = 1;

/** An entry of hcm.yaml's section `manager:` without what is secret. */
export type StoredEntry = Readonly<Record<string, unknown>>;

export interface StoredConnection {
  readonly role: 'listener' | 'forward';
  /** NAMESPACE/NAME. */
  readonly connection: string;
  /** Of the relay, as its connection string names it; absent when it has none. NAMESPACE may be that of another cloud. */
  readonly host?: string | undefined;
  /** The target that was confirmed; a listener forwards to no other. */
  readonly pinnedTarget?: string | undefined;
  readonly addedAt: string;
  readonly entry: StoredEntry;
}

export type SecretPlace = 'keychain' | 'file';

/** A secret that is no longer wanted where it lies, as it was left by a change that could not end. */
export interface Leftover {
  readonly place: SecretPlace;
  readonly name: string;
}

export interface StoreState {
  readonly connections: readonly StoredConnection[];
  /** By name of a secret: where it lies. A connection without a secret is not in it. */
  readonly places: ReadonlyMap<string, SecretPlace>;
  readonly leftovers: readonly Leftover[];
  /** Tells the entries of this store from those of others in the same keychain. */
  readonly keychainId: string | undefined;
}

export const EMPTY: StoreState = {
  connections: [],
  places: new Map(),
  leftovers: [],
  keychainId: undefined,
};

export function storeData({ connections, places, leftovers, keychainId }: StoreState): object {
  return {
    version: VERSION,
    connections,
    keys: Object.fromEntries(places),
    ...(leftovers.length === 0 ? {} : { leftovers }),
    ...(keychainId === undefined ? {} : { keychain: keychainId }),
  };
}

/** Names of Azure are compared without case. */
export function isSame(a: Pick<StoredConnection, 'role' | 'connection'>, b: typeof a): boolean {
  return a.role === b.role && a.connection.toLowerCase() === b.connection.toLowerCase();
}

/**
 * The state, and how many entries were left out.
 * @throws HcmError HCM_STATE_CORRUPT when it is no list of connections at all, or newer.
 */
export function readStoreState(value: unknown, path: string): { state: StoreState; leftOut: number } {
  if (value === undefined) return { state: EMPTY, leftOut: 0 };
  const { version, connections, keys, leftovers, keychain } = (value ?? {}) as Record<string, unknown>;
  if (typeof version === 'number' && version > VERSION) throw newer(path, version);
  if (version !== VERSION || !Array.isArray(connections)) throw corrupt(path, 'it is no list of connections');
  const found: StoredConnection[] = [];
  for (const one of connections as unknown[])
    if (isStored(one) && !found.some((other) => isSame(one, other))) found.push(one);
  return {
    state: {
      connections: found,
      places: new Map(entriesOf(keys).filter((entry) => isPlace(entry[1])) as [string, SecretPlace][]),
      leftovers: Array.isArray(leftovers) ? leftovers.filter(isLeftover) : [],
      keychainId: typeof keychain === 'string' ? keychain : undefined,
    },
    leftOut: connections.length - found.length,
  };
}

function isStored(value: unknown): value is StoredConnection {
  if (!isObject(value)) return false;
  const { role, connection, entry, addedAt, pinnedTarget, host } = value;
  return (
    (role === 'listener' || role === 'forward') &&
    typeof connection === 'string' &&
    typeof addedAt === 'string' &&
    isObject(entry) &&
    (host === undefined || typeof host === 'string') &&
    (pinnedTarget === undefined || isTarget(pinnedTarget))
  );
}

function isTarget(value: unknown): boolean {
  try {
    return typeof value === 'string' && Boolean(parseTarget(value));
  } catch {
    return false;
  }
}

function isLeftover(value: unknown): value is Leftover {
  return isObject(value) && isPlace(value['place']) && typeof value['name'] === 'string';
}

function isPlace(value: unknown): value is SecretPlace {
  return value === 'keychain' || value === 'file';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}
