import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirmation, yesFlag } from '../../lib/cli/confirm.ts';
import { uninstallService } from '../../lib/cli/service/run-install.ts';
import { askedScope, rootFlags, scopeFlags } from '../../lib/cli/service/service-flags.ts';
import { serviceHost, thisMachine } from '../../lib/cli/service/this-machine.ts';

export default class ServiceUninstall extends BaseCommand {
  static override summary = 'Stop the service and take away what install has made.';
  static override description =
    'Connections and keys that were added stay where they are, for root alone, and are named; --purge removes them, too.';
  static override examples = [
    'sudo <%= config.bin %> <%= command.id %>',
    'sudo <%= config.bin %> <%= command.id %> --purge --yes',
  ];

  static override flags = {
    ...scopeFlags,
    purge: boolean({ description: 'Remove the connections and keys that were added, too.' }),
    yes: yesFlag,
    ...rootFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServiceUninstall);
    const { output } = this;
    await uninstallService({
      host: await serviceHost(thisMachine(flags.root), askedScope(flags)),
      purge: flags.purge,
      confirmation: confirmation({ ...flags, json: this.jsonEnabled() }, output),
      ...{ output, json: this.jsonEnabled() },
    });
  }
}
