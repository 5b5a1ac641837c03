import { signInFlags } from '../lib/cli/azure-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { logout } from '../lib/cli/run-login.ts';

export default class Logout extends BaseCommand {
  static override summary = 'Forget the sign-in of "hcm login", with its tokens and secrets.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];

  static override flags = { cloud: signInFlags.cloud };

  async run(): Promise<void> {
    const { flags } = await this.parse(Logout);
    await logout({ flags, output: this.output, json: this.jsonEnabled() });
  }
}
