import { signInFlags } from '../../lib/cli/azure-flags.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { listAccounts } from '../../lib/cli/run-account.ts';

export default class AccountList extends BaseCommand {
  static override summary = 'List the subscriptions that your sign-in can see; the one in use has a star.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  static override flags = signInFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(AccountList);
    await listAccounts({ flags, output: this.output, json: this.jsonEnabled() });
  }
}
