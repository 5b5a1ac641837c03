/** Stored connections, read by the same rules as a section `manager:` of hcm.yaml: one set of keys, one set of errors. */
import { parseManagerSection } from '../lib/config/hcm-yaml/load.ts';
import type { ManagerDeclaration } from '../lib/config/hcm-yaml/manager-declaration.ts';
import type { StoredConnection } from './store.ts';

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
