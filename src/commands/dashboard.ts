import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { openDashboard } from '../lib/cli/manager/run-dashboard.ts';

export default class Dashboard extends BaseCommand {
  static override summary = 'Open the web page of the running manager.';
  static override description =
    'The link works once and for a minute. It is printed, and opened in the browser where somebody sits at a terminal.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --no-open',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  static override flags = {
    'no-open': boolean({ description: 'Print the link and open nothing.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Dashboard);
    await openDashboard({
      client: managerClient(),
      open: !flags['no-open'],
      json: this.jsonEnabled(),
      output: this.output,
    });
  }
}
