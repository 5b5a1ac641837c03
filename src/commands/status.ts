import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { printStatus, statusLines } from '../lib/cli/manager/manager-presenter.ts';
import { WatchingCommand, watchFlags } from '../lib/cli/manager/watching-command.ts';

export default class Status extends WatchingCommand {
  static override summary = 'Say how the running manager is, and which of its connections need a look.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  static override flags = watchFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    const client = managerClient();
    const read = async () => {
      const [manager, connections] = await Promise.all([client.describe(), client.list()]);
      return { manager, connections };
    };
    if (flags.watch) {
      return this.watch({
        title: 'hcm status',
        read,
        lines: statusLines,
        snapshot: (status) => status,
        concerns: () => true,
      });
    }
    const status = await read();
    if (this.jsonEnabled()) return this.output.json(status);
    printStatus(this.output, status, Date.now());
  }
}
