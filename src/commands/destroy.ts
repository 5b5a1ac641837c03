import { declarationFlags } from '../lib/cli/apply-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { yesFlag } from '../lib/cli/confirm.ts';
import { runDestroy } from '../lib/cli/run-apply.ts';

export default class Destroy extends BaseCommand {
  static override summary = 'Delete what a file declares, and nothing else.';
  static override description = [
    'Takes the connections off their apps, deletes them and the rules, and then the namespaces that hold nothing else;',
    'one that does stays, and the plan says why.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> --file hcm.yaml',
    '<%= config.bin %> <%= command.id %> --yes --json',
  ];

  static override flags = { ...declarationFlags, yes: yesFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Destroy);
    const { output } = this;
    await runDestroy({ flags, output, json: this.jsonEnabled(), noInput: flags['no-input'], yes: flags.yes });
  }
}
