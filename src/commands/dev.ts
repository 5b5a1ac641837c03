import { string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { runDev } from '../lib/cli/dev/run-dev.ts';
import { EventPresenter } from '../lib/cli/event-presenter.ts';
import { graceFlags } from '../lib/cli/grace-flag.ts';
import { parseBind, parseTarget } from '../protocol/target.ts';

export default class Dev extends BaseCommand {
  static override summary =
    'Try the whole path on this machine: emulator, listener and forward in one process.';
  static override description =
    'Needs no account and no network. Without --target, a small web page is the target, which shows the way that the request took.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --target localhost:5432 --bind 127.0.0.1:15432',
  ];
  static override longRunning = true;

  static override flags = {
    target: string({ description: 'Where connections go. Default: a sample page.', helpValue: 'HOST:PORT' }),
    bind: string({
      description: 'Where to listen: [ADDR:]PORT or unix:PATH. Port 0 is any free one.',
      helpValue: 'ADDR:PORT',
      default: '127.0.0.1:0',
    }),
    ...graceFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Dev);
    this.exitStatus = await runDev({
      target: flags.target === undefined ? undefined : parseTarget(flags.target),
      bind: parseBind(flags.bind),
      output: this.output,
      events: new EventPresenter(this.output, this.jsonEnabled()),
      graceMs: flags['grace-period'],
    });
  }
}
