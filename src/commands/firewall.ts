import { string as stringArg } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { networkToAzureFlags, signInFlags } from '../lib/cli/azure-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { interruptSignal } from '../lib/cli/interrupt-signal.ts';
import { networkOptions } from '../lib/cli/network-flags.ts';
import { readEndpoint, runFirewall } from '../lib/cli/run-firewall.ts';
import { loadCloud } from '../lib/auth/clouds.ts';
import { statePaths } from '../lib/config/paths.ts';
import { systemDns } from '../lib/services/firewall/dns.ts';

export default class Firewall extends BaseCommand {
  static override summary = 'Print the hosts and ports that a firewall must let out, and try them.';
  static override description =
    'The namespace, its gateways (whose names follow from DNS), and apart from them the hosts for sign-in and management. stdout has a host and a port a line. With --test a third word: ok, future (the name does not resolve yet), untried, or the code of what is wrong; the exit status is that of the first host of the relay that cannot be reached. No key is used.';
  static override usage = '<%= command.id %> [CONNECTION|NAMESPACE] [flags]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay > hosts.txt',
    '<%= config.bin %> <%= command.id %> my-relay/db --test',
    '<%= config.bin %> <%= command.id %> --connection-string-file listen.txt --json',
  ];

  static override args = {
    namespace: stringArg({
      name: 'NAMESPACE',
      description:
        'Name of the namespace, its host, or NAMESPACE/NAME. Default: that of a connection string.',
      ignoreStdin: true,
    }),
  };

  static override flags = {
    test: boolean({ description: 'Connect to each host, TLS included, on the way that a tunnel takes.' }),
    'connection-string-file': string({
      description:
        'File with a connection string, whose namespace is meant; "-" is stdin. Else HCM_CONNECTION_STRING counts.',
      helpValue: 'FILE',
    }),
    cloud: signInFlags.cloud,
    ...networkToAzureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Firewall);
    const { output } = this;
    const { env } = process;
    const signal = interruptSignal();
    const cloud = await loadCloud({ name: flags.cloud, env, directory: statePaths(env).directory });
    const file = flags['connection-string-file'];
    this.exitStatus = await runFirewall({
      endpoint: await readEndpoint({ name: args.namespace, file, cloud, env, output }),
      network: await networkOptions({ ...flags, keepalive: 'off' }, output),
      ...{ cloud, dns: systemDns(), test: flags.test, output, json: this.jsonEnabled(), signal },
    });
  }
}
