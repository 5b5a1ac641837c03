/**
 * From what a file and the store say to what the manager runs: ids, and fingerprints that tell whether a running
 * connection must be opened anew. Where both name the same connection, the file counts.
 */
import { createHash } from 'node:crypto';
import type {
  Access,
  ForwardDeclaration,
  ListenerDeclaration,
  ManagerDeclaration,
} from '../lib/config/hcm-yaml/manager-declaration.ts';
import { isSameConnection } from '../lib/config/hcm-yaml/same-connection.ts';
import type { Target } from '../protocol/target.ts';
import type { ConnectionSpec, Declared } from './tunnel.ts';

export interface SpecSource {
  readonly source: ConnectionSpec['source'];
  readonly manager: ManagerDeclaration;
  /** The confirmed target of a listener; only the store knows any. */
  readonly pinnedOf?: (connection: string) => Target | undefined;
}

/**
 * In the order given; the first of two that name the same connection counts. `running`: what has not changed keeps the id it
 * runs under, whatever stands before it in the file now.
 */
export function specsOf(
  sources: readonly SpecSource[],
  running: readonly ConnectionSpec[] = [],
): ConnectionSpec[] {
  const specs: ConnectionSpec[] = [];
  for (const source of sources) {
    const { listeners, forwards } = source.manager;
    const declared: Declared[] = [
      ...listeners.map((listener): Declared => ({ kind: 'listener', listener })),
      ...forwards.map((forward): Declared => ({ kind: 'forward', forward })),
    ];
    const isNamed = (spec: ConnectionSpec) => specs.some((one) => isSame(one, spec));
    const own = declared.map((one) => specOf(one, source)).filter((spec) => !isNamed(spec));
    specs.push(...withIds(own, running));
  }
  return specs;
}

/** A connection may have several local ports: the later ones are counted. */
function withIds(specs: readonly ConnectionSpec[], running: readonly ConnectionSpec[]): ConnectionSpec[] {
  const taken = new Set<string>();
  const take = (id: string) => (taken.add(id), id);
  const kept = specs.map((spec) => {
    const same = running.find(
      (one) => isSame(one, spec) && one.fingerprint === spec.fingerprint && !taken.has(one.id),
    );
    return same && take(same.id);
  });
  return specs.map((spec, index) => ({ ...spec, id: kept[index] ?? take(freeId(spec.id, taken)) }));
}

function isSame(one: ConnectionSpec, other: ConnectionSpec): boolean {
  return one.role === other.role && isSameConnection(one.connection, other.connection);
}

/** The id under which a connection runs. Names of Azure are compared without case. */
export function connectionId(role: ConnectionSpec['role'], connection: string): string {
  return `${role === 'listener' ? 'listen' : 'forward'} ${connection.toLowerCase()}`;
}

function specOf(declared: Declared, { source, pinnedOf }: SpecSource): ConnectionSpec {
  const role = declared.kind;
  const { connection, access } = contentOf(declared);
  const pinned = role === 'listener' ? pinnedOf?.(connection) : undefined;
  return {
    id: connectionId(role, connection),
    role,
    connection,
    source,
    declared,
    pinned,
    fingerprint: fingerprintOf({
      ...contentOf(declared),
      at: undefined,
      access: visibleAccess(access),
      pinned,
    }),
  };
}

/** The file that its connection string is read from; undefined when there is none. */
export function keyFileOf(spec: ConnectionSpec): string | undefined {
  const access = accessOf(spec);
  return access.kind === 'file' ? access.path : undefined;
}

/** How it says who we are, where its secret is in no store. */
export function accessOf({ declared }: ConnectionSpec): Access {
  return contentOf(declared).access;
}

function contentOf(declared: Declared): ListenerDeclaration | ForwardDeclaration {
  return declared.kind === 'listener' ? declared.listener : declared.forward;
}

function freeId(id: string, taken: ReadonlySet<string>): string {
  if (!taken.has(id)) return id;
  for (let number = 2; ; number += 1) if (!taken.has(`${id} ${number}`)) return `${id} ${number}`;
}

/** A key that was changed must count, and must not be read from a fingerprint. */
function visibleAccess(access: Access): object {
  if (!('text' in access)) return access;
  return { ...access, text: createHash('sha256').update(access.text).digest('base64') };
}

function fingerprintOf(value: object): string {
  return JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Map ? [...inner] : inner));
}
