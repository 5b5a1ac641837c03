import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirm, confirmation, yesFlag } from '../../lib/cli/confirm.ts';
import { connectionArg, connectionOf, namespaceFlag } from '../../lib/cli/relay-arguments.ts';
import { attachmentJson, connectionName } from '../../lib/cli/resource-presenter.ts';
import { appName } from '../../lib/arm/apps.ts';
import { deleteConnection } from '../../lib/services/connections.ts';

export default class ConnectionDelete extends BaseCommand {
  static override summary = 'Delete a hybrid connection with its rules and keys; apps are detached first.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db',
    '<%= config.bin %> <%= command.id %> my-relay/db --yes --json',
  ];

  static override args = { connection: connectionArg };

  static override flags = { yes: yesFlag, namespace: namespaceFlag, ...azureFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConnectionDelete);
    const { output } = this;
    const wanted = connectionOf(args.connection, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { changed, detached } = await deleteConnection(azure, {
      connection: wanted,
      confirm: (connection, attachments) => {
        const { listenerCount } = connection;
        const apps = attachments.map(({ app }) => appName(app));
        const uses = [
          ...(apps.length === 0 ? [] : [`It is attached to ${apps.join(', ')}.`]),
          ...(listenerCount === 0 ? [] : [`Listeners online: ${listenerCount}.`]),
        ];
        return confirm(
          [...uses, `Delete the hybrid connection ${connectionName(connection)}?`].join(' '),
          confirmation(flags, output),
        );
      },
    });
    if (this.jsonEnabled()) return output.json({ changed, detached: detached.map(attachmentJson) });
    for (const { app } of detached) output.answer(`Detached ${appName(app)}`);
    output.answer(
      changed
        ? `Deleted the hybrid connection ${args.connection}`
        : `The hybrid connection ${args.connection} does not exist`,
    );
  }
}
