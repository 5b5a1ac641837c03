import { boolean, option } from '@oclif/core/flags';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirm, confirmation, yesFlag } from '../../lib/cli/confirm.ts';
import { ownerArg, ownerOf, ruleFlag, skipAppsFlag } from '../../lib/cli/relay-arguments.ts';
import { printRotation, rotationJson } from '../../lib/cli/resource-presenter.ts';
import { ownerName } from '../../lib/arm/references.ts';
import { planRotation, rotateKeys } from '../../lib/services/keys.ts';
import { findOwner, findRule } from '../../lib/services/owners.ts';

export default class KeyRotate extends BaseCommand {
  static override summary = 'Make keys of a rule anew; attached apps are moved to the other key first.';
  static override description = [
    'Apps of this subscription keep connecting meanwhile. Whoever else signs with a key, such as a listener with a',
    'connection string, is refused once it is made anew, and must get the new one: rotate one key at a time, and give',
    'them the other one before.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db --rule defaultSender --dry-run',
    '<%= config.bin %> <%= command.id %> my-relay/db --rule defaultSender --key both --yes',
  ];

  static override args = { owner: ownerArg };

  static override flags = {
    rule: ruleFlag,
    key: option({
      description: 'Which key to make anew.',
      options: ['primary', 'secondary', 'both'] as const,
      default: 'primary',
    })(),
    'dry-run': boolean({ description: 'Only show what would be done.' }),
    'skip-apps': skipAppsFlag,
    yes: yesFlag,
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeyRotate);
    const { output } = this;
    const wanted = ownerOf(args.owner, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const owner = await findOwner(azure, wanted);
    const rule = await findRule(azure, owner, flags.rule);
    const plan = await planRotation(azure, {
      ...{ owner, rule: rule.name, moveApps: !flags['skip-apps'] },
      keys: flags.key === 'both' ? ['primary', 'secondary'] : [flags.key],
    });
    const isDryRun = flags['dry-run'];
    if (!isDryRun) {
      const keys = flags.key === 'both' ? 'both keys' : `the ${flags.key} key`;
      await confirm(
        `Make ${keys} of ${rule.name} of ${ownerName(owner)} anew? Whoever but the attached apps signs with it is refused from then on.`,
        confirmation(flags, output),
      );
      await rotateKeys(azure, plan);
    }
    if (this.jsonEnabled()) return output.json({ changed: !isDryRun, ...rotationJson(plan) });
    printRotation(output, plan, isDryRun ? 'would' : 'done');
    if (!isDryRun) output.next(`hcm key show ${ownerName(owner)} --rule ${rule.name}`);
  }
}
