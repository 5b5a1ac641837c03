import { string as stringArg } from '@oclif/core/args';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { managedFlags, managedName, managerClient } from '../lib/cli/manager/manager-flags.ts';
import { isConnectionName, testConnection, testEndpoint } from '../lib/cli/manager/run-test.ts';

export default class Test extends BaseCommand {
  static override summary = 'Prove each step of a connection of the running manager, or of an address.';
  static override description =
    'A connection is tested by the manager, with its key and from where it stands: the proofs of hcm doctor, a connection through the relay where the key allows it, and the state that the manager sees. What runs is not disturbed. An address (HOST:PORT) is dialed, and a namespace (NAMESPACE.servicebus.windows.net) asked, by the manager, or from here when none runs. The exit status is that of the first proof that failed.';
  static override usage = '<%= command.id %> CONNECTION|HOST:PORT|NAMESPACE-HOST [flags]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db',
    '<%= config.bin %> <%= command.id %> db.corp.local:5432',
    '<%= config.bin %> <%= command.id %> my-relay.servicebus.windows.net',
  ];

  static override args = {
    what: stringArg({
      name: 'CONNECTION|HOST:PORT|NAMESPACE-HOST',
      description: 'NAMESPACE/NAME as hcm list shows it, an address, or the host of a namespace.',
      ignoreStdin: true,
    }),
  };
  static override flags = managedFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Test);
    const run = {
      ...{ client: managerClient(), output: this.output },
      ...{ json: this.jsonEnabled(), version: this.config.version },
    };
    const { what } = args;
    const isPlain = flags.namespace === undefined && flags.name === undefined;
    this.exitStatus =
      what !== undefined && isPlain && !isConnectionName(what)
        ? await testEndpoint(what, run)
        : await testConnection(managedName(what, flags), flags.role, run);
  }
}
