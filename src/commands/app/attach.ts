import { boolean, string } from '@oclif/core/flags';
import { appArg, slotFlag } from '../../lib/cli/app-flags.ts';
import { appJson, printAttached, relayJson } from '../../lib/cli/app-presenter.ts';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { wantedConnection } from '../../lib/cli/connection-input.ts';
import { connectionArg, namespaceFlag } from '../../lib/cli/relay-arguments.ts';
import { attachConnection } from '../../lib/services/attach.ts';
import { resolveSubscription } from '../../lib/services/subscriptions.ts';

export default class AppAttach extends BaseCommand {
  static override summary = 'Attach a hybrid connection to an app, so that its code reaches the target.';
  static override description =
    'Checks the limit of the plan, makes the rule "defaultSender" when it is missing, and gives the app its key. What fits already is left as it is.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-app my-relay/db',
    '<%= config.bin %> <%= command.id %> my-app my-relay/db --slot staging',
  ];

  static override args = { app: appArg, connection: connectionArg };

  static override flags = {
    slot: slotFlag,
    namespace: namespaceFlag,
    'connection-subscription': string({
      description: 'Subscription of the hybrid connection, by name or id. Default: that of the app.',
      helpValue: 'NAME',
    }),
    force: boolean({ description: 'Give the app its key anew, even if all seems to fit.' }),
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppAttach);
    const { output } = this;
    const wanted = wantedConnection(args.connection, flags.namespace);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const subscriptionId = await resolveSubscription(azure, flags['connection-subscription']);
    const result = await attachConnection(azure, {
      ...{ app: args.app, slot: flags.slot, resourceGroup: flags['resource-group'], force: flags.force },
      connection: { subscriptionId, ...wanted },
    });
    if (!this.jsonEnabled()) return printAttached(output, result);
    const { changed, app, relay, listenerCount, warnings } = result;
    output.json({ changed, app: appJson(app), connection: relayJson(relay), listenerCount, warnings });
  }
}
