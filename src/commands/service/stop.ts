import { BaseCommand } from '../../lib/cli/base-command.ts';
import { stopService } from '../../lib/cli/service/run-service.ts';
import { askedScope, scopeFlags } from '../../lib/cli/service/service-flags.ts';
import { serviceHost, thisMachine } from '../../lib/cli/service/this-machine.ts';

export default class ServiceStop extends BaseCommand {
  static override summary = 'Stop the installed service; open streams may finish.';
  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --user',
  ];

  static override flags = scopeFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(ServiceStop);
    const host = await serviceHost(thisMachine(), askedScope(flags));
    await stopService({ host, output: this.output, json: this.jsonEnabled() });
  }
}
