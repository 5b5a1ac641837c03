import { boolean } from '@oclif/core/flags';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import {
  connectionArg,
  connectionOf,
  namespaceFlag,
  targetFlag,
  timeoutFlag,
} from '../../lib/cli/relay-arguments.ts';
import { connectionName } from '../../lib/cli/resource-presenter.ts';
import { createConnection } from '../../lib/services/connections.ts';

export default class ConnectionCreate extends BaseCommand {
  static override summary = 'Create a hybrid connection with its target and its two rules.';
  static override description = [
    'The target goes into the metadata, where App Service and listeners find it. The rules defaultListener [Listen] and',
    'defaultSender [Send] are made when they are missing; those that exist keep their keys.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db --target db.corp.local:5432',
    "<%= config.bin %> <%= command.id %> my-relay/db --target '[fd00::1]:5432'",
  ];

  static override args = { connection: connectionArg };

  static override flags = {
    target: targetFlag(),
    'no-client-auth': boolean({
      description: 'Let senders in without a key. App Service cannot use such a connection.',
    }),
    namespace: namespaceFlag,
    timeout: timeoutFlag,
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConnectionCreate);
    const { output } = this;
    const wanted = connectionOf(args.connection, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { changed, connection } = await createConnection(azure, {
      ...{ connection: wanted, target: flags.target, timeoutMs: flags.timeout },
      ...(flags['no-client-auth'] ? { requiresClientAuthorization: false } : {}),
    });
    if (this.jsonEnabled()) return output.json({ changed, connection });
    const name = connectionName(connection);
    const target = connection.target === undefined ? 'without a target' : `to ${connection.target}`;
    output.answer(
      changed
        ? `Created the hybrid connection ${name} ${target}`
        : `The hybrid connection ${name} exists already, ${target}`,
    );
    if (connection.target === undefined) {
      output.warn(
        `App Service does not see it without one: hcm connection update ${name} --target HOST:PORT`,
      );
    }
    output.next(`hcm listen ${name}${connection.target === undefined ? ' --target HOST:PORT' : ''}`);
  }
}
