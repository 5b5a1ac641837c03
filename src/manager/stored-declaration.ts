/** Stored connections, read by the same rules as a section `manager:` of hcm.yaml: one set of keys, one set of errors. */
import { parseManagerSection } from '../lib/config/hcm-yaml/load.ts';
import type { ManagerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import { HcmError } from '../protocol/errors.ts';
import type { StoredConnection, StoredEntry } from './store.ts';

const NAME = 'connections.json';
/** Where an entry stands in the text that is made of it here is of no use to anybody. */
const PLACE = new RegExp(`${NAME.replace('.', '\\.')}:\\d+:\\d+: manager\\.\\w+\\.0(?:\\.|: )`, 'g');

/** @throws HcmError HCM_CONFIG_INVALID, naming the key. */
export async function readStored(
  { role, connection, entry }: Pick<StoredConnection, 'role' | 'connection' | 'entry'>,
  folder: string,
): Promise<ManagerDeclaration> {
  const entries = [{ connection, ...entry }];
  const manager = role === 'listener' ? { listeners: entries } : { forwards: entries };
  try {
    // JSON is YAML, too.
    return await parseManagerSection(JSON.stringify({ manager }), { file: NAME, env: {}, folder });
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    const message = error.message.replace(PLACE, '').replace(`${NAME} has`, 'It has');
    throw new HcmError(error.code, message, { cause: error });
  }
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
