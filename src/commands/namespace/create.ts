import { boolean, string } from '@oclif/core/flags';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { namespaceArg, parseTags, tagFlag, waitFlags } from '../../lib/cli/relay-arguments.ts';
import { createNamespace } from '../../lib/services/namespaces.ts';

export default class NamespaceCreate extends BaseCommand {
  static override summary = 'Create a relay namespace, and wait until it is ready.';
  static override description = [
    'Registers Microsoft.Relay in the subscription when it is not. A namespace that exists is left as it is, but for',
    'tags that it lacks. Its name must be free in all of Azure. A namespace takes about a minute, and costs by the hour',
    'for each listener, not by itself.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay --resource-group my-group',
    '<%= config.bin %> <%= command.id %> my-relay -g my-group --create-resource-group --location westeurope --tag env=test',
  ];

  static override args = { namespace: namespaceArg };

  static override flags = {
    location: string({
      char: 'l',
      description: 'Location, such as westeurope. Default: the one of the resource group.',
      helpValue: 'NAME',
    }),
    'create-resource-group': boolean({ description: 'Make the resource group when it is missing.' }),
    tag: tagFlag,
    ...waitFlags,
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NamespaceCreate);
    const { output } = this;
    const tags = parseTags(flags.tag);
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const result = await createNamespace(azure, {
      ...{ name: args.namespace, resourceGroup: flags['resource-group'], location: flags.location, tags },
      ...{ createResourceGroup: flags['create-resource-group'] },
      ...{ wait: !flags['no-wait'], timeoutMs: flags.timeout },
    });
    if (this.jsonEnabled()) return output.json(result);
    const { name, location, resourceGroup, status } = result.namespace;
    const place = `${location}, resource group ${resourceGroup}`;
    output.answer(
      result.created
        ? `Created the namespace ${name} in ${place}`
        : `The namespace ${name} exists already, in ${place}`,
    );
    if (!result.created && result.changed) output.answer('Its tags were updated');
    if (!result.ready) return output.next(`hcm namespace show ${name}`, `It is ${status}. `);
    output.next(`hcm connection create ${name}/NAME --target HOST:PORT`);
  }
}
