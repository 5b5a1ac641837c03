import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { printNamespaces } from '../../lib/cli/resource-presenter.ts';
import { listNamespaces } from '../../lib/arm/namespaces.ts';

export default class NamespaceList extends BaseCommand {
  static override summary = 'List the relay namespaces of the subscription, or of one resource group.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --resource-group my-group --json',
  ];

  static override flags = azureFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(NamespaceList);
    const { output } = this;
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const namespaces = await listNamespaces(azure, flags['resource-group']);
    if (this.jsonEnabled()) output.json(namespaces);
    else printNamespaces(output, namespaces);
  }
}
