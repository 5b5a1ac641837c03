import {
  findManaged,
  managedArg,
  managedFlags,
  managedName,
  managerClient,
} from '../lib/cli/manager/manager-flags.ts';
import { connectionLines, printManagedConnection } from '../lib/cli/manager/manager-presenter.ts';
import { WatchingCommand, watchFlags } from '../lib/cli/manager/watching-command.ts';

export default class Show extends WatchingCommand {
  static override summary = 'Show a connection of the running manager: state, streams, and its last errors.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db',
    '<%= config.bin %> <%= command.id %> my-relay/db --watch',
  ];

  static override args = { connection: managedArg };
  static override flags = { ...managedFlags, ...watchFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Show);
    const client = managerClient();
    const name = managedName(args.connection, flags);
    const { id, connection } = await findManaged(client, name, flags);
    if (flags.watch) {
      return this.watch({
        title: `hcm show ${connection}`,
        read: () => client.show(id),
        lines: connectionLines,
        snapshot: (shown) => ({ connection: shown }),
        concerns: (event) => event.id === id,
      });
    }
    const shown = await client.show(id);
    if (this.jsonEnabled()) return this.output.json(shown);
    printManagedConnection(this.output, shown, Date.now());
  }
}
