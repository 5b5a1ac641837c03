/**
 * The connections that `hcm add` put into the manager, and their secrets. Each file is replaced as a whole. What cannot
 * be used is kept aside and told, so that the manager still starts; what a newer version wrote stops it, since it would
 * be lost. A change that is cut off in the middle leaves the old or the new, and a note of what is left to be cleaned up.
 */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile, saveJson } from '../lib/config/json-file.ts';
import { HcmError } from '../protocol/errors.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import type { Keychain } from './keychain-secrets.ts';
import { forgotten, missing, placed, secretName, withLeftover } from './secret-places.ts';
import type { FileSecrets, SecretStore } from './secrets.ts';
import { corrupt, isUseless, loadDocument, putAside } from './state-document.ts';
import {
  copyAside,
  EMPTY,
  isSame,
  readStoreState,
  storeData,
  type Leftover,
  type SecretPlace,
  type StoredConnection,
  type StoreState,
} from './store-file.ts';

export type { StoredConnection, StoredEntry } from './store-file.ts';

const FILE_NAME = 'connections.json';
/** What a write that was cut off leaves beside its file; it may hold secrets. */
const HALF_WRITTEN = /^(?:connections|secrets)\.json\.\d+$/;
const KEYCHAIN_ID_BYTES = 4;

/** `auto`: the keychain where it works, else the file. */
export type SecretChoice = 'auto' | SecretPlace;

export interface StoreOptions {
  folder: string;
  secrets: FileSecrets;
  /** Absent: secrets lie in the file. */
  keychain?: Keychain | undefined;
  /** Where new secrets go. Default: the file. */
  choice?: SecretChoice;
  nowMs: () => number;
}

export class ConnectionStore {
  readonly #options: StoreOptions;
  #state: StoreState;
  /** What was wrong with the files when the store was opened. */
  readonly problems: readonly HcmError[];
  /** Where an unusable file was put when the store was opened. */
  readonly keptAside: string | undefined;
  /** One change at a time: each writes what the one before it has left. */
  #last: Promise<unknown> = Promise.resolve();
  /** With `auto`: why the keychain was not to be had the last time. */
  #noKeychain: HcmError | undefined;
  #secretsProblem: HcmError | undefined;

  private constructor(options: StoreOptions, state: StoreState, problems: HcmError[], keptAside?: string) {
    this.#options = options;
    this.#state = state;
    this.problems = problems;
    this.keptAside = keptAside;
  }

  /** @throws HcmError HCM_STATE_CORRUPT for a file of a newer version, HCM_FILE_UNREADABLE, HCM_STATE_UNWRITABLE. */
  static async open(options: StoreOptions): Promise<ConnectionStore> {
    const { folder, secrets, nowMs } = options;
    const path = join(folder, FILE_NAME);
    const problems: HcmError[] = [];
    let state = EMPTY;
    let keptAside: string | undefined;
    try {
      const read = readStoreState(await loadDocument(path), path);
      state = read.state;
      if (read.leftOut > 0) {
        keptAside = await copyAside(path, nowMs());
        const what = `${read.leftOut} of its connections make no sense and were left out`;
        problems.push(corrupt(path, `${what}; a copy of it is ${keptAside}`));
      }
      if (!read.knowsPlaces) state = { ...state, places: await placesInFile(secrets) };
    } catch (error) {
      if (!isUseless(error)) throw error;
      keptAside = await putAside(path, nowMs());
      problems.push(corrupt(path, `it was damaged and put aside as ${keptAside}`));
    }
    problems.push(...(await secrets.check(nowMs())));
    return new ConnectionStore(options, state, problems, keptAside);
  }

  get connections(): readonly StoredConnection[] {
    return this.#state.connections;
  }

  /** Why secrets do not lie where they should, or are still where they should not; undefined when all is well. */
  get secretsProblem(): HcmError | undefined {
    return this.#secretsProblem;
  }

  get(role: StoredConnection['role'], connection: string): StoredConnection | undefined {
    return this.connections.find((one) => isSame(one, { role, connection }));
  }

