import { boolean, option } from '@oclif/core/flags';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { ownerArg, ownerOf, ruleFlag } from '../../lib/cli/relay-arguments.ts';
import { ownerJson, printKeys } from '../../lib/cli/resource-presenter.ts';
import { listKeys } from '../../lib/arm/rules.ts';
import { findOwner, findRule } from '../../lib/services/owners.ts';

export default class KeyShow extends BaseCommand {
  static override summary = 'Print the keys of an authorization rule. They are secrets.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db --rule defaultListener',
    '<%= config.bin %> <%= command.id %> my-relay/db --rule defaultSender --connection-string > send.txt',
  ];

  static override args = { owner: ownerArg };

  static override flags = {
    rule: ruleFlag,
    'connection-string': boolean({ description: 'Print the connection string and nothing else.' }),
    key: option({
      description: 'Which of the two keys the connection string has.',
      options: ['primary', 'secondary'] as const,
      default: 'primary',
    })(),
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(KeyShow);
    const { output } = this;
    const wanted = ownerOf(args.owner, flags);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const owner = await findOwner(azure, wanted);
    const rule = await findRule(azure, owner, flags.rule);
    const { rule: name, ...keys } = await listKeys(azure, owner, rule.name);
    if (flags['connection-string']) {
      const text = keys[`${flags.key}ConnectionString`];
      return this.jsonEnabled()
        ? output.jsonWithSecrets({ connectionString: text })
        : output.answerWithSecrets(text);
    }
    if (!this.jsonEnabled()) return printKeys(output, { owner, rule, keys: { rule: name, ...keys } });
    output.jsonWithSecrets({ ...ownerJson(owner), rule: name, rights: rule.rights, ...keys });
  }
}
