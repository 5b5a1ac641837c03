import { signInFlags, subscriptionFlag } from '../../lib/cli/azure-flags.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { showAccount } from '../../lib/cli/run-account.ts';

export default class AccountShow extends BaseCommand {
  static override summary = 'Show as whom commands run, where, and in which subscription.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  static override flags = { subscription: subscriptionFlag, ...signInFlags };

  async run(): Promise<void> {
    const { flags } = await this.parse(AccountShow);
    await showAccount({ flags, output: this.output, json: this.jsonEnabled() });
  }
}
