/**
 * Secrets of the store where they are to lie: in the keychain, or in the file. The document knows at each moment where
 * each one lies, and what may lie where nobody wants it, so that a change that is cut off loses and leaves nothing.
 * Owns no order: one change at a time is the business of the store.
 */
import { randomBytes } from 'node:crypto';
import { HcmError } from '../protocol/errors.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import type { Keychain } from './keychain-secrets.ts';
import { missing, placed, secretName, withLeftover } from './secret-places.ts';
import type { SecretStore } from './secrets.ts';
import type { StoreDocument } from './store-document.ts';
import type { Leftover, SecretPlace, StoredConnection } from './store-file.ts';

const KEYCHAIN_ID_BYTES = 4;

/** `auto`: the keychain where it works, else the file. */
export type SecretChoice = 'auto' | SecretPlace;

export interface SecretKeeperOptions {
  secrets: SecretStore;
  /** Absent: secrets lie in the file. */
  keychain?: Keychain | undefined;
  /** Where new secrets go. Default: the file. */
  choice?: SecretChoice | undefined;
}

export class SecretKeeper {
  readonly #document: StoreDocument;
  readonly #options: SecretKeeperOptions;
  /** With `auto`: why the keychain was not to be had the last time. */
  #noKeychain: HcmError | undefined;
  /** Why what nobody wants is still there, and why what is wanted is not where it should be. */
  #leftProblem: HcmError | undefined;
  #moveProblem: HcmError | undefined;

  constructor(document: StoreDocument, options: SecretKeeperOptions) {
    this.#document = document;
    this.#options = options;
  }

  /** Why secrets do not lie where they should, or are still where they should not; undefined when all is well. */
  get problem(): HcmError | undefined {
    return this.#leftProblem ?? (this.#isSettled ? undefined : this.#moveProblem);
  }

  /** With `auto`: why the file is used although the keychain is better. */
  get noKeychain(): HcmError | undefined {
    return this.#noKeychain;
  }

  /** Where new ones may go, best first. */
  get wantedPlaces(): readonly [SecretPlace, ...SecretPlace[]] {
    const { choice = 'file', keychain } = this.#options;
    if (choice !== 'auto') return [choice];
    return keychain === undefined || this.#noKeychain !== undefined ? ['file'] : ['keychain', 'file'];
  }

  /** Undefined for a connection that uses none. @throws HcmError HCM_SECRET_MISSING, and why it cannot be read. */
  async load(stored: Pick<StoredConnection, 'role' | 'connection'>): Promise<string | undefined> {
    const name = secretName(stored);
    for (;;) {
      const place = this.#document.state.places.get(name);
      if (place === undefined) return undefined;
      const secret = await this.#vault(place).load(name);
      if (secret !== undefined) return secret;
      // It may have been moved meanwhile.
      if (this.#document.state.places.get(name) === place) throw missing(stored.connection, place);
    }
  }

  /**
   * Writes the secret, then the connections that are to be with it.
   * @throws HcmError HCM_STATE_UNWRITABLE, HCM_KEYCHAIN_UNAVAILABLE: nothing has changed then.
   */
  async put(name: string, secret: string, connections: readonly StoredConnection[]): Promise<void> {
    const [first, second] = this.wantedPlaces;
    try {
      await this.#putAt(first, name, secret, connections);
    } catch (error) {
      if (second === undefined || asHcmError(error).code !== 'HCM_KEYCHAIN_UNAVAILABLE') throw error;
      this.#noKeychain = asHcmError(error);
      await this.#putAt(second, name, secret, connections);
    }
  }

  /** Removes secrets that nobody wants; those that cannot be removed now are tried again at the next change. */
  async cleanUp(): Promise<void> {
    this.#leftProblem = undefined;
    const { state } = this.#document;
    const left: Leftover[] = [];
    for (const one of state.leftovers) {
      // One that does not answer is not asked again for each.
      if (this.#leftProblem === undefined) await this.#clean(one).catch(() => left.push(one));
      else left.push(one);
    }
    if (left.length === state.leftovers.length) return;
    await this.#document.write({ ...this.#document.state, leftovers: left }).catch(() => undefined);
  }

  /**
   * Moves secrets to where they are to lie now. Resolves with how many were moved; never rejects: what could not be
   * done is `problem`.
   */
  async moveAll(): Promise<number> {
    const { choice = 'file', keychain } = this.#options;
    const wanted = this.#bestPlace;
    let moved = 0;
    this.#moveProblem = undefined;
    try {
      if (wanted === 'keychain' && keychain === undefined) return moved;
      for (const [name, place] of this.#document.state.places)
        if (place !== wanted && (await this.#move(name, place, wanted))) moved += 1;
    } catch (error) {
      const problem = asHcmError(error);
      // With `auto` the file is as good.
      if (choice !== 'auto' || problem.code !== 'HCM_KEYCHAIN_UNAVAILABLE') this.#moveProblem = problem;
      else {
        this.#noKeychain = problem;
        this.#leftProblem = undefined;
      }
    }
    return moved;
  }

  /** Lets go of the keychain. */
  close(): void {
    this.#options.keychain?.close();
  }

  get #bestPlace(): SecretPlace {
    const { choice = 'file' } = this.#options;
    return choice === 'auto' ? 'keychain' : choice;
  }

  get #isSettled(): boolean {
    return [...this.#document.state.places.values()].every((place) => place === this.#bestPlace);
  }

  async #putAt(
    place: SecretPlace,
    name: string,
    secret: string,
    connections: readonly StoredConnection[],
  ): Promise<void> {
    const vault = this.#vault(place);
    const isThere = this.#document.state.places.get(name) === place;
    const old = isThere ? await vault.load(name).catch(() => undefined) : undefined;
    try {
      await this.#save(place, name, secret);
      await this.#document.write({ ...placed(this.#document.state, name, place), connections });
    } catch (error) {
      if (old !== undefined) await vault.save(name, old).catch(() => undefined);
      throw error;
    }
    await this.cleanUp();
  }

  /** Whatever happens on the way, what lies there without being wanted is known. */
  async #save(place: SecretPlace, name: string, secret: string): Promise<void> {
    const vault = this.#vault(place);
    const before = this.#document.state;
    if (before.places.get(name) !== place) await this.#document.write(withLeftover(before, { place, name }));
    try {
      await vault.save(name, secret);
    } catch (error) {
      if (asHcmError(error).details['refused'] === true) this.#document.state = before;
      throw error;
    }
  }

  /** False when there is none. */
  async #move(name: string, from: SecretPlace, to: SecretPlace): Promise<boolean> {
    const secret = await this.#vault(from).load(name);
    if (secret === undefined) return false;
    await this.#save(to, name, secret);
    await this.#document.write(placed(this.#document.state, name, to));
    await this.cleanUp();
    return true;
  }

  async #clean({ place, name }: Leftover): Promise<void> {
    try {
      await this.#vault(place).remove(name);
    } catch (error) {
      this.#leftProblem = asHcmError(error);
      throw error;
    }
  }

  #vault(place: SecretPlace): SecretStore {
    const { secrets, keychain } = this.#options;
    if (place === 'file') return secrets;
    if (keychain === undefined) {
      const text = 'The keychain of this user cannot be used: this manager was started without it.';
      throw new HcmError('HCM_KEYCHAIN_UNAVAILABLE', text, { retryable: true });
    }
    const { state } = this.#document;
    const id = state.keychainId ?? randomBytes(KEYCHAIN_ID_BYTES).toString('hex');
    if (state.keychainId === undefined) this.#document.state = { ...state, keychainId: id };
    return keychain.secretsOf(id);
  }
}
