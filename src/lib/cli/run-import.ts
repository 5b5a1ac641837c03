/**
 * hcm import: what becomes of another tool's configuration on stdout or in a file, its secrets in files beside that one
 * or in variables that are named, its warnings on stderr. Nothing that exists is lost.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseConnectionName } from '../../protocol/entity-name.ts';
import { HcmError } from '../../protocol/errors.ts';
import { readDocument } from '../config/hcm-yaml/document.ts';
import { formatPlace } from '../config/hcm-yaml/faults.ts';
import { managerSectionData } from '../config/hcm-yaml/write-manager.ts';
import { formatYaml } from '../config/hcm-yaml/write.ts';
import { loadText, saveText } from '../config/json-file.ts';
import { importAzbridge } from '../services/import/import-azbridge.ts';
import { aztunnelVariables, importAztunnel, readAztunnelFile } from '../services/import/import-aztunnel.ts';
import { importHcm } from '../services/import/import-hcm.ts';
import type { Imported, ImportTarget } from '../services/import/imported.ts';
import type { ImportedSecret } from '../services/import/imported-secrets.ts';
import { readInputFile, readStdin } from './input-file.ts';
import type { Output } from './output.ts';

export interface ImportRun {
  out?: string | undefined;
  force: boolean;
  output: Output;
  json: boolean;
}

/** azbridge's documents name it, and nothing reads it. */
const UNREAD_VARIABLE = 'AZURE_BRIDGE_CONNECTIONSTRING';

/** `file`: `-` is stdin. @throws HcmError HCM_FILE_UNREADABLE; as `importAzbridge`; HCM_USAGE when a file is in the way. */
export async function runImportAzbridge(
  run: ImportRun & { file: string; namespace?: string | undefined; env?: NodeJS.ProcessEnv },
): Promise<void> {
  const { output, namespace } = run;
  if (namespace !== undefined) parseConnectionName(`${namespace}/name`);
  const { name, text } = await readFileOrStdin(run.file, 'configuration of azbridge');
  const imported = pointed('azbridge', () => importAzbridge(text, { ...targetOf(run, name), namespace }));
  await finish(imported, run, name);
  if ((run.env ?? process.env)[UNREAD_VARIABLE])
    output.warn(
      `${UNREAD_VARIABLE} is set, and azbridge does not read it, whatever its documents say: nor does hcm`,
    );
}

/** As `runImportAzbridge`. */
export async function runImportHcm(run: ImportRun & { file: string }): Promise<void> {
  const { name, text } = await readFileOrStdin(run.file, 'configuration of the Hybrid Connection Manager');
  const imported = pointed("Microsoft's Hybrid Connection Manager", () =>
    importHcm(text, targetOf(run, name)),
  );
  await finish(imported, run, name);
}

/** As `runImportAzbridge`; without a file, from the variables of this process. */
export async function runImportAztunnel(
  run: ImportRun & {
    file: string | undefined;
    env?: NodeJS.ProcessEnv;
    target?: string | undefined;
    bind?: string | undefined;
    namespace?: string | undefined;
    name?: string | undefined;
  },
): Promise<void> {
  const { file, env = process.env, target, bind, namespace, name: connection } = run;
  const { name, text } =
    file === undefined
      ? { name: 'the environment', text: undefined }
      : await readFileOrStdin(file, 'environment of aztunnel');
  const how = { target, bind, namespace, name: connection };
  const imported = pointed('aztunnel', () => {
    const variables = text === undefined ? aztunnelVariables(env) : readAztunnelFile(text);
    return importAztunnel(variables, { ...targetOf(run, name), ...how });
  });
  await finish(imported, run, name);
}

/** The chapter of the tool: a mistake in its file is none in a hcm.yaml, where the code alone points. */
function pointed(tool: string, read: () => Imported): Imported {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HcmError) || error.code !== 'HCM_CONFIG_INVALID') throw error;
    const { code, message, details, cause } = error;
    const next = `See docs/migrate.md, "From ${tool}"`;
    throw new HcmError(code, message, { details: { next, ...details }, cause });
  }
}

