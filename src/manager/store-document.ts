/**
 * The manager's `connections.json` and its newest state, on the disk first. Reading it changes nothing, since another
 * manager may run in its folder. What cannot be used of it is put aside before anything is written in its place.
 */
import { join } from 'node:path';
import { saveJson } from '../lib/config/json-file.ts';
import type { HcmError } from '../protocol/errors.ts';
import { corrupt, copyAside, isUseless, loadDocument, putAside } from './state-document.ts';
import { EMPTY, readStoreState, storeData, type StoreState } from './store-file.ts';

const FILE_NAME = 'connections.json';

/** What is to be done with a file, or with a part of it, that is of no use: it resolves with what there is to tell. */
type KeepAside = () => Promise<HcmError>;

export class StoreDocument {
  readonly #path: string;
  #state: StoreState;
  /** Until it is done. */
  #keepAside: KeepAside | undefined;

  private constructor(path: string, state: StoreState, keepAside: KeepAside | undefined) {
    this.#path = path;
    this.#state = state;
    this.#keepAside = keepAside;
  }

  /** @throws HcmError HCM_STATE_CORRUPT for a file of a newer version, HCM_FILE_UNREADABLE. */
  static async load(folder: string): Promise<StoreDocument> {
    const path = join(folder, FILE_NAME);
    const { state, keepAside } = await readAt(path);
    return new StoreDocument(path, state, keepAside);
  }

  /** As it stands there now: whoever had the folder before may have written since. @throws as `load`; nothing changes then. */
  async reload(): Promise<void> {
    const { state, keepAside } = await readAt(this.#path);
    this.#state = state;
    this.#keepAside = keepAside;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Not on the disk: what stands there means the same. */
  set state(state: StoreState) {
    this.#state = state;
  }

  /** @throws HcmError HCM_STATE_UNWRITABLE: nothing has changed then. */
  async write(state: StoreState): Promise<void> {
    await this.keepAside();
    await saveJson(this.#path, storeData(state));
    this.#state = state;
  }

  /** Resolves with what there is to tell of a file that is of no use, once. @throws HcmError HCM_STATE_UNWRITABLE. */
  async keepAside(): Promise<HcmError[]> {
    if (this.#keepAside === undefined) return [];
    const problem = await this.#keepAside();
    this.#keepAside = undefined;
    return [problem];
  }
}

async function readAt(path: string): Promise<{ state: StoreState; keepAside: KeepAside | undefined }> {
  try {
    const { state, leftOut } = readStoreState(await loadDocument(path), path);
    return { state, keepAside: leftOut === 0 ? undefined : () => copyOf(path, leftOut) };
  } catch (error) {
    if (!isUseless(error)) throw error;
    return { state: EMPTY, keepAside: () => moved(path) };
  }
}

async function copyOf(path: string, leftOut: number): Promise<HcmError> {
  const aside = await copyAside(path);
  return corrupt(
    path,
    `${leftOut} of its connections make no sense and were left out; a copy of it is ${aside}`,
  );
}

async function moved(path: string): Promise<HcmError> {
  return corrupt(path, `it was damaged and put aside as ${await putAside(path)}`);
}
