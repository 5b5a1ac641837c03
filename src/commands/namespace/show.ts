import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { namespaceArg } from '../../lib/cli/relay-arguments.ts';
import { printNamespace } from '../../lib/cli/resource-presenter.ts';
import { findNamespace } from '../../lib/arm/namespaces.ts';

export default class NamespaceShow extends BaseCommand {
  static override summary = 'Show a relay namespace: where it is, its status, its host.';
  static override description =
    'A namespace is usable when its status is Active, whatever its provisioning state says.';
  static override examples = ['<%= config.bin %> <%= command.id %> my-relay'];

  static override args = { namespace: namespaceArg };

  static override flags = azureFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NamespaceShow);
    const { output } = this;
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const namespace = await findNamespace(azure, args.namespace, flags['resource-group']);
    if (this.jsonEnabled()) output.json(namespace);
    else printNamespace(output, namespace);
  }
}
