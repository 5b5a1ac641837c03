/** Connection strings in a file of the manager's folder: never beside what it shows, never in what it logs. */
import { chmod, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { saveJson } from '../lib/config/json-file.ts';
import { HcmError } from '../protocol/errors.ts';
import { asHcmError } from '../tunnel/emitter.ts';
import { corrupt, isUseless, loadDocument, newer, putAside } from './state-document.ts';

const FILE_NAME = 'secrets.json';
const VERSION = 1;
const FILE_MODE = 0o600;
/** What others may do with it. */
const OTHERS = 0o077;

/** One place for secrets: a file, a keychain. */
export interface SecretStore {
  load(name: string): Promise<string | undefined>;
  /** @throws HcmError HCM_STATE_UNWRITABLE, HCM_KEYCHAIN_UNAVAILABLE; the old one is still there then. */
  save(name: string, secret: string): Promise<void>;
  /** Does nothing when there is none. */
  remove(name: string): Promise<void>;
}

export interface FileSecrets extends SecretStore {
  /**
   * Looks at the file as it is when the manager has taken its folder: its rights are mended, a damaged one is put aside.
   * Resolves with what there is to tell; never rejects.
   */
  check(): Promise<HcmError[]>;
}

/** A file of mode 0600 in a folder of mode 0700: what a service without a desktop has. */
export function fileSecrets(folder: string): FileSecrets {
  const path = join(folder, FILE_NAME);
  let last: Promise<unknown> = Promise.resolve();
  const change = (act: (secrets: Map<string, string>) => boolean): Promise<void> => {
    const changing = last.then(async () => {
      const secrets = await loadSecrets(path);
      if (act(secrets)) await saveJson(path, { version: VERSION, secrets: Object.fromEntries(secrets) });
    });
    last = changing.catch(() => undefined);
    return changing;
  };
  return {
    load: async (name) => (await loadSecrets(path)).get(name),
    save: (name, secret) => change((secrets) => Boolean(secrets.set(name, secret))),
    remove: (name) => change((secrets) => secrets.delete(name)),
    check: () => check(path),
  };
}

async function check(path: string): Promise<HcmError[]> {
  const problems = await closeToOthers(path);
  try {
    await loadSecrets(path);
  } catch (error) {
    problems.push(isUseless(error) ? await aside(path) : asHcmError(error));
  }
  return problems;
}

async function aside(path: string): Promise<HcmError> {
  try {
    const kept = await putAside(path);
    const what = `it was damaged and put aside as ${kept}; connections whose key it had wait for it`;
    return corrupt(path, what, 'Give each its key again: hcm add … --connection-string-file FILE');
  } catch (error) {
    return asHcmError(error);
  }
}

/** On Windows the rights of the folder count; Node's mode says nothing there. */
async function closeToOthers(path: string): Promise<HcmError[]> {
  if (platform() === 'win32') return [];
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.mode & OTHERS) === 0) return [];
  const was = `${path} was open to other users (mode ${(found.mode & 0o777).toString(8)})`;
  const now = await chmod(path, FILE_MODE).then(
    () => 'it is closed now',
    (error: NodeJS.ErrnoException) => `and cannot be closed: ${error.code ?? 'unknown'}`,
  );
  return [new HcmError('HCM_SECRET_EXPOSED', `${was}; ${now}.`, { details: { file: path } })];
}

async function loadSecrets(path: string): Promise<Map<string, string>> {
  const value = await loadDocument(path);
  if (value === undefined) return new Map();
  const { version, secrets } = (value ?? {}) as { version?: unknown; secrets?: unknown };
  if (typeof version === 'number' && version > VERSION) throw newer(path, version);
  if (version !== VERSION || typeof secrets !== 'object' || secrets === null)
    throw corrupt(path, 'it is no list of secrets');
  const entries = Object.entries(secrets);
  if (!entries.every(([, secret]) => typeof secret === 'string'))
    throw corrupt(path, 'it is no list of secrets');
  return new Map(entries as [string, string][]);
}