async function readFileOrStdin(file: string, what: string): Promise<{ name: string; text: string }> {
  return file === '-'
    ? { name: 'stdin', text: await readStdin({ what, instead: 'FILE' }) }
    : { name: file, text: await readInputFile(file) };
}

function targetOf({ out }: ImportRun, file: string): ImportTarget {
  return {
    file,
    accessOf: (secret) =>
      out === undefined
        ? { kind: 'variable', name: variableOf(secret), text: '' }
        : { kind: 'file', path: fileOf(secret) },
  };
}

async function finish(imported: Imported, run: ImportRun, file: string): Promise<void> {
  const { out, force } = run;
  const changed = out !== undefined && (await write(imported, { out, force }));
  show(imported, { run, file, changed });
}

function fileOf({ name }: ImportedSecret): string {
  return `${name}.connection-string`;
}

function variableOf({ name }: ImportedSecret): string {
  return `HCM_CONNECTION_STRING_${name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`;
}

/** False when all stands there already, exactly so. Secrets first: a file that names one that is missing is of no use. */
async function write(
  { manager, secrets }: Imported,
  { out, force }: { out: string; force: boolean },
): Promise<boolean> {
  const files = secrets.map((secret) => ({
    path: join(dirname(out), fileOf(secret)),
    text: `${secret.connectionString}\n`,
  }));
  files.push({ path: out, text: formatYaml(managerSectionData(manager)) });
  const standing = await Promise.all(files.map(({ path, text }) => standsThere(path, text)));
  if (standing.every(Boolean)) return false;
  await checkOtherSection(out);
  if (!force) for (const { path } of files.toReversed()) await refuseExisting(path, out);
  for (const { path, text } of files) await saveText(path, text);
  return true;
}

async function standsThere(path: string, text: string): Promise<boolean> {
  return (await loadText(path).catch(() => undefined)) === text;
}

/** Keys lie beside the file that names them: another name in the same folder would meet them again. */
async function refuseExisting(path: string, out: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  const elsewhere = join(dirname(out), 'imported', basename(out));
  throw new HcmError('HCM_USAGE', `The file ${path} exists already.`, {
    details: { next: `Write into another folder: --out ${elsewhere}; or give --force to write over it` },
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

function show(
  imported: Imported,
  { run, file, changed }: { run: ImportRun; file: string; changed: boolean },
): void {
  const { out, output } = run;
  const { manager, secrets, warnings } = imported;
  const data = managerSectionData(manager);
  if (run.json) {
    output.json({
      ...data,
      ...(out === undefined
        ? { variables: secrets.map(variableOf) }
        : { files: [out, ...secrets.map((secret) => join(dirname(out), fileOf(secret)))], changed }),
      warnings: warnings.map(({ at, key, message }) => ({ ...at, key, message })),
    });
    return;
  }
  for (const { at, key, message } of warnings)
    output.warn(`${at === undefined ? file : formatPlace(file, at)}: ${key}: ${message}`);
  if (out === undefined) {
    output.answer(formatYaml(data).trimEnd());
    for (const secret of secrets)
      output.say(
        `Set ${variableOf(secret)} to ${whatFor(secret)}; with --out it would go into a file of its own.`,
      );
    return;
  }
  const files = [out, ...secrets.map((secret) => join(dirname(out), fileOf(secret)))].join(', ');
  output.answer(changed ? `Wrote ${files}.` : `${files}: there already, exactly so.`);
  const ends = [
    ...(manager.listeners.length > 0 ? [`hcm listen --file ${out}`] : []),
    ...(manager.forwards.length > 0 ? [`hcm forward --file ${out}`] : []),
  ];
  output.next(`hcm service run --file ${out}, or ${ends.join(' and ')}`);
}

function whatFor({ connectionString }: ImportedSecret): string {
  const [, host = ''] = /^Endpoint=sb:\/\/([^/;]+)/.exec(connectionString) ?? [];
  const [, entity] = /;EntityPath=([^;]+)/.exec(connectionString) ?? [];
  return `the connection string of ${entity === undefined ? host : `${host}/${entity}`}`;
}
