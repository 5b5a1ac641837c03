import { boolean } from '@oclif/core/flags';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { ownerArg, ownerOf, rightsFlag, ruleArg } from '../../lib/cli/relay-arguments.ts';
import { ownerJson, ruleText } from '../../lib/cli/resource-presenter.ts';
import { ownerName } from '../../lib/arm/references.ts';
import { createRule } from '../../lib/services/rules.ts';

export default class RuleCreate extends BaseCommand {
  static override summary = 'Create an authorization rule, with two keys of its own.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db reporting --rights Send',
    '<%= config.bin %> <%= command.id %> my-relay deployment --rights Manage',
  ];

  static override args = { owner: ownerArg, rule: ruleArg };

  static override flags = {
    rights: rightsFlag({ required: true }),
    replace: boolean({ description: 'Give a rule that exists these rights; its keys stay.' }),
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RuleCreate);
    const { output } = this;
    const wanted = ownerOf(args.owner, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { rights, replace } = flags;
    const { changed, created, owner, rule } = await createRule(azure, {
      owner: wanted,
      rule: args.rule,
      rights,
      replace,
    });
    if (this.jsonEnabled()) return output.json({ changed, created, ...ownerJson(owner), rule });
    const name = ownerName(owner);
    output.answer(
      created
        ? `Created the rule ${ruleText(rule)} of ${name}`
        : changed
          ? `The rule of ${name} is now ${ruleText(rule)}`
          : `${name} has the rule ${ruleText(rule)} already`,
    );
    output.next(`hcm key show ${name} --rule ${rule.name}`);
  }
}
