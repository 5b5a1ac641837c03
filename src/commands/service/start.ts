import { BaseCommand } from '../../lib/cli/base-command.ts';
import { startService } from '../../lib/cli/service/run-service.ts';
import { askedScope, scopeFlags } from '../../lib/cli/service/service-flags.ts';
import { serviceHost, thisMachine } from '../../lib/cli/service/this-machine.ts';

export default class ServiceStart extends BaseCommand {
  static override summary = 'Start the installed service, and wait until it is ready.';
  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --user',
  ];

  static override flags = scopeFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(ServiceStart);
    const host = await serviceHost(thisMachine(), askedScope(flags));
    await startService({ host, output: this.output, json: this.jsonEnabled() });
  }
}
