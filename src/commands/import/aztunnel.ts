import { string as stringArg } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { runImportAztunnel } from '../../lib/cli/run-import.ts';

export default class ImportAztunnel extends BaseCommand {
  static override summary =
    'Take over the environment of aztunnel (AZTUNNEL_*) as section manager of a hcm.yaml.';
  static override description = [
    'Reads a file of variables, or those of this process. They do not say which end they are of: with --bind it is a forward, else a listener,',
    'with --bind and --target both. Both ends have to change over together, since aztunnel has a dialect of its own. With --out, the key goes',
    'into a file of its own beside it, for this user alone; without, into a variable of the environment, which is named.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> /opt/aztunnel/env --target db.corp.local:5432 --out hcm.yaml',
    '<%= config.bin %> <%= command.id %> --bind 127.0.0.1:5432',
  ];

  static override args = {
    file: stringArg({
      name: 'FILE',
      description: 'A file of variables, or "-" for stdin. Default: the variables of this process.',
      ignoreStdin: true,
    }),
  };

  static override flags = {
    out: string({ description: 'Write this file instead of stdout.', helpValue: 'FILE' }),
    force: boolean({ description: 'Write over files that exist.', dependsOn: ['out'] }),
    target: string({ description: 'Where the listener leads.', helpValue: 'HOST:PORT' }),
    bind: string({ description: 'The local port of a forward: [ADDR:]PORT.', helpValue: 'ADDR:PORT' }),
    namespace: string({ description: 'The relay, where aztunnel had it as --relay.', helpValue: 'NAME' }),
    name: string({
      char: 'n',
      description: 'The hybrid connection, where aztunnel had it as --hyco.',
      helpValue: 'NAME',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImportAztunnel);
    await runImportAztunnel({ ...flags, file: args.file, output: this.output, json: this.jsonEnabled() });
  }
}
