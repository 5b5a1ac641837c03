import { appArg, slotFlag } from '../../lib/cli/app-flags.ts';
import { appJson, printDetached } from '../../lib/cli/app-presenter.ts';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { wantedConnection } from '../../lib/cli/connection-input.ts';
import { connectionArg, namespaceFlag } from '../../lib/cli/relay-arguments.ts';
import { detachConnection } from '../../lib/services/attach.ts';

export default class AppDetach extends BaseCommand {
  static override summary = 'Take a hybrid connection off an app.';
  static override description =
    'The hybrid connection itself stays, and may be gone already: only the app forgets it.';
  static override examples = ['<%= config.bin %> <%= command.id %> my-app my-relay/db --slot staging'];

  static override args = { app: appArg, connection: connectionArg };
  static override flags = { slot: slotFlag, namespace: namespaceFlag, ...azureFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppDetach);
    const { output } = this;
    const connection = wantedConnection(args.connection, flags.namespace);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const result = await detachConnection(azure, {
      ...{ app: args.app, slot: flags.slot, resourceGroup: flags['resource-group'], connection },
    });
    if (!this.jsonEnabled()) return printDetached(output, result);
    const { changed, app, relay } = result;
    const { namespace, connection: name } = relay;
    output.json({ changed, app: appJson(app), connection: { namespace, connection: name } });
  }
}
