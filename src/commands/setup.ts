import { boolean, string } from '@oclif/core/flags';
import { HcmError } from '../protocol/errors.ts';
import { azureFlags } from '../lib/cli/azure-flags.ts';
import { BaseCommand } from '../lib/cli/base-command.ts';
import { yesFlag } from '../lib/cli/confirm.ts';
import { graceFlags } from '../lib/cli/grace-flag.ts';
import { targetFlag, timeoutFlag } from '../lib/cli/relay-arguments.ts';
import { runSetup } from '../lib/cli/setup/run-setup.ts';

export default class Setup extends BaseCommand {
  static override summary = 'Set all of it up, step by step: from nothing to an app that reaches a target.';
  static override description = [
    'Asks for what no flag answers: how to sign in, the subscription, the app, the target, the namespace, the name of the',
    'hybrid connection. Shows what it will do, and the commands that do the same, before it does anything. At the end',
    'it listens here, or prints what to run on the other machine.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --app my-app --target db.corp.local:5432',
    '<%= config.bin %> <%= command.id %> --app my-app --target db.corp.local:5432 --namespace my-relay --no-listen --yes',
  ];

  static override flags = {
    app: string({
      description: 'App or Functions app, by name or resource id.',
      helpValue: 'APP',
      exclusive: ['no-app'],
    }),
    'no-app': boolean({ description: 'Make the connection alone.' }),
    slot: string({ description: 'Slot of the app.', helpValue: 'NAME' }),
    target: targetFlag(),
    namespace: string({
      description: 'Namespace; made when it is not there.',
      helpValue: 'NAME',
    }),
    location: string({
      char: 'l',
      description: 'Location of a new namespace, such as westeurope. Default: that of the resource group.',
      helpValue: 'NAME',
    }),
    connection: string({
      aliases: ['name'],
      description: 'Name of the hybrid connection. Default: after the target.',
      helpValue: 'NAME',
    }),
    listen: boolean({ description: 'Listen here at the end.', exclusive: ['no-listen'] }),
    'no-listen': boolean({
      description: 'Print what to run on the other machine. Default where nobody is asked.',
    }),
    yes: { ...yesFlag, description: 'Take what is proposed, and do it without asking.' },
    timeout: timeoutFlag,
    ...graceFlags,
    ...azureFlags,
    'resource-group': {
      ...azureFlags['resource-group'],
      description: 'Resource group of a new namespace; made when it is not there.',
    },
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Setup);
    const json = this.jsonEnabled();
    if (json && flags.listen) {
      throw new HcmError('HCM_USAGE', 'With --json the wizard gives one document, so it does not listen.', {
        details: { next: 'Leave --listen out, and run hcm listen CONNECTION --json afterwards' },
      });
    }
    const { slot, target, namespace, location, connection, yes } = flags;
    this.exitStatus = await runSetup({
      ...{ flags, yes, json, output: this.output },
      given: {
        ...{ slot, target, namespace, location, connection },
        app: flags['no-app'] ? false : flags.app,
        listen: flags.listen ? true : flags['no-listen'] ? false : undefined,
        resourceGroup: flags['resource-group'],
      },
      ...{ timeoutMs: flags.timeout, graceMs: flags['grace-period'] },
    });
  }
}
