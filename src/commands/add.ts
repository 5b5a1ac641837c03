import { string as stringArg } from '@oclif/core/args';
import { boolean, integer, string } from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { connectionFlags } from '../lib/cli/connection-flags.ts';
import { lookUpFlags } from '../lib/cli/manager/look-up-flags.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { reachedState, sayReached } from '../lib/cli/manager/reached-state.ts';
import { addConnection } from '../lib/cli/manager/run-add.ts';
import { networkOptions } from '../lib/cli/network-flags.ts';
import { systemClock } from '../tunnel/clock.ts';

export default class Add extends BaseCommand {
  static override summary = 'Give the running manager a connection, to keep and to run.';
  static override description =
    'Without --target, the target that Azure names now is confirmed by adding it; a later change there has to be confirmed with hcm restart --accept-target. With --bind it is a local port that leads to the connection. The flags to look up the target are for this command alone: the manager has the cloud, sign-in and proxy of hcm service run.';
  static override usage = '<%= command.id %> [CONNECTION] [flags]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --connection-string-file listen.txt',
    '<%= config.bin %> <%= command.id %> my-relay/db --target db.corp.local:5432',
    '<%= config.bin %> <%= command.id %> my-relay/sql --bind 127.0.0.1:1433',
  ];

  static override args = {
    connection: stringArg({
      name: 'CONNECTION',
      description:
        'NAMESPACE/NAME. A connection string is taken, too, but other users of this machine can see it.',
      ignoreStdin: true,
    }),
  };

  static override flags = {
    ...connectionFlags,
    'connection-string-file': string({
      description: 'File with its connection string; "-" is stdin. Else HCM_CONNECTION_STRING counts.',
      helpValue: 'FILE',
    }),
    name: string({ char: 'n', description: 'Name of the connection, with --namespace.', helpValue: 'NAME' }),
    target: string({
      description: 'Where connections go. Default: what the hybrid connection says.',
      helpValue: 'HOST:PORT',
    }),
    allow: string({
      description: 'Dial only such targets. May be repeated.',
      helpValue: 'RULE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'max-streams': integer({ description: 'Streams at a time; more are turned away.', min: 1 }),
    'idle-timeout': string({
      description: 'Cut a stream that is silent for so long. Default: never.',
      helpValue: 'DURATION',
    }),
    'health-check': string({
      description:
        'Listen only while the target is there: it takes a connection (tcp), or answers a GET with a status below 500 (http).',
      helpValue: 'tcp|http|http:/PATH',
    }),
    bind: string({ description: 'A local port instead: [ADDR:]PORT or unix:PATH.', helpValue: 'ADDR:PORT' }),
    http: boolean({ description: 'The local port speaks HTTP.' }),
    ...lookUpFlags,
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parse(Add);
    const { output } = this;
    const client = managerClient();
    const {
      connection: added,
      changed,
      replaced,
    } = await addConnection({
      client,
      argument: args.connection,
      flags,
      typed: raw.flatMap((token) => (token.type === 'flag' ? [token.flag] : [])),
      network: await networkOptions({ ...flags, keepalive: 'off', 'idle-timeout': undefined }, output),
      output,
    });
    const connection = await reachedState(client, added, systemClock);
    if (this.jsonEnabled()) return output.json({ ...connection, changed, replaced });
    const name = connection.connection;
    const put = replaced
      ? `Replaced ${name}, which was there with another key or other settings`
      : `Added ${name}`;
    const { length } = (await client.list()).filter((one) => one.connection === name);
    sayReached(output, connection, {
      did: changed ? put : `${name} is there already`,
      show: `hcm show ${name}${length > 1 ? ` --role ${connection.role}` : ''}`,
    });
  }
}
