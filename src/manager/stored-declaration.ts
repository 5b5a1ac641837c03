/** Stored connections, read by the same rules as a section `manager:` of hcm.yaml: one set of keys, one set of errors. */
import { parseManagerSection } from '../lib/config/hcm-yaml/load.ts';
import type { ManagerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { HcmError } from '../protocol/errors.ts';
import type { StoredConnection, StoredEntry } from './store.ts';

/** @throws HcmError HCM_CONFIG_INVALID, naming the key. */
export async function readStored(
  stored: readonly StoredConnection[],
  folder: string,
): Promise<ManagerDeclaration> {
  if (stored.length === 0) return { listeners: [], forwards: [] };
  const entriesOf = (role: StoredConnection['role']) =>
    stored.filter((one) => one.role === role).map(({ connection, entry }) => ({ connection, ...entry }));
  // JSON is YAML, too.
  const text = JSON.stringify({
    manager: { listeners: entriesOf('listener'), forwards: entriesOf('forward') },
  });
  return parseManagerSection(text, { file: 'connections.json', env: {}, folder });
}

/** A connection has its own name, and its secret is with the other secrets. */
const NOT_ADDED = ['connection', 'connectionString', 'connectionStringFile'];

/**
 * Whoever may ask the manager must not reach through it what only its user may read, nor store under one name what runs
 * under another.
 * @throws HcmError HCM_USAGE.
 */
export function checkAdded(entry: StoredEntry): void {
  const wrong = NOT_ADDED.find((key) => Object.hasOwn(entry, key));
  if (wrong === undefined) return;
  throw new HcmError('HCM_USAGE', `The key "${wrong}" stands in hcm.yaml alone, and not in what is added.`, {
    details: { next: 'Send the connection string itself: hcm add --connection-string-file FILE' },
  });
}
