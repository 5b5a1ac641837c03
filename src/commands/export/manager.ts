import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { runExportManager } from '../../lib/cli/run-export-manager.ts';

export default class ExportManager extends BaseCommand {
  static override summary =
    'Write a hcm.yaml of what the running manager has, from hcm add and from its file. No keys are in it.';
  static override description = [
    'Where the manager has a key, the file names a variable of the environment, or with --key-files a file; which ones stands above it.',
    'Targets that were confirmed stand in it. What the file of the manager took from variables is written out.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> > hcm.yaml',
    '<%= config.bin %> <%= command.id %> --key-files /etc/hcm/keys > hcm.yaml',
  ];

  static override flags = {
    'key-files': string({
      description: 'Name files in this folder in the place of variables. They are not written.',
      helpValue: 'FOLDER',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ExportManager);
    await runExportManager({
      keyFiles: flags['key-files'],
      output: this.output,
      json: this.jsonEnabled(),
    });
  }
}
