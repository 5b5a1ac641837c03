/**
 * import azbridge: what becomes of it on stdout or in a file, its secrets in files beside that one or in variables that
 * are named, its warnings on stderr. Nothing that exists is lost.
 */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseConnectionName } from '../../protocol/entity-name.ts';
import { HcmError } from '../../protocol/errors.ts';
import { readDocument } from '../config/hcm-yaml/document.ts';
import { formatPlace } from '../config/hcm-yaml/faults.ts';
import { managerSectionData } from '../config/hcm-yaml/write-manager.ts';
import { formatYaml } from '../config/hcm-yaml/write.ts';
import { loadText, saveText } from '../config/json-file.ts';
import type { ImportedSecret } from '../services/import/azbridge-access.ts';
import { importAzbridge, type Imported } from '../services/import/import-azbridge.ts';
import { readInputFile, readStdin } from './input-file.ts';
import type { Output } from './output.ts';

export interface ImportRun {
  /** `-` is stdin. */
  file: string;
  out?: string | undefined;
  force: boolean;
  namespace?: string | undefined;
  output: Output;
  json: boolean;
  env?: NodeJS.ProcessEnv;
}

/** azbridge's documents name it, and nothing reads it. */
const UNREAD_VARIABLE = 'AZURE_BRIDGE_CONNECTIONSTRING';

/** @throws HcmError HCM_FILE_UNREADABLE; as `importAzbridge`; HCM_USAGE when a file is in the way. */
export async function runImportAzbridge(run: ImportRun): Promise<void> {
  const { out, output, namespace } = run;
  if (namespace !== undefined) parseConnectionName(`${namespace}/name`);
  const name = run.file === '-' ? 'stdin' : run.file;
  const text =
    run.file === '-'
      ? await readStdin({ what: 'configuration of azbridge', instead: 'FILE' })
      : await readInputFile(run.file);
  const imported = importAzbridge(text, {
    ...{ file: name, namespace },
    accessOf: (secret) =>
      out === undefined
        ? { kind: 'variable', name: variableOf(secret), text: '' }
        : { kind: 'file', path: fileOf(secret) },
  });
  if (out !== undefined) await write(imported, { out, force: run.force });
  show(imported, run, name);
  if ((run.env ?? process.env)[UNREAD_VARIABLE])
    output.warn(
      `${UNREAD_VARIABLE} is set, and azbridge does not read it, whatever its documents say: nor does hcm`,
    );
}

function fileOf({ name }: ImportedSecret): string {
  return `${name}.connection-string`;
}

function variableOf({ name }: ImportedSecret): string {
  return `HCM_CONNECTION_STRING_${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`;
}

/** Secrets first: a file that names one that is missing would be of no use. */
async function write(
  { manager, secrets }: Imported,
  { out, force }: { out: string; force: boolean },
): Promise<void> {
  const files = secrets.map((secret) => ({
    path: join(dirname(out), fileOf(secret)),
    text: `${secret.connectionString}\n`,
  }));
  await checkOtherSection(out);
  if (!force) for (const path of [out, ...files.map((file) => file.path)]) await refuseExisting(path);
  for (const { path, text } of files) await saveText(path, text);
  await saveText(out, formatYaml(managerSectionData(manager)));
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  throw new HcmError('HCM_USAGE', `The file ${path} exists already.`, {
    details: { next: 'Give another --out, or --force to write over it' },
  });
}

/** A hcm.yaml may declare Azure, too; that is not thrown away, not even with --force. */
async function checkOtherSection(out: string): Promise<void> {
  const text = await loadText(out);
  if (text === undefined || text.trim() === '') return;
  const { value } = readDocument(text, { file: out, env: {}, section: undefined });
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  const others = isMapping ? Object.keys(value).filter((key) => key !== 'manager') : ['what stands in it'];
  const [other] = others;
  if (other === undefined) return;
  const what = isMapping ? `a section "${other}:"` : other;
  throw new HcmError('HCM_USAGE', `The file ${out} has ${what}, which would be lost.`, {
    details: { next: 'Give another --out, and copy its section "manager:" into this file' },
  });
}

function show(imported: Imported, run: ImportRun, file: string): void {
  const { out, output } = run;
  const { manager, secrets, warnings } = imported;
  const data = managerSectionData(manager);
  if (run.json) {
    output.json({
      ...data,
      ...(out === undefined
        ? { variables: secrets.map(variableOf) }
        : { files: [out, ...secrets.map((secret) => join(dirname(out), fileOf(secret)))] }),
      warnings: warnings.map(({ at, key, message }) => ({ ...at, key, message })),
    });
    return;
  }
  for (const { at, key, message } of warnings) output.warn(`${formatPlace(file, at)}: ${key}: ${message}`);
  if (out === undefined) {
    output.answer(formatYaml(data).trimEnd());
    for (const secret of secrets)
      output.say(
        `Set ${variableOf(secret)} to ${whatFor(secret)}; with --out it would go into a file of its own.`,
      );
    return;
  }
  output.answer(`Wrote ${[out, ...secrets.map((secret) => join(dirname(out), fileOf(secret)))].join(', ')}.`);
  if (manager.listeners.length > 0) output.next(`hcm listen --file ${out}`);
  if (manager.forwards.length > 0) output.next(`hcm forward --file ${out}`);
}

function whatFor({ connectionString }: ImportedSecret): string {
  const [, host = ''] = /^Endpoint=sb:\/\/([^/;]+)/.exec(connectionString) ?? [];
  const [, entity] = /;EntityPath=([^;]+)/.exec(connectionString) ?? [];
  return `the connection string of ${entity === undefined ? host : `${host}/${entity}`}`;
}
