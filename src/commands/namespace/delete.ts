import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { confirm, confirmation, yesFlag } from '../../lib/cli/confirm.ts';
import { namespaceArg, waitFlags } from '../../lib/cli/relay-arguments.ts';
import { deleteNamespace } from '../../lib/services/namespaces.ts';

export default class NamespaceDelete extends BaseCommand {
  static override summary = 'Delete a relay namespace with all its hybrid connections, rules and keys.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay',
    '<%= config.bin %> <%= command.id %> my-relay --yes --no-wait',
  ];

  static override args = { namespace: namespaceArg };

  static override flags = { yes: yesFlag, ...waitFlags, ...azureFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NamespaceDelete);
    const { output } = this;
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const { changed, gone } = await deleteNamespace(azure, {
      ...{ name: args.namespace, resourceGroup: flags['resource-group'] },
      ...{ wait: !flags['no-wait'], timeoutMs: flags.timeout },
      confirm: ({ name }, connections) => {
        const names = connections.map(({ connection }) => connection);
        const what = names.length === 0 ? '' : ` and its hybrid connections ${names.join(', ')}`;
        return confirm(`Delete the namespace ${name}${what}?`, confirmation(flags, output));
      },
    });
    if (this.jsonEnabled()) return output.json({ changed, gone });
    const name = args.namespace;
    output.answer(
      !gone
        ? `The namespace ${name} is being deleted`
        : changed
          ? `Deleted the namespace ${name}`
          : `The namespace ${name} does not exist`,
    );
  }
}
