import { string as stringArg } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { runImportAzbridge } from '../../lib/cli/run-import.ts';

export default class ImportAzbridge extends BaseCommand {
  static override summary =
    'Take over the configuration of azbridge: its forwards as section manager of a hcm.yaml.';
  static override description = [
    'Reads the YAML or JSON of azbridge and writes what "hcm service run --file" runs, or "hcm listen --file" and "hcm forward --file". Whatever is not',
    'taken over, or does something else than it seems to, is told with its line. With --out, connection strings go into',
    'files of their own beside it, for this user alone; without, into variables of the environment, which are named.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> ~/.azbridge/azbridge_config.yml',
    '<%= config.bin %> <%= command.id %> /etc/azbridge/azbridge_config.svc.yml --out hcm.yaml',
  ];

  static override args = {
    file: stringArg({
      name: 'FILE',
      description: 'The configuration of azbridge, or "-" for stdin.',
      required: true,
      ignoreStdin: true,
    }),
  };

  static override flags = {
    out: string({ description: 'Write this file instead of stdout.', helpValue: 'FILE' }),
    force: boolean({ description: 'Write over files that exist.', dependsOn: ['out'] }),
    namespace: string({
      description: 'The relay, where FILE names none, since azbridge had it on its command line.',
      helpValue: 'NAME',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImportAzbridge);
    await runImportAzbridge({ ...flags, file: args.file, output: this.output, json: this.jsonEnabled() });
  }
}
