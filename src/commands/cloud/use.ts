import { string as stringArg } from '@oclif/core/args';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { chooseCloud } from '../../lib/cli/run-cloud.ts';

export default class CloudUse extends BaseCommand {
  static override summary = 'Use a cloud from now on, unless --cloud or HCM_CLOUD names another.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> usgov',
    '<%= config.bin %> <%= command.id %> local',
  ];

  static override args = {
    name: stringArg({
      name: 'NAME',
      description: 'One of "hcm cloud list".',
      required: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(CloudUse);
    await chooseCloud(args.name, { output: this.output, json: this.jsonEnabled() });
  }
}
