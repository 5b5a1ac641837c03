import { declarationFlags } from '../lib/cli/apply-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { yesFlag } from '../lib/cli/confirm.ts';
import { runApply } from '../lib/cli/run-apply.ts';

export default class Apply extends BaseCommand {
  static override summary =
    'Make Azure have what a file declares: namespaces, connections, rules, attached apps.';
  static override description = [
    'Shows the plan first, and asks on a terminal. Where nobody can be asked, what only adds or changes is done, and',
    'what deletes needs --yes. What the file does not name is left alone. A run that broke off goes on when it is typed',
    'again; one that has nothing to do writes nothing.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> --file hcm.yaml',
    'DB_HOST=db.corp.local <%= config.bin %> <%= command.id %> --yes --json',
  ];

  static override flags = { ...declarationFlags, yes: yesFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Apply);
    const { output } = this;
    await runApply({ flags, output, json: this.jsonEnabled(), noInput: flags['no-input'], yes: flags.yes });
  }
}
