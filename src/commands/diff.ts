import { boolean } from '@oclif/core/flags';
import { declarationFlags } from '../lib/cli/apply-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { runDiff } from '../lib/cli/run-apply.ts';

export default class Diff extends BaseCommand {
  static override summary = 'Show what "hcm apply" would change, and change nothing.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --file hcm.yaml',
    '<%= config.bin %> <%= command.id %> --exit-code --json',
  ];

  static override flags = {
    ...declarationFlags,
    'exit-code': boolean({ description: 'End with status 5 when something differs.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Diff);
    const { output } = this;
    this.exitStatus = await runDiff({ flags, output, json: this.jsonEnabled() }, flags['exit-code']);
  }
}
