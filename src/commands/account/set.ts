import { signInFlags, subscriptionFlag } from '../../lib/cli/azure-flags.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { setSubscription } from '../../lib/cli/run-account.ts';

export default class AccountSet extends BaseCommand {
  static override summary = 'Use a subscription from now on, unless --subscription names another.';
  static override examples = ['<%= config.bin %> <%= command.id %> --subscription "Pay as you go"'];

  static override flags = { subscription: subscriptionFlag, ...signInFlags };

  async run(): Promise<void> {
    const { flags } = await this.parse(AccountSet);
    await setSubscription({ flags, output: this.output, json: this.jsonEnabled() });
  }
}
