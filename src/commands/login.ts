import { boolean, string } from '@oclif/core/flags';
import { signInFlags, subscriptionFlag } from '../lib/cli/azure-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { login } from '../lib/cli/run-login.ts';

const WAYS = ['device-code', 'browser', 'service-principal', 'managed-identity'];
const others = (own: string) => WAYS.filter((way) => way !== own);

export default class Login extends BaseCommand {
  static override summary = 'Sign in to Azure, and choose tenant and subscription.';
  static override description = [
    'Without a flag: as the environment says (service principal, workload identity, GitHub Actions, Azure Pipelines),',
    'else with the sign-in of the az CLI. The choice is remembered; a pipeline needs no login at all. Tokens of a device',
    'code or a browser, and the secret of a service principal, are kept in files that only you can read.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --device-code --tenant contoso.com',
    '<%= config.bin %> <%= command.id %> --service-principal --client-id ID --tenant TENANT --client-secret-file secret.txt',
  ];

  static override flags = {
    'device-code': boolean({
      description: 'Type a code on a page, on any device.',
      exclusive: others('device-code'),
    }),
    browser: boolean({ description: 'In the browser of this machine.', exclusive: others('browser') }),
    'service-principal': boolean({
      description: 'As an app, with its secret or certificate.',
      exclusive: others('service-principal'),
    }),
    'managed-identity': boolean({
      description: 'As this machine in Azure.',
      exclusive: others('managed-identity'),
    }),
    'client-id': string({
      description: 'Of the service principal (default AZURE_CLIENT_ID), or of a user-assigned identity.',
      helpValue: 'ID',
    }),
    'client-secret-file': string({
      description: 'File with the secret of the service principal; else AZURE_CLIENT_SECRET.',
      helpValue: 'FILE',
      exclusive: ['certificate-file'],
    }),
    'certificate-file': string({
      description: 'Certificate and key (PEM) of the service principal; stays where it is.',
      helpValue: 'FILE',
    }),
    subscription: subscriptionFlag,
    ...signInFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Login);
    await login({ flags, output: this.output, json: this.jsonEnabled() });
  }
}
