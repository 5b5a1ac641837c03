import { string } from '@oclif/core/flags';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { runExportAzure } from '../../lib/cli/run-export-azure.ts';

export default class ExportAzure extends BaseCommand {
  static override summary = 'Write a hcm.yaml of what exists in Azure, for "hcm apply". No keys are in it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> > hcm.yaml',
    '<%= config.bin %> <%= command.id %> --namespace my-relay --namespace other-relay',
  ];

  static override flags = {
    namespace: string({
      description: 'Only this namespace; may be given several times. Default: all of them.',
      helpValue: 'NAME',
      multiple: true,
    }),
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ExportAzure);
    await runExportAzure({ flags, output: this.output, json: this.jsonEnabled() });
  }
}
