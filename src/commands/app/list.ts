import { string } from '@oclif/core/flags';
import { appConnectionsJson, printApps } from '../../lib/cli/app-presenter.ts';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { listAppConnections } from '../../lib/services/apps.ts';

export default class AppList extends BaseCommand {
  static override summary = 'List apps and slots with the hybrid connections attached to them.';
  static override description = 'App Service apps and Functions apps of the subscription.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --namespace my-relay --json',
  ];

  static override flags = {
    namespace: string({
      description: 'Only apps that have a connection of this namespace, and only such connections.',
      helpValue: 'NAME',
    }),
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AppList);
    const { output } = this;
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { namespace, 'resource-group': resourceGroup } = flags;
    const apps = await listAppConnections(azure, { namespace, resourceGroup });
    if (this.jsonEnabled()) output.json(apps.map(appConnectionsJson));
    else printApps(output, apps);
  }
}
