/**
 * From the text of hcm.yaml to its declarations: YAML, variables, schema, and what a schema cannot say. All that is
 * wrong is told at once, with its place. Reading the file is up to the caller, who may have it from stdin.
 */
import { HcmError } from '../../../protocol/errors.ts';
import { readAzureSection } from './azure-section.ts';
import type { AzureDeclaration } from './declaration.ts';
import { readDocument } from './document.ts';
import { throwFaults } from './faults.ts';
import { schemaFaults } from './schema.ts';
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
export async function parseAzureSection(text: string, { file, env }: LoadOptions): Promise<AzureDeclaration> {
  const document = readDocument(text, { file, env, section: 'azure' });
  const { value } = document;
  if (value === null || (typeof value === 'object' && !Object.hasOwn(value, 'azure'))) {
    const what = value === null ? 'is empty' : 'has no section "azure:"';
    throw new HcmError('HCM_CONFIG_INVALID', `${file} ${what}, so it declares nothing in Azure.`, {
      details: { path: file },
    });
  }
  throwFaults(file, await schemaFaults(document));
  const { azure, faults } = readAzureSection(document);
  throwFaults(file, faults);
  return azure;
}
