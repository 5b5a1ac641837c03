import { boolean, integer } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { printLogs } from '../lib/cli/manager/run-logs.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';

const LINES = 200;

export default class Logs extends BaseCommand {
  static override summary = 'Print what the running manager has logged, and go on with --follow.';
  static override description = 'With --json, one event a line.';
  static override examples = ['<%= config.bin %> <%= command.id %> --follow'];
  static override longRunning = true;

  static override flags = {
    follow: boolean({ char: 'f', description: 'Go on until Ctrl-C.' }),
    lines: integer({ description: 'How many of the newest lines.', min: 0, max: 10_000, default: LINES }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Logs);
    this.exitStatus = await printLogs({
      client: managerClient(),
      output: this.output,
      json: this.jsonEnabled(),
      lines: flags.lines,
      follow: flags.follow,
    });
  }
}
