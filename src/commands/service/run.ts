import { boolean, integer, option, string } from '@oclif/core/flags';
import { join } from 'node:path';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { EventPresenter } from '../../lib/cli/event-presenter.ts';
import { graceFlags } from '../../lib/cli/grace-flag.ts';
import { runManager } from '../../lib/cli/manager/run-manager.ts';
import { SECRET_CHOICES } from '../../lib/cli/manager/secret-choice.ts';
import { networkFlags, networkOptions } from '../../lib/cli/network-flags.ts';
import { proxySettingOf } from '../../lib/cli/this-machine.ts';

export default class ServiceRun extends BaseCommand {
  static override summary =
    'Run the manager: all connections of hcm.yaml and of hcm add, for as long as it takes.';
  static override description =
    'Each connection is supervised by itself and comes back by itself. An edited file changes only what differs; a broken one changes nothing and is told. hcm list, show, add, remove, restart, test, status, logs and dashboard ask it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --file /etc/hcm/hcm.yaml --json',
  ];
  static override longRunning = true;

  static override flags = {
    file: string({
      char: 'f',
      description: 'Follow section manager of this file, too.',
      helpValue: 'hcm.yaml',
      env: 'HCM_MANAGER_FILE',
    }),
    'http-port': integer({
      description: 'Port of its web server on 127.0.0.1: page, health, metrics. 0 is any free one.',
      helpValue: 'N',
      default: 0,
      min: 0,
      max: 65_535,
      env: 'HCM_HTTP_PORT',
    }),
    'no-http': boolean({ description: 'No web server.' }),
    secrets: option({
      description: 'Where keys of hcm add are kept: keychain, file, or auto, the keychain where it works.',
      options: SECRET_CHOICES,
      default: 'auto',
      env: 'HCM_SECRETS',
    })(),
    ...graceFlags,
    ...azureFlags,
    ...networkFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ServiceRun);
    const { output } = this;
    this.exitStatus = await runManager({
      version: this.config.version,
      file: flags.file,
      flags: { ...flags, entra: false },
      network: await networkOptions(flags, output),
      output,
      events: new EventPresenter(output, this.jsonEnabled()),
      graceMs: flags['grace-period'],
      secrets: flags.secrets,
      proxySetting: proxySettingOf(flags.proxy, this.argv),
      web: flags['no-http']
        ? undefined
        : { port: flags['http-port'], folder: join(this.config.root, 'dist', 'dashboard') },
    });
  }
}
