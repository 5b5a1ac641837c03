import { HcmError } from '../protocol/errors.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import {
  findManaged,
  managedArg,
  managedFlags,
  managedName,
  managerClient,
} from '../lib/cli/manager/manager-flags.ts';

export default class Remove extends BaseCommand {
  static override summary = 'Take a connection out of the running manager; its streams may finish.';
  static override description = 'In Azure nothing changes: hcm connection delete is for that.';
  static override examples = ['<%= config.bin %> <%= command.id %> my-relay/db'];

  static override args = { connection: managedArg };
  static override flags = managedFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Remove);
    const client = managerClient();
    const name = managedName(args.connection, flags);
    try {
      await client.remove((await findManaged(client, name, flags)).id);
    } catch (error) {
      if (!(error instanceof HcmError) || error.code !== 'HCM_RESOURCE_NOT_FOUND') throw error;
      if (this.jsonEnabled()) return this.output.json({ changed: false });
      return this.output.answer(`The manager has no connection ${name}`);
    }
    if (this.jsonEnabled()) return this.output.json({ changed: true });
    this.output.answer(`Removed ${name}`);
  }
}
