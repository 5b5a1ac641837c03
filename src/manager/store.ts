/**
 * The connections that `hcm add` put into the manager, in one file of its folder, and their secrets in another. Both
 * are replaced as a whole. A file that cannot be used is kept aside and told, so that the manager still starts; one
 * that a newer version wrote stops it, since it would be lost.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { loadJson, saveJson } from '../lib/config/json-file.ts';
import { HcmError } from '../protocol/errors.ts';
import type { SecretStore } from './secrets.ts';

const FILE_NAME = 'connections.json';
const VERSION = 1;

/** An entry of hcm.yaml's section `manager:` without what is secret. */
export type StoredEntry = Readonly<Record<string, unknown>>;

export interface StoredConnection {
  readonly role: 'listener' | 'forward';
  /** NAMESPACE/NAME. */
  readonly connection: string;
  /** The target that was confirmed; a listener forwards to no other. */
  readonly pinnedTarget?: string | undefined;
  readonly addedAt: string;
  readonly entry: StoredEntry;
}

interface StoreFile {
  version: number;
  connections: StoredConnection[];
}

export interface StoreOptions {
  folder: string;
  secrets: SecretStore;
  nowMs: () => number;
}

export class ConnectionStore {
  readonly #options: StoreOptions;
  #connections: readonly StoredConnection[];
  /** Where an unusable file was put when the store was opened. */
  readonly keptAside: string | undefined;
  /** One change at a time: each writes what the one before it has left. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: StoreOptions, connections: readonly StoredConnection[], keptAside?: string) {
    this.#options = options;
    this.#connections = connections;
    this.keptAside = keptAside;
  }

  /** @throws HcmError HCM_STATE_CORRUPT for a file of a newer version, HCM_FILE_UNREADABLE, HCM_STATE_UNWRITABLE. */
  static async open(options: StoreOptions): Promise<ConnectionStore> {
    const path = join(options.folder, FILE_NAME);
    try {
      const file = checkFile(await loadJson(path), path);
      return new ConnectionStore(options, file.connections);
    } catch (error) {
      if (!(error instanceof HcmError) || error.code !== 'HCM_STATE_CORRUPT' || error.details['newer'])
        throw error;
      const aside = `${path}.corrupt-${new Date(options.nowMs()).toISOString().replaceAll(':', '-')}`;
      await rename(path, aside).catch((cause: NodeJS.ErrnoException) => {
        throw new HcmError('HCM_STATE_UNWRITABLE', `${path} is damaged and cannot be moved: ${cause.code}.`, {
          details: { file: path },
        });
      });
      return new ConnectionStore(options, [], aside);
    }
  }

  get connections(): readonly StoredConnection[] {
    return this.#connections;
  }

  get(role: StoredConnection['role'], connection: string): StoredConnection | undefined {
    return this.#connections.find((one) => isSame(one, { role, connection }));
  }

  /** The connection string of a stored connection; undefined when it uses none. */
  secret(stored: Pick<StoredConnection, 'role' | 'connection'>): Promise<string | undefined> {
    return this.#options.secrets.load(secretName(stored));
  }

  /**
   * Adds a connection, or replaces the one of the same role and name; the secret is written first, so that no entry is
   * ever without its own. Without a secret, an earlier one is forgotten.
   * @throws HcmError HCM_STATE_UNWRITABLE: nothing has changed then.
   */
  put(stored: StoredConnection, secret: string | undefined): Promise<void> {
    return this.#change(async (connections) => {
      const { secrets } = this.#options;
      await (secret === undefined
        ? secrets.remove(secretName(stored))
        : secrets.save(secretName(stored), secret));
      return [...connections.filter((one) => !isSame(one, stored)), stored];
    });
  }

  /** False when there was none. */
  async remove(role: StoredConnection['role'], connection: string): Promise<boolean> {
    const stored = this.get(role, connection);
    if (stored === undefined) return false;
    await this.#change((connections) => connections.filter((one) => one !== stored));
    await this.#options.secrets.remove(secretName(stored));
    return true;
  }

  async #change(
    act: (connections: readonly StoredConnection[]) => StoredConnection[] | Promise<StoredConnection[]>,
  ): Promise<void> {
    const change = this.#last.then(async () => {
      const connections = await act(this.#connections);
      await saveJson(join(this.#options.folder, FILE_NAME), { version: VERSION, connections });
      this.#connections = connections;
    });
    this.#last = change.catch(() => undefined);
    return change;
  }
}

/** Names of Azure are compared without case. */
function isSame(a: Pick<StoredConnection, 'role' | 'connection'>, b: typeof a): boolean {
  return a.role === b.role && a.connection.toLowerCase() === b.connection.toLowerCase();
}

function secretName({ role, connection }: Pick<StoredConnection, 'role' | 'connection'>): string {
  return `${role} ${connection.toLowerCase()}`;
}

function checkFile(value: unknown, path: string): StoreFile {
  if (value === undefined) return { version: VERSION, connections: [] };
  const { version, connections } = (value ?? {}) as Partial<Record<keyof StoreFile, unknown>>;
  if (typeof version === 'number' && version > VERSION) {
    throw new HcmError('HCM_STATE_CORRUPT', `${path} was written by a newer version of hcm (${version}).`, {
      details: { file: path, newer: true, next: 'Install that version of hcm again' },
    });
  }
  if (version !== VERSION || !Array.isArray(connections) || !connections.every(isStored)) {
    throw new HcmError('HCM_STATE_CORRUPT', `${path} is no list of connections.`, {
      details: { file: path },
    });
  }
  return { version, connections };
}

function isStored(value: unknown): value is StoredConnection {
  if (typeof value !== 'object' || value === null) return false;
  const { role, connection, entry, addedAt } = value as Record<keyof StoredConnection, unknown>;
  return (
    (role === 'listener' || role === 'forward') &&
    typeof connection === 'string' &&
    typeof addedAt === 'string' &&
    typeof entry === 'object' &&
    entry !== null
  );
}
