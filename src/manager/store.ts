/**
 * The connections that `hcm add` put into the manager, and their secrets. Each file is replaced as a whole. What cannot
 * be used is kept aside and told, so that the manager still starts; what a newer version wrote stops it, since it would
 * be lost. A change that is cut off in the middle leaves the old or the new, and a note of what is left to be cleaned up.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile } from '../lib/config/json-file.ts';
import type { HcmError } from '../protocol/errors.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import { SecretKeeper, type SecretKeeperOptions } from './secret-keeper.ts';
import { forgotten, secretName } from './secret-places.ts';
import type { FileSecrets } from './secrets.ts';
import { StoreDocument } from './store-document.ts';
import { isSame, type SecretPlace, type StoredConnection } from './store-file.ts';

export type { SecretChoice } from './secret-keeper.ts';
export type { StoredConnection, StoredEntry } from './store-file.ts';

/** What a write that was cut off leaves beside its file; it may hold secrets. */
const HALF_WRITTEN = /^(?:connections\.json|secrets\.json|manager\.socket)\.\d+$/;

export interface StoreOptions extends SecretKeeperOptions {
  folder: string;
  secrets: FileSecrets;
}

export class ConnectionStore {
  readonly #options: StoreOptions;
  readonly #document: StoreDocument;
  readonly #keeper: SecretKeeper;
  /** One change at a time: each writes what the one before it has left. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: StoreOptions, document: StoreDocument) {
    this.#options = options;
    this.#document = document;
    this.#keeper = new SecretKeeper(document, options);
  }

  /** Changes nothing in the folder. @throws HcmError HCM_STATE_CORRUPT for a file of a newer version, HCM_FILE_UNREADABLE. */
  static async open(options: StoreOptions): Promise<ConnectionStore> {
    return new ConnectionStore(options, await StoreDocument.load(options.folder));
  }

  /**
   * The folder is this manager's own now: its files are read once more, and those that are of no use are put aside.
   * Resolves with what is wrong with them. @throws HcmError as `open`: it must not be written over.
   */
  takeOver(): Promise<HcmError[]> {
    return this.#change(async () => {
      await this.#document.reload();
      const aside = await this.#document.keepAside().catch((error: unknown) => [asHcmError(error)]);
      return [...aside, ...(await this.#options.secrets.check())];
    });
  }

  get connections(): readonly StoredConnection[] {
    return this.#document.state.connections;
  }

  /** Where secrets go, and what is wrong with that. */
  get keeper(): Pick<SecretKeeper, 'problem' | 'noKeychain' | 'wantedPlaces'> {
    return this.#keeper;
  }

  get(role: StoredConnection['role'], connection: string): StoredConnection | undefined {
    return this.connections.find((one) => isSame(one, { role, connection }));
  }

  /** Where its connection string lies; undefined when it uses none. */
  secretPlace(stored: Pick<StoredConnection, 'role' | 'connection'>): SecretPlace | undefined {
    return this.#document.state.places.get(secretName(stored));
  }

  /**
   * The connection string of a stored connection; undefined when it uses none.
   * @throws HcmError HCM_SECRET_MISSING, HCM_KEYCHAIN_UNAVAILABLE, HCM_FILE_UNREADABLE, HCM_STATE_CORRUPT.
   */
  secret(stored: Pick<StoredConnection, 'role' | 'connection'>): Promise<string | undefined> {
    return this.#keeper.load(stored);
  }

  /**
   * Adds a connection, or replaces the one of the same role and name; the secret is written first, so that no entry is
   * ever without its own. Without a secret, an earlier one is forgotten.
   * @throws HcmError HCM_STATE_UNWRITABLE, HCM_KEYCHAIN_UNAVAILABLE: nothing has changed then.
   */
  put(stored: StoredConnection, secret: string | undefined): Promise<void> {
    return this.#change(async () => {
      const connections = [...this.connections.filter((one) => !isSame(one, stored)), stored];
      const name = secretName(stored);
      if (secret !== undefined) return this.#keeper.put(name, secret, connections);
      await this.#document.write({ ...forgotten(this.#document.state, name), connections });
      await this.#keeper.cleanUp();
    });
  }

  /**
   * Confirms another target, and leaves all else of the connection as it is by then. False: it has no confirmed target,
   * or this one is it. @throws HcmError HCM_STATE_UNWRITABLE.
   */
  pin(role: StoredConnection['role'], connection: string, target: string): Promise<boolean> {
    return this.#change(async () => {
      const stored = this.get(role, connection);
      if (stored?.pinnedTarget === undefined || stored.pinnedTarget === target) return false;
      const connections = this.connections.map((one) =>
        one === stored ? { ...one, pinnedTarget: target } : one,
      );
      await this.#document.write({ ...this.#document.state, connections });
      return true;
    });
  }

  /** False when there was none. @throws HcmError HCM_STATE_UNWRITABLE: it is still there then. */
  remove(role: StoredConnection['role'], connection: string): Promise<boolean> {
    return this.#change(async () => {
      const stored = this.get(role, connection);
      if (stored === undefined) return false;
      const connections = this.connections.filter((one) => one !== stored);
      await this.#document.write({ ...forgotten(this.#document.state, secretName(stored)), connections });
      await this.#keeper.cleanUp();
      return true;
    });
  }

  /**
   * Cleans up what a cut-off change has left, and moves secrets to where they are to lie now. To be called once the
   * folder is this manager's own. Resolves with how many were moved; never rejects: what could not be done is
   * `keeper.problem`.
   */
  settle(): Promise<number> {
    return this.#change(async () => {
      await this.#removeHalfWritten();
      await this.#keeper.cleanUp();
      return this.#keeper.moveAll();
    });
  }

  /** Lets go of the keychain. */
  close(): void {
    this.#keeper.close();
  }

  async #removeHalfWritten(): Promise<void> {
    const { folder } = this.#options;
    const names = await readdir(folder).catch(() => []);
    for (const name of names)
      if (HALF_WRITTEN.test(name)) await removeFile(join(folder, name)).catch(() => undefined);
  }

  #change<T>(act: () => Promise<T>): Promise<T> {
    const change = this.#last.then(act);
    this.#last = change.catch(() => undefined);
    return change;
  }
}
