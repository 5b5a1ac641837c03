import { BaseCommand } from '../lib/cli/base-command.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { printStatus } from '../lib/cli/manager/manager-presenter.ts';

export default class Status extends BaseCommand {
  static override summary = 'Say how the running manager is, and which of its connections need a look.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  async run(): Promise<void> {
    await this.parse(Status);
    const client = managerClient();
    const [manager, connections] = await Promise.all([client.describe(), client.list()]);
    if (this.jsonEnabled()) return this.output.json({ manager, connections });
    printStatus(this.output, { manager, connections }, Date.now());
  }
}
