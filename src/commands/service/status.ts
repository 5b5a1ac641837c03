import { BaseCommand } from '../../lib/cli/base-command.ts';
import { showServiceStatus } from '../../lib/cli/service/run-service.ts';
import { askedScope, scopeFlags } from '../../lib/cli/service/service-flags.ts';
import { serviceHost, thisMachine } from '../../lib/cli/service/this-machine.ts';

export default class ServiceStatus extends BaseCommand {
  static override summary =
    'Say how the service is: what the machine sees, and what the manager says. 7: it does not run.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  static override flags = scopeFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(ServiceStatus);
    const host = await serviceHost(thisMachine(), askedScope(flags));
    this.exitStatus = await showServiceStatus({ host, output: this.output, json: this.jsonEnabled() });
  }
}
