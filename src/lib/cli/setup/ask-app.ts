/** Which app or slot is to reach the target; or none for now. */
import { HcmError } from '../../../protocol/errors.ts';
import { appName, isFunctionApp, type App } from '../../arm/apps.ts';
import { limitScope, parsePlanId } from '../../arm/plans.ts';
import { look, type Asking } from './asking.ts';
import type { Choice } from './prompts.ts';

/** Undefined: without an app. @throws HcmError HCM_INPUT_NEEDED, HCM_RESOURCE_NOT_FOUND, HCM_PLAN_UNSUPPORTED. */
export async function askApp(asking: Asking): Promise<App | undefined> {
  const { given, reader } = asking;
  if (given.app === false) return undefined;
  if (given.app !== undefined) {
    const app = await look(asking, 'looking for the app', reader.findApp(given.app, given.slot));
    const unfitness = unfit(app);
    const fault =
      unfitness === undefined
        ? await reader.planFault(app)
        : `The app "${appName(app)}" cannot reach it: ${unfitness}.`;
    if (fault === undefined) return app;
    throw new HcmError('HCM_PLAN_UNSUPPORTED', fault, { details: { next: 'hcm app list' } });
  }
  if (given.slot !== undefined) {
    throw new HcmError('HCM_USAGE', '--slot is a slot of an app, and no app is named.', {
      details: { next: 'Add --app NAME' },
    });
  }
  const apps = await look(asking, 'looking for your apps', reader.apps());
  if (apps.length === 0) return withoutApps(asking);
  return chooseApp(asking, apps);
}

async function withoutApps({ prompts, talk }: Asking): Promise<undefined> {
  talk.say(
    'There is no app in this subscription. A connection can be made now and attached to an app later.',
  );
  const goOn = await prompts.yesNo({
    ...{ id: 'no-app', message: 'Go on without an app?', flag: '--no-app', proposal: true },
  });
  if (!goOn) throw new HcmError('HCM_INTERRUPTED', 'No app.');
  return undefined;
}

async function chooseApp(asking: Asking, apps: readonly App[]): Promise<App | undefined> {
  const { prompts, reader, talk } = asking;
  const sorted = [...apps].sort((one, other) => one.name.localeCompare(other.name));
  for (;;) {
    const app = await prompts.search<App | 'none'>({
      ...{
        id: 'app',
        message: 'Which app is to reach it?',
        flag: '--app NAME (or --no-app)',
      },
      choices: [...appChoices(sorted), WITHOUT_APP],
    });
    if (app === 'none') return undefined;
    const fault = await look(asking, `looking at the plan of ${app.name}`, reader.planFault(app));
    if (fault === undefined) return chooseSlot(asking, app);
    talk.warn(fault);
  }
}

const WITHOUT_APP: Choice<'none'> = {
  name: 'none for now',
  value: 'none',
  description: 'Makes the connection alone: for "hcm forward" on another machine, or for an app later.',
};

function appChoices(apps: readonly App[]): Choice<App>[] {
  const width = Math.max(...apps.map(({ name }) => name.length));
  return apps.map((app) => {
    const fault = unfit(app);
    const plan = parsePlanId(app.planId)?.name;
    return {
      name: `${app.name.padEnd(width)}  ${kindOf(app)}`,
      value: app,
      short: app.name,
      description: `Resource group ${app.resourceGroup}, ${app.location}${plan === undefined ? '' : `, plan ${plan}`}`,
      ...(fault === undefined ? {} : { disabled: fault }),
    };
  });
}

/** The app itself when it has no slots. */
async function chooseSlot(asking: Asking, app: App): Promise<App> {
  const slots = await look(asking, `looking for slots of ${app.name}`, asking.reader.slots(app));
  if (slots.length === 0) return app;
  return asking.prompts.select<App>({
    ...{ id: 'slot', message: `Which slot of ${app.name}?`, flag: '--slot NAME', unasked: app },
    choices: [
      { name: 'production', value: app, description: 'The app itself.' },
      ...slots.map((slot) => ({ name: slot.slot ?? '', value: slot, description: appName(slot) })),
    ],
  });
}

/** What no plan can help. */
function unfit(app: App): string | undefined {
  if (app.planId === undefined) return 'what runs in no App Service plan has no hybrid connections';
  if (limitScope(app) === 'none') return `a plan of the tier ${app.tier} has no hybrid connections`;
  return app.windowsContainer ? 'Windows containers have no hybrid connections' : undefined;
}

function kindOf(app: App): string {
  return `${isFunctionApp(app) ? 'Functions app' : 'web app'}${app.linux ? ' on Linux' : ''}`;
}
