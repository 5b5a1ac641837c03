import { EXIT } from '../../lib/error-table.ts';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { namespaceArg } from '../../lib/cli/relay-arguments.ts';
import { checkName } from '../../lib/services/namespaces.ts';

export default class NamespaceCheckName extends BaseCommand {
  static override summary = 'Tell whether a name is free for a new namespace, in all of Azure.';
  static override description = 'The exit status is 0 when it is free, 5 when it is not.';
  static override examples = ['<%= config.bin %> <%= command.id %> my-relay'];

  static override args = { namespace: namespaceArg };

  static override flags = azureFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NamespaceCheckName);
    const { output } = this;
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { available, reason, message } = await checkName(azure, args.namespace);
    if (!available) this.exitStatus = EXIT.resource;
    if (this.jsonEnabled()) return output.json({ name: args.namespace, available, reason, message });
    output.answer(
      available ? `${args.namespace} is free` : `${args.namespace} is not free: ${message || reason}`,
    );
  }
}
