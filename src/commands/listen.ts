import { integer, string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { connectionArgs, connectionRequest, tunnelFlags } from '../lib/cli/connection-flags.ts';
import { readConnections } from '../lib/cli/connection-input.ts';
import { EventPresenter } from '../lib/cli/event-presenter.ts';
import { duration, networkOptions } from '../lib/cli/network-flags.ts';
import { runListeners } from '../lib/cli/run-listeners.ts';
import { parseAllowRule } from '../protocol/allow-list.ts';
import { parseTarget } from '../protocol/target.ts';

export default class Listen extends BaseCommand {
  static override summary = 'Let Azure reach a host and port from here (the listener).';
  static override description = `Registers at the relay and forwards each connection to the target. Without --target the target is read from the hybrid connection, as Microsoft's Hybrid Connection Manager does.`;
  static override usage = '<%= command.id %> [CONNECTION...] [--target HOST:PORT] [flags]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db --target db.corp.local:5432',
    '<%= config.bin %> <%= command.id %> --connection-string-file listen.txt',
    '<%= config.bin %> <%= command.id %> orders stock --connection-string-file namespace.txt --json',
  ];
  static override longRunning = true;

  static override args = { connections: connectionArgs };

  static override flags = {
    ...tunnelFlags,
    target: string({
      description: 'Where connections go. Default: what the hybrid connection says.',
      helpValue: 'HOST:PORT',
    }),
    allow: string({
      description:
        'Dial only such targets: HOST:PORT, *.NAME:PORT, 10.0.0.0/8:FROM-TO, HOST:*. May be repeated.',
      helpValue: 'RULE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'max-streams': integer({ description: 'Streams at a time; more are turned away.', min: 1 }),
    'dial-timeout': duration({ description: 'Limit for reaching the target. Default: 10s.' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Listen);
    const { output } = this;
    const target = flags.target === undefined ? undefined : parseTarget(flags.target);
    const allow = flags.allow?.map(parseAllowRule);
    const request = connectionRequest(flags, { names: args.connections ?? [], output, right: 'Listen' });
    this.exitStatus = await runListeners({
      connections: await readConnections(request),
      options: {
        ...(await networkOptions(flags, output)),
        target,
        allow,
        maxStreams: flags['max-streams'],
        dialTimeoutMs: flags['dial-timeout'],
        keepTrying: flags['keep-trying'],
      },
      events: new EventPresenter(output, this.jsonEnabled()),
      graceMs: flags['grace-period'],
    });
  }
}
