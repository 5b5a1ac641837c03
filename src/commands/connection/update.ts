import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirm, confirmation, yesFlag } from '../../lib/cli/confirm.ts';
import {
  connectionArg,
  connectionOf,
  namespaceFlag,
  skipAppsFlag,
  targetFlag,
} from '../../lib/cli/relay-arguments.ts';
import { attachmentJson, connectionName } from '../../lib/cli/resource-presenter.ts';
import { appName } from '../../lib/arm/apps.ts';
import { updateConnection } from '../../lib/services/connection-update.ts';

export default class ConnectionUpdate extends BaseCommand {
  static override summary = 'Give a hybrid connection another target, and each attached app with it.';
  static override description = [
    'Writes the metadata, keeping what others have put there, and then each attached app in its place: nothing is',
    'detached. When a step fails, the ones before it are taken back. Listeners that were started with --target keep',
    'theirs; others read the new one when they start.',
  ].join(' ');
  static override examples = ['<%= config.bin %> <%= command.id %> my-relay/db --target db2.corp.local:5432'];

  static override args = { connection: connectionArg };

  static override flags = {
    target: targetFlag({ required: true }),
    'skip-apps': skipAppsFlag,
    yes: yesFlag,
    namespace: namespaceFlag,
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConnectionUpdate);
    const { output } = this;
    const wanted = connectionOf(args.connection, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { changed, connection, apps } = await updateConnection(azure, {
      ...{ connection: wanted, target: flags.target, skipApps: flags['skip-apps'] },
      confirmReplacement: (text) =>
        confirm(
          `The metadata of ${args.connection} is no list of keys and values, and would be lost: ${text}\nReplace it?`,
          confirmation(flags, output),
        ),
    });
    if (this.jsonEnabled()) return output.json({ changed, connection, apps: apps.map(attachmentJson) });
    const name = connectionName(connection);
    output.answer(
      changed ? `${name} leads to ${connection.target} now` : `${name} leads to ${connection.target} already`,
    );
    for (const { app } of apps) output.answer(`Updated the app ${appName(app)}`);
  }
}
