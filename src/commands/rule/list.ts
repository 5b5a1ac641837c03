import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { ownerArg, ownerOf } from '../../lib/cli/relay-arguments.ts';
import { printRules } from '../../lib/cli/resource-presenter.ts';
import { listRules } from '../../lib/arm/rules.ts';
import { findOwner } from '../../lib/services/owners.ts';

export default class RuleList extends BaseCommand {
  static override summary = 'List the authorization rules of a namespace or of a hybrid connection.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay',
    '<%= config.bin %> <%= command.id %> my-relay/db',
  ];

  static override args = { owner: ownerArg };

  static override flags = azureFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuleList);
    const { output } = this;
    const wanted = ownerOf(args.owner, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const owner = await findOwner(azure, wanted);
    const rules = await listRules(azure, owner);
    if (this.jsonEnabled()) output.json(rules);
    else printRules(output, rules, owner);
  }
}
