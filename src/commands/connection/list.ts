import { string as stringArg } from '@oclif/core/args';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { printConnections } from '../../lib/cli/resource-presenter.ts';
import { listConnections } from '../../lib/services/connections.ts';

export default class ConnectionList extends BaseCommand {
  static override summary = 'List hybrid connections with their targets and how many listeners are online.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> my-relay --json',
  ];

  static override args = {
    namespace: stringArg({
      name: 'NAMESPACE',
      description: 'Only those of this namespace. Default: all of the subscription.',
      ignoreStdin: true,
    }),
  };

  static override flags = azureFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConnectionList);
    const { output } = this;
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const connections = await listConnections(azure, {
      ...{ namespace: args.namespace, resourceGroup: flags['resource-group'] },
    });
    if (this.jsonEnabled()) output.json(connections);
    else printConnections(output, connections);
  }
}
