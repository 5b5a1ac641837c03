import { string as stringArg } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { runImportHcm } from '../../lib/cli/run-import.ts';

export default class ImportHcm extends BaseCommand {
  static override summary =
    "Take over the connections of Microsoft's Hybrid Connection Manager as section manager of a hcm.yaml.";
  static override description = [
    'Reads connections.json of the new manager, or the .exe.config of the classic one for Windows. The target of each connection is the one',
    'that Azure named when that manager last ran. With --out, keys go into files of their own beside it, for this user alone; without, into',
    'variables of the environment, which are named. Nothing that exists is written over.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> C:\\ProgramData\\HybridConnectionManager\\connections.json --out hcm.yaml',
    '<%= config.bin %> <%= command.id %> /usr/share/HybridConnectionManager/connections.json',
  ];

  static override args = {
    file: stringArg({
      name: 'FILE',
      description:
        'connections.json, or Microsoft.HybridConnectionManager.Listener.exe.config; "-" for stdin.',
      required: true,
      ignoreStdin: true,
    }),
  };

  static override flags = {
    out: string({ description: 'Write this file instead of stdout.', helpValue: 'FILE' }),
    force: boolean({ description: 'Write over files that exist.', dependsOn: ['out'] }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImportHcm);
    await runImportHcm({ ...flags, file: args.file, output: this.output, json: this.jsonEnabled() });
  }
}
