import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { graceFlags } from '../../lib/cli/grace-flag.ts';
import { installService } from '../../lib/cli/service/run-install.ts';
import { rootFlags, scopeFlags } from '../../lib/cli/service/service-flags.ts';
import { serviceHost, thisMachine } from '../../lib/cli/service/this-machine.ts';

export default class ServiceInstall extends BaseCommand {
  static override summary = 'Install the manager as a service that starts with the machine, and start it.';
  static override description =
    'On Linux a unit of systemd with an account of its own, hcm, that may do little else. Needs root, or --user. Asks nothing. Typed again it changes nothing; with other flags it changes the service and starts it anew. Other settings (a proxy, a CA) stand in /etc/hcm/hcm.env.';
  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    'sudo <%= config.bin %> <%= command.id %> --file /etc/hcm/hcm.yaml',
    '<%= config.bin %> <%= command.id %> --user',
    '<%= config.bin %> <%= command.id %> --dry-run',
  ];

  static override flags = {
    file: string({
      char: 'f',
      description: 'Follow section manager of this file, too; the service must be able to read it.',
      helpValue: '/etc/hcm/hcm.yaml',
    }),
    ...scopeFlags,
    'no-start': boolean({ description: 'Do not start it now.' }),
    'dry-run': boolean({ description: 'Print what would be written and run, and change nothing.' }),
    ...graceFlags,
    ...rootFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServiceInstall);
    await installService({
      host: await serviceHost(thisMachine(flags.root), flags.user ? 'user' : 'system'),
      programRoot: this.config.root,
      file: flags.file,
      graceMs: flags['grace-period'],
      start: !flags['no-start'],
      dryRun: flags['dry-run'],
      ...{ output: this.output, json: this.jsonEnabled() },
    });
  }
}
