import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirm, confirmation, yesFlag } from '../../lib/cli/confirm.ts';
import { ownerArg, ownerOf, ruleArg } from '../../lib/cli/relay-arguments.ts';
import { ruleText } from '../../lib/cli/resource-presenter.ts';
import { appName } from '../../lib/arm/apps.ts';
import { ownerName } from '../../lib/arm/references.ts';
import { deleteRule } from '../../lib/services/rules.ts';

export default class RuleDelete extends BaseCommand {
  static override summary =
    'Delete an authorization rule: whoever signs with its keys is refused from then on.';
  static override examples = ['<%= config.bin %> <%= command.id %> my-relay/db reporting'];

  static override args = { owner: ownerArg, rule: ruleArg };

  static override flags = { yes: yesFlag, ...azureFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuleDelete);
    const { output } = this;
    const wanted = ownerOf(args.owner, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { changed } = await deleteRule(azure, {
      ...{ owner: wanted, rule: args.rule },
      confirm: (owner, rule, users) => {
        const apps = users.map(({ app }) => appName(app));
        const uses = apps.length === 0 ? '' : `${apps.join(', ')} will not connect any more. `;
        return confirm(
          `${uses}Delete the rule ${ruleText(rule)} of ${ownerName(owner)}?`,
          confirmation(flags, output),
        );
      },
    });
    if (this.jsonEnabled()) return output.json({ changed });
    const name = `${args.rule} of ${args.owner}`;
    output.answer(changed ? `Deleted the rule ${name}` : `The rule ${name} does not exist`);
  }
}
