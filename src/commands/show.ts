import { BaseCommand } from '../lib/cli/base-command.ts';
import {
  findManaged,
  managedArg,
  managedFlags,
  managedName,
  managerClient,
} from '../lib/cli/manager/manager-flags.ts';
import { printManagedConnection } from '../lib/cli/manager/manager-presenter.ts';

export default class Show extends BaseCommand {
  static override summary = 'Show a connection of the running manager: state, streams, and its last errors.';
  static override examples = ['<%= config.bin %> <%= command.id %> my-relay/db'];

  static override args = { connection: managedArg };
  static override flags = managedFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Show);
    const client = managerClient();
    const { id } = await findManaged(client, managedName(args.connection, flags), flags.role);
    const shown = await client.show(id);
    if (this.jsonEnabled()) return this.output.json(shown);
    printManagedConnection(this.output, shown, Date.now());
  }
}
