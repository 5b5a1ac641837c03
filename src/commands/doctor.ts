import { join } from 'node:path';
import { option, string } from '@oclif/core/flags';
import { azureFlags } from '../lib/cli/azure-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { connectionArg, connectionFlags } from '../lib/cli/connection-flags.ts';
import { readDoctorConnections } from '../lib/cli/doctor-connections.ts';
import { interruptSignal } from '../lib/cli/interrupt-signal.ts';
import { managerClient } from '../lib/cli/manager/manager-flags.ts';
import { logFolder, managerFolder } from '../lib/cli/manager/manager-place.ts';
import { networkOptions } from '../lib/cli/network-flags.ts';
import { runDoctor, withBundleName } from '../lib/cli/run-doctor.ts';
import { proxySettingOf, thisMachine } from '../lib/cli/this-machine.ts';
import { systemDns } from '../lib/services/firewall/dns.ts';
import { parseTargetAddress } from '../protocol/target-address.ts';
import { systemClock } from '../tunnel/clock.ts';

export default class Doctor extends BaseCommand {
  static override summary = 'Prove each step from this machine to the target, and name the one that fails.';
  static override description =
    'Clock, DNS, proxy, TCP, TLS, WebSocket, token and rights, the hybrid connection, its listeners, the target, and last a connection through the relay and back. The exit status is that of the first proof that failed. Without CONNECTION it looks at this machine, and has a running manager test all of its connections. A key that may only listen or only send is enough for all but the proofs that it leaves out; two --connection-string-file give both.';
  static override usage = '<%= command.id %> [CONNECTION] [flags]';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-relay/db',
    '<%= config.bin %> <%= command.id %> --connection-string-file listen.txt --side listener',
    '<%= config.bin %> <%= command.id %> my-relay/db --bundle support.zip',
  ];

  static override args = { connection: connectionArg };

  static override flags = {
    ...connectionFlags,
    side: option({
      description:
        'On which side this machine is: its right must be there, and the target is tried on the listener side. Default: what the key may do.',
      options: ['listener', 'sender'] as const,
    })(),
    target: string({
      description: 'Try this target from here. Default: what the hybrid connection says.',
      helpValue: 'HOST:PORT',
    }),
    bundle: string({
      description:
        'Write a zip for support, without secrets; FILE ends in .zip. Default: a new file in this folder.',
      helpValue: '[FILE.zip]',
    }),
    ...azureFlags,
  };

  async run(): Promise<void> {
    this.argv = withBundleName(this.argv, new Date());
    const { args, flags } = await this.parse(Doctor);
    const { output } = this;
    const signal = interruptSignal();
    const target = flags.target === undefined ? undefined : parseTargetAddress(flags.target);
    this.exitStatus = await runDoctor({
      scene: {
        machine: thisMachine(this.config.version, process.env),
        proxySetting: proxySettingOf(flags.proxy, this.argv),
        network: await networkOptions({ ...flags, keepalive: 'off' }, output),
        ...{ clock: systemClock, dns: systemDns(), target, side: flags.side, signal },
        connections: await readDoctorConnections({ flags, name: args.connection, output }),
      },
      ...{ output, json: this.jsonEnabled(), bundle: flags.bundle },
      manager: { client: managerClient(), logFolder: logFolder(process.env) },
      secretFiles: [
        ...(flags['connection-string-file'] ?? []),
        flags['proxy-password-file'] ?? '-',
        join(managerFolder(process.env), 'secrets.json'),
      ],
    });
  }
}
