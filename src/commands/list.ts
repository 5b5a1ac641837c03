import { string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { printManaged } from '../lib/cli/manager/manager-presenter.ts';

export default class List extends BaseCommand {
  static override summary =
    'List the connections of the running manager, with their state and the reason for it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --state degraded --json',
  ];

  static override flags = {
    state: string({
      description: 'Only those in this state.',
      options: ['connecting', 'online', 'degraded', 'target-down', 'waiting', 'failed', 'stopped'],
    }),
    role: string({ description: 'Only those of this role.', options: ['listener', 'forward'] }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(List);
    const connections = (await managerClient().list()).filter(
      ({ state, role }) =>
        (flags.state === undefined || state === flags.state) &&
        (flags.role === undefined || role === flags.role),
    );
    if (this.jsonEnabled()) return this.output.json(connections);
    printManaged(this.output, connections, Date.now());
  }
}
