import { string as stringArg } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { CONNECTION_HELP, connectionFlags, connectionRequest } from '../lib/cli/connection-flags.ts';
import { readForwards } from '../lib/cli/forward-targets.ts';
import { EventPresenter } from '../lib/cli/event-presenter.ts';
import { graceFlags } from '../lib/cli/grace-flag.ts';
import { networkFlags, networkOptions } from '../lib/cli/network-flags.ts';
import { runForward } from '../lib/cli/run-forward.ts';

export default class Forward extends BaseCommand {
  static override summary = 'Open a local port that leads to the target of a hybrid connection (the sender).';
  static override description = [
    'With "-- COMMAND", COMMAND runs while the port is open, and its status is the status of hcm. It finds the port in',
    'HCM_HOST, HCM_PORT and HCM_BIND, or in HCM_PORT_NAME and so on where there are several connections. Events then go',
    'to stderr, since stdout belongs to COMMAND. When it has ended, what it sent is still delivered, for up to',
    '--grace-period.',
  ].join(' ');
  static override usage =
    '<%= command.id %> [CONNECTION... | CONNECTION=ADDR:PORT...] [--bind ADDR:PORT] [flags] [-- COMMAND...]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --connection-string-file send.txt --bind 127.0.0.1:1433',
    '<%= config.bin %> <%= command.id %> db=127.0.0.1:5432 web=unix:/tmp/web.sock --connection-string-file send.txt',
    "<%= config.bin %> <%= command.id %> db --bind 127.0.0.1:0 -- sh -c 'psql -h $HCM_HOST -p $HCM_PORT'",
  ];
  static override longRunning = true;
  static override takesCommand = true;

  static override args = {
    connections: stringArg({
      name: 'CONNECTION',
      description: CONNECTION_HELP,
      multiple: true,
      ignoreStdin: true,
    }),
  };

  static override flags = {
    ...connectionFlags,
    bind: string({
      description: 'Where to listen: [ADDR:]PORT or unix:PATH. Default: 127.0.0.1 and any free port.',
      helpValue: 'ADDR:PORT',
    }),
    'keep-trying': boolean({ description: 'Do not end when the first attempt is refused (401, 403, 404).' }),
    ...graceFlags,
    ...networkFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Forward);
    const { output } = this;
    const request = connectionRequest(flags, { names: args.connections ?? [], output });
    this.exitStatus = await runForward({
      forwards: await readForwards(request, flags.bind),
      options: await networkOptions(flags, output),
      events: new EventPresenter(output, this.jsonEnabled()),
      output,
      graceMs: flags['grace-period'],
      keepTrying: flags['keep-trying'],
      command: this.command,
    });
  }
}
