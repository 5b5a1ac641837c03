/** export manager: the file on stdout; its comments say which keys it names, and that they are not in it. */
import { posix } from 'node:path';
import type { ManagerExport } from '../../manager/control/operations.ts';
import { formatYaml } from '../config/hcm-yaml/write.ts';
import { managerClient } from './manager/manager-flags.ts';
import type { Output } from './output.ts';

type Entry = Readonly<Record<string, unknown>>;

export interface ExportManagerRun {
  /** Where files with the keys will be, as the file is to name them; undefined: variables are named. */
  keyFiles?: string | undefined;
  output: Output;
  json: boolean;
}

/** @throws HcmError HCM_NOT_RUNNING. */
export async function runExportManager({ keyFiles, output, json }: ExportManagerRun): Promise<void> {
  const exported = await managerClient().export();
  const { manager, keys } = keyFiles === undefined ? named(exported) : inFiles(exported, keyFiles);
  if (json) return output.json({ manager, keys });
  const intro = keys.map(({ key, connection, right }) => `#   ${key}: ${connection}, a rule with ${right}\n`);
  const comment =
    intro.length === 0
      ? ''
      : `# No key is in this file. ${keyFiles === undefined ? 'Set these variables to' : 'Put into these files'} the connection strings:\n${intro.join('')}`;
  output.answer(`${comment}${formatYaml({ manager })}`.trimEnd());
}

interface Keys {
  readonly manager: object;
  /** A variable or a file. */
  readonly keys: readonly { key: string; connection: string; right: 'Listen' | 'Send' }[];
}

function named({ manager, secrets }: ManagerExport): Keys {
  const keys = secrets.map(({ variable, connection, role }) => ({
    key: variable,
    ...{ connection, right: rightOf(role) },
  }));
  return { manager, keys };
}

function inFiles({ manager, secrets }: ManagerExport, folder: string): Keys {
  const files = new Map(
    secrets.map(({ variable, ...secret }) => {
      const name = variable.replace(/^HCM_CONNECTION_STRING_/, '').toLowerCase();
      return [`\${${variable}}`, { file: posix.join(folder, `${name.replaceAll('_', '-')}.txt`), ...secret }];
    }),
  );
  const moved = (entry: Entry): Entry =>
    Object.fromEntries(
      Object.entries(entry).map(([key, value]) => {
        const file = key === 'connectionString' ? files.get(String(value))?.file : undefined;
        return file === undefined ? [key, value] : ['connectionStringFile', file];
      }),
    );
  const lists = Object.entries(manager).map(([list, entries]) => [list, (entries as Entry[]).map(moved)]);
  const keys = [...files.values()].map(({ file, connection, role }) => ({
    key: file,
    ...{ connection, right: rightOf(role) },
  }));
  return { manager: Object.fromEntries(lists) as object, keys };
}

function rightOf(role: 'listener' | 'forward'): 'Listen' | 'Send' {
  return role === 'listener' ? 'Listen' : 'Send';
}
