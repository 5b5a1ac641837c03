import { string as stringArg } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { planJson, printPlan } from '../../lib/cli/app-presenter.ts';
import { azureFlags } from '../../lib/cli/azure-flags.ts';
import { interruptSignal, openAzureFor } from '../../lib/cli/azure-session.ts';
import { BaseCommand } from '../../lib/cli/base-command.ts';
import { showPlan } from '../../lib/services/plans.ts';
import { HcmError } from '../../protocol/errors.ts';

export default class PlanShow extends BaseCommand {
  static override summary = 'Show how many hybrid connections an App Service plan takes, and which it has.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> my-plan',
    '<%= config.bin %> <%= command.id %> --app my-app',
  ];

  static override args = {
    plan: stringArg({ name: 'PLAN', description: 'Plan, by name or resource id.', ignoreStdin: true }),
  };

  static override flags = {
    app: string({ description: 'The plan of this app.', helpValue: 'APP' }),
    ...azureFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PlanShow);
    const { output } = this;
    if ((args.plan === undefined) === (flags.app === undefined)) {
      throw new HcmError('HCM_USAGE', 'Which plan? Name it, or an app that runs in it.', {
        details: { next: 'hcm plan show PLAN, or hcm plan show --app APP' },
      });
    }
    const azure = await openAzureFor({ flags, output, signal: interruptSignal() });
    const asked = { plan: args.plan, app: flags.app, resourceGroup: flags['resource-group'] };
    const report = await showPlan(azure, asked);
    if (this.jsonEnabled()) output.json(planJson(report));
    else printPlan(output, report);
  }
}
