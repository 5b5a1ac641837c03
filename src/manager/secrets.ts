/** Where the manager keeps connection strings: never beside what it shows, never in what it logs. */
import { join } from 'node:path';
import { loadJson, saveJson } from '../lib/config/json-file.ts';
import { HcmError } from '../protocol/errors.ts';

const FILE_NAME = 'secrets.json';

export interface SecretStore {
  load(name: string): Promise<string | undefined>;
  /** @throws HcmError HCM_STATE_UNWRITABLE; the old one is still there then. */
  save(name: string, secret: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A file of mode 0600 in a folder of mode 0700: what a service without a desktop has. */
export function fileSecrets(folder: string): SecretStore {
  const path = join(folder, FILE_NAME);
  let last: Promise<unknown> = Promise.resolve();
  const change = (act: (secrets: Map<string, string>) => void): Promise<void> => {
    const changing = last.then(async () => {
      const secrets = await loadSecrets(path);
      act(secrets);
      await saveJson(path, Object.fromEntries(secrets));
    });
    last = changing.catch(() => undefined);
    return changing;
  };
  return {
    load: async (name) => (await loadSecrets(path)).get(name),
    save: (name, secret) => change((secrets) => secrets.set(name, secret)),
    remove: (name) => change((secrets) => secrets.delete(name)),
  };
}

async function loadSecrets(path: string): Promise<Map<string, string>> {
  const value = (await loadJson(path)) ?? {};
  const entries = typeof value === 'object' ? Object.entries(value) : [];
  if (Array.isArray(value) || !entries.every(([, secret]) => typeof secret === 'string')) {
    throw new HcmError('HCM_STATE_CORRUPT', `${path} is no list of secrets.`, { details: { file: path } });
  }
  return new Map(entries as [string, string][]);
}
