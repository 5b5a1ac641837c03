/** export azure: the file on stdout, what could not be put into it on stderr. */
import { azureSectionData, formatYaml } from '../config/hcm-yaml/write.ts';
import { exportAzure } from '../services/apply/export.ts';
import type { AzureFlags } from './azure-flags.ts';
import { interruptSignal, openAzureFor } from './azure-session.ts';
import type { Output } from './output.ts';

export interface ExportRun {
  flags: AzureFlags & { namespace?: string[] | undefined; 'resource-group'?: string | undefined };
  output: Output;
  json: boolean;
}

export async function runExportAzure({ flags, output, json }: ExportRun): Promise<void> {
  const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
  output.progress('reading Azure');
  const { declared, leftOut } = await exportAzure(azure, {
    ...{ namespaces: flags.namespace ?? [], resourceGroup: flags['resource-group'] },
  });
  const data = azureSectionData(declared);
  if (json) output.json(data);
  else output.answer(formatYaml(data).trimEnd());
  for (const what of leftOut) output.warn(`left out: ${what}`);
}
