import { boolean, option } from '@oclif/core/flags';
import { azureFlags } from '../lib/cli/azure-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { connectionArg, connectionFlags, connectionRequest } from '../lib/cli/connection-flags.ts';
import { readConnections } from '../lib/cli/connection-input.ts';
import { duration } from '../lib/cli/network-flags.ts';
import { runToken } from '../lib/cli/run-token.ts';

export default class Token extends BaseCommand {
  static override summary = 'Print a token for a hybrid connection, for curl and scripts. It is a secret.';
  static override description = [
    'The relay wants it in the header ServiceBusAuthorization. It is signed with the key of the connection string, or with',
    'one that Azure gives; with --entra it comes from Microsoft Entra ID, which decides how long it is good. A token of a',
    'key opens this hybrid connection alone, for what the rule of the key allows.',
  ].join(' ');
  static override usage = '<%= command.id %> [CONNECTION] [flags]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/web --header | curl -H @- https://my-relay.servicebus.windows.net/web',
    '<%= config.bin %> <%= command.id %> my-relay/web --entra',
    '<%= config.bin %> <%= command.id %> --connection-string-file send.txt --expires-in 10m --json',
  ];

  static override args = { connection: connectionArg };

  static override flags = {
    right: option({
      description: 'What it is for. With a connection string, its rule decides.',
      options: ['send', 'listen'] as const,
      default: 'send',
    })(),
    'expires-in': duration({
      description: 'How long it is good: 1m to 365d. Default: 1h.',
      exclusive: ['entra'],
    }),
    header: boolean({
      description: 'Print it as the line of a header: curl -H @- reads that.',
      exclusive: ['json'],
    }),
    ...connectionFlags,
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Token);
    const { output } = this;
    const names = args.connection === undefined ? [] : [args.connection];
    const right = flags.right === 'listen' ? 'Listen' : 'Send';
    await runToken({
      connections: await readConnections(connectionRequest(flags, { names, output, right })),
      right,
      lifetimeMs: flags['expires-in'],
      asHeader: flags.header,
      json: this.jsonEnabled(),
      isWatched: process.stdout.isTTY && process.stderr.isTTY,
      argv: this.argv,
      output,
    });
  }
}
