/**
 * From the text of hcm.yaml to its declarations: YAML, variables, schema, and what a schema cannot say. All that is
 * wrong is told at once, with its place. Reading the file is up to the caller, who may have it from stdin.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { readAzureSection } from './azure-section.ts';
import type { AzureDeclaration } from './declaration.ts';
import { readDocument, type PlainDocument } from './document.ts';
import { throwFaults } from './faults.ts';
import type { ManagerDeclaration } from './manager-declaration.ts';
import { readManagerSection } from './manager-section.ts';
import { schemaFaults, type Section } from './schema.ts';
import type { Environment } from './variables.ts';

export interface LoadOptions {
  /** The name of the file, for messages. */
  file: string;
  /** The variables that the file may use. */
  env: Environment;
}

/**
 * The section `azure:`.
 * @throws HcmError HCM_CONFIG_INVALID, naming line and column of each mistake, or that there is no such section;
 * HCM_VARIABLE_MISSING, naming every variable that is missing.
 */
export async function parseAzureSection(text: string, options: LoadOptions): Promise<AzureDeclaration> {
  const document = await readSection(text, options, { section: 'azure', so: 'it declares nothing in Azure' });
  const { azure, faults } = readAzureSection(document);
  throwFaults(options.file, faults);
  return azure;
}

/** The section `manager:`; relative paths in it begin at `folder`. @throws HcmError as `parseAzureSection`. */
export async function parseManagerSection(
  text: string,
  { folder, ...options }: LoadOptions & { folder: string },
): Promise<ManagerDeclaration> {
  const document = await readSection(text, options, { section: 'manager', so: 'there is nothing to run' });
  const { manager, faults } = readManagerSection(document, folder);
  throwFaults(options.file, faults);
  return manager;
}

/** With the one section that is wanted; mistakes in others are no concern of whoever reads it. */
async function readSection(
  text: string,
  { file, env }: LoadOptions,
  { section, so }: { section: Section; so: string },
): Promise<PlainDocument> {
  const document = readDocument(text, { file, env, section });
  const { value } = document;
  if (value === null || (typeof value === 'object' && !Object.hasOwn(value, section))) {
    const what = value === null ? 'is empty' : `has no section "${section}:"`;
    throw new HcmError('HCM_CONFIG_INVALID', `${file} ${what}, so ${so}.`, { details: { path: file } });
  }
  throwFaults(file, await schemaFaults(document, section));
  return document;
}
