import { string as stringArg } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { networkToAzureFlags } from '../../lib/cli/azure-flags.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { addCloud } from '../../lib/cli/run-cloud.ts';

export default class CloudAdd extends BaseCommand {
  static override summary = 'Add a cloud by its Resource Manager, such as an Azure Stack Hub.';
  static override description =
    'Where to sign in, and for whom, comes from the document /metadata/endpoints of the Resource Manager. The CA given with --ca-file is remembered with the cloud.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> hub --endpoint https://management.local.azurestack.external --ca-file hub.pem',
  ];

  static override args = {
    name: stringArg({
      name: 'NAME',
      description: 'How to call it.',
      required: true,
      ignoreStdin: true,
    }),
  };

  static override flags = {
    endpoint: string({
      description: 'Its Resource Manager.',
      helpValue: 'URL',
      required: true,
    }),
    'relay-suffix': string({
      description:
        "What follows a namespace's name in its host. Default: servicebus. and the cloud's domain.",
      helpValue: 'DOMAIN',
    }),
    ...networkToAzureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CloudAdd);
    await addCloud({
      name: args.name,
      endpoint: flags.endpoint,
      relaySuffix: flags['relay-suffix'],
      flags,
      output: this.output,
      json: this.jsonEnabled(),
    });
  }
}
