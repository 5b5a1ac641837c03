import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { connectionArg, connectionOf, namespaceFlag } from '../../lib/cli/relay-arguments.ts';
import { printReport, reportJson } from '../../lib/cli/resource-presenter.ts';
import { showConnection } from '../../lib/services/connections.ts';

export default class ConnectionShow extends BaseCommand {
  static override summary =
    'Show a hybrid connection: target, listeners, rules, and the apps attached to it.';
  static override description =
    'Of each app it tells which key it sends with and whether that is still good. Apps of other subscriptions are not looked for.';
  static override examples = ['<%= config.bin %> <%= command.id %> my-relay/db'];

  static override args = { connection: connectionArg };

  static override flags = { namespace: namespaceFlag, ...azureFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConnectionShow);
    const { output } = this;
    const wanted = connectionOf(args.connection, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const report = await showConnection(azure, wanted);
    if (this.jsonEnabled()) output.json(reportJson(report));
    else printReport(output, report);
  }
}
