import { string as stringArg } from '@oclif/core/args';
import { boolean, integer, option, string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { LOG_LEVELS, logFilter } from '../lib/cli/manager/log-filter.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { logFolder } from '../lib/cli/manager/manager-place.ts';
import { printLogs } from '../lib/cli/manager/run-logs.ts';

const LINES = 200;

export default class Logs extends BaseCommand {
  static override summary = 'Print what the manager has logged, and go on with --follow.';
  static override description =
    'With --json, one event a line. When no manager runs, its file is read. A stream has the same id in the log of the other end.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --follow',
    '<%= config.bin %> <%= command.id %> my-relay/db --level warning --since 1h',
    '<%= config.bin %> <%= command.id %> --stream 0b3c6c1e',
  ];
  static override longRunning = true;

  static override args = {
    pattern: stringArg({
      name: 'PATTERN',
      description: 'Only of connections of this name; * is any text. A namespace alone: all of it.',
      ignoreStdin: true,
    }),
  };
  static override flags = {
    follow: boolean({
      char: 'f',
      description: 'Go on until Ctrl-C, also after the manager was started anew.',
    }),
    lines: integer({ description: 'How many of the newest lines.', min: 0, max: 10_000, default: LINES }),
    level: option({ description: 'Only what is so bad, or worse.', options: LOG_LEVELS })(),
    event: string({
      description: 'Only events of this kind, such as rejected. May be repeated.',
      helpValue: 'KIND',
      multiple: true,
      multipleNonGreedy: true,
    }),
    since: string({ description: 'Only what came since then: 10m, or an ISO time.', helpValue: 'TIME' }),
    stream: string({ description: 'Only of the stream whose id begins so.', helpValue: 'ID' }),
    role: string({ description: 'Only of this role.', options: ['listener', 'forward'] }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs);
    const { level, event: events, since, stream, role, lines, follow } = flags;
    const { pattern } = args;
    this.exitStatus = await printLogs({
      client: managerClient(),
      output: this.output,
      json: this.jsonEnabled(),
      ...{ lines, follow, folder: logFolder(process.env) },
      filter: logFilter({ pattern, role, level, events, since, stream }, Date.now()),
    });
  }
}