  /** Where its connection string lies; undefined when it uses none. */
  secretPlace(stored: Pick<StoredConnection, 'role' | 'connection'>): SecretPlace | undefined {
    return this.#state.places.get(secretName(stored));
  }

  /**
   * The connection string of a stored connection; undefined when it uses none.
   * @throws HcmError HCM_SECRET_MISSING, HCM_KEYCHAIN_UNAVAILABLE, HCM_FILE_UNREADABLE, HCM_STATE_CORRUPT.
   */
  async secret(stored: Pick<StoredConnection, 'role' | 'connection'>): Promise<string | undefined> {
    const name = secretName(stored);
    for (;;) {
      const place = this.#state.places.get(name);
      if (place === undefined) return undefined;
      const secret = await this.#vault(place).load(name);
      if (secret !== undefined) return secret;
      // It may have been moved meanwhile.
      if (this.#state.places.get(name) === place) throw missing(stored.connection, place);
    }
  }

  /**
   * Adds a connection, or replaces the one of the same role and name; the secret is written first, so that no entry is
   * ever without its own. Without a secret, an earlier one is forgotten.
   * @throws HcmError HCM_STATE_UNWRITABLE, HCM_KEYCHAIN_UNAVAILABLE: nothing has changed then.
   */
  put(stored: StoredConnection, secret: string | undefined): Promise<void> {
    return this.#change(async () => {
      const connections = [...this.connections.filter((one) => !isSame(one, stored)), stored];
      if (secret !== undefined) return this.#putSecret(secretName(stored), secret, connections);
      await this.#write({ ...forgotten(this.#state, secretName(stored)), connections });
      await this.#cleanUp();
    });
  }

  /** Replaces the entry and leaves its secret alone. @throws HcmError HCM_STATE_UNWRITABLE. */
  update(stored: StoredConnection): Promise<void> {
    return this.#change(() => {
      const connections = this.connections.map((one) => (isSame(one, stored) ? stored : one));
      return this.#write({ ...this.#state, connections });
    });
  }

  /** False when there was none. @throws HcmError HCM_STATE_UNWRITABLE: it is still there then. */
  async remove(role: StoredConnection['role'], connection: string): Promise<boolean> {
    const stored = this.get(role, connection);
    if (stored === undefined) return false;
    await this.#change(async () => {
      const connections = this.connections.filter((one) => !isSame(one, stored));
      await this.#write({ ...forgotten(this.#state, secretName(stored)), connections });
      await this.#cleanUp();
    });
    return true;
  }

  /**
   * Cleans up what a cut-off change has left, and moves secrets to where they are to lie now. To be called once the
   * folder is this manager's own. Resolves with how many were moved; never rejects: what could not be done is
   * `secretsProblem`.
   */
  async settle(): Promise<number> {
    let moved = 0;
    await this.#change(async () => {
      await this.#removeHalfWritten();
      await this.#cleanUp();
      const { choice = 'file' } = this.#options;
      const wanted = choice === 'auto' ? 'keychain' : choice;
      if (wanted === 'keychain' && this.#options.keychain === undefined) return;
      for (const [name, place] of this.#state.places)
        if (place !== wanted && (await this.#move(name, place, wanted))) moved += 1;
    }).catch((error: unknown) => {
      this.#secretsProblem = asHcmError(error);
      // With `auto` the file is as good.
      if (this.#options.choice !== 'auto' || this.#secretsProblem.code !== 'HCM_KEYCHAIN_UNAVAILABLE') return;
      this.#noKeychain = this.#secretsProblem;
      this.#secretsProblem = undefined;
    });
    return moved;
  }

  /** Lets go of the keychain. */
  close(): void {
    this.#options.keychain?.close();
  }

  /** Where it may go, best first. */
  #wantedPlaces(): readonly SecretPlace[] {
    const { choice = 'file', keychain } = this.#options;
    if (choice !== 'auto') return [choice];
    return keychain === undefined || this.#noKeychain !== undefined ? ['file'] : ['keychain', 'file'];
  }

  async #putSecret(name: string, secret: string, connections: readonly StoredConnection[]): Promise<void> {
    const [first = 'file', second] = this.#wantedPlaces();
    try {
      await this.#putSecretAt(first, name, secret, connections);
    } catch (error) {
      if (second === undefined || asHcmError(error).code !== 'HCM_KEYCHAIN_UNAVAILABLE') throw error;
      this.#noKeychain = asHcmError(error);
      await this.#putSecretAt(second, name, secret, connections);
    }
  }

  async #putSecretAt(
    place: SecretPlace,
    name: string,
    secret: string,
    connections: readonly StoredConnection[],
  ): Promise<void> {
    const { places } = this.#state;
    const before = places.get(name);
    const vault = this.#vault(place);
    const old = before === place ? await vault.load(name).catch(() => undefined) : undefined;
    try {
      await this.#save(place, name, secret);
      await this.#write({ ...placed(this.#state, name, place), connections });
    } catch (error) {
      if (old !== undefined) await vault.save(name, old).catch(() => undefined);
      throw error;
    }
    await this.#cleanUp();
  }

  /** Whatever happens on the way, what lies there without being wanted is known. */
  async #save(place: SecretPlace, name: string, secret: string): Promise<void> {
    const vault = this.#vault(place);
    const before = this.#state;
    if (before.places.get(name) !== place) await this.#write(withLeftover(before, { place, name }));
    try {
      await vault.save(name, secret);
    } catch (error) {
      if (asHcmError(error).details['refused'] === true) this.#state = before;
      throw error;
    }
  }

  /** False when there is none. */
  async #move(name: string, from: SecretPlace, to: SecretPlace): Promise<boolean> {
    const secret = await this.#vault(from).load(name);
    if (secret === undefined) return false;
    await this.#save(to, name, secret);
    await this.#write(placed(this.#state, name, to));
    await this.#cleanUp();
    return true;
  }

  /** Removes secrets that nobody wants; those that cannot be removed now are tried again at the next change. */
  async #cleanUp(): Promise<void> {
    this.#secretsProblem = undefined;
    const left: Leftover[] = [];
    for (const one of this.#state.leftovers) {
      // One that does not answer is not asked again for each.
      if (this.#secretsProblem === undefined) await this.#clean(one).catch(() => left.push(one));
      else left.push(one);
    }
    if (left.length === this.#state.leftovers.length) return;
    await this.#write({ ...this.#state, leftovers: left }).catch(() => undefined);
  }

  async #clean({ place, name }: Leftover): Promise<void> {
    try {
      await this.#vault(place).remove(name);
    } catch (error) {
      this.#secretsProblem = asHcmError(error);
      throw error;
    }
  }

  async #removeHalfWritten(): Promise<void> {
    const { folder } = this.#options;
    const names = await readdir(folder).catch(() => []);
    for (const name of names)
      if (HALF_WRITTEN.test(name)) await removeFile(join(folder, name)).catch(() => undefined);
  }

  #vault(place: SecretPlace): SecretStore {
    const { secrets, keychain } = this.#options;
    if (place === 'file') return secrets;
    if (keychain === undefined) {
      const text = 'The keychain of this user cannot be used: this manager was started without it.';
      throw new HcmError('HCM_KEYCHAIN_UNAVAILABLE', text, { retryable: true });
    }
    const id = this.#state.keychainId ?? randomBytes(KEYCHAIN_ID_BYTES).toString('hex');
    this.#state = { ...this.#state, keychainId: id };
    return keychain.secretsOf(id);
  }

  /** On the disk first. @throws HcmError HCM_STATE_UNWRITABLE: nothing has changed then. */
  async #write(state: StoreState): Promise<void> {
    await saveJson(join(this.#options.folder, FILE_NAME), storeData(state));
    this.#state = state;
  }

  #change(act: () => Promise<void>): Promise<void> {
    const change = this.#last.then(act);
    this.#last = change.catch(() => undefined);
    return change;
  }
}

/** The first form of the store did not say where secrets lie: all were in the file. */
async function placesInFile(secrets: FileSecrets): Promise<Map<string, SecretPlace>> {
  const names = await secrets.names().catch(() => []);
  return new Map(names.map((name) => [name, 'file']));
}
