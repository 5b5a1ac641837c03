import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import {
  findManaged,
  managedArg,
  managedFlags,
  managedName,
  managerClient,
} from '../lib/cli/manager/manager-flags.ts';
import { HcmError } from '../protocol/errors.ts';

export default class Restart extends BaseCommand {
  static override summary = 'Open a connection of the running manager anew.';
  static override description =
    'Never needed to make it work again: the manager does that. A target that was changed in Azure is confirmed with --accept-target.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db',
    '<%= config.bin %> <%= command.id %> my-relay/db --accept-target',
  ];

  static override args = { connection: managedArg };
  static override flags = {
    ...managedFlags,
    'accept-target': boolean({ description: 'Confirm the target that Azure names now.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Restart);
    const client = managerClient();
    const name = managedName(args.connection, flags);
    // Only a listener has a target that could be accepted.
    const preferred = flags['accept-target'] ? 'listener' : undefined;
    const { id, role, connection, target, unconfirmedTarget } = await findManaged(client, name, {
      role: flags.role,
      preferred,
    });
    if (flags['accept-target'] && role === 'forward') {
      throw new HcmError('HCM_USAGE', `The forward of ${connection} has no target to accept.`, {
        details: { next: `hcm restart ${connection} --role forward` },
      });
    }
    // Nothing to accept yet: opened anew, it asks Azure again.
    const acceptTarget = flags['accept-target'] ? target : undefined;
    const restarted = await client.restart(id, { acceptTarget });
    if (this.jsonEnabled()) return this.output.json(restarted);
    const isNew = acceptTarget !== undefined && acceptTarget === unconfirmedTarget;
    const confirmed = isNew ? `, which leads to ${acceptTarget} from now on` : '';
    this.output.answer(`Restarted ${restarted.connection}${confirmed}`);
  }
}
