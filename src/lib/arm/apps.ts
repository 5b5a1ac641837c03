/**
 * App Service and Functions apps, and their slots: found, listed, read. What is attached to them is in site-relays.ts.
 * Functions apps are sites too: the same calls, told apart by `kind`.
 */
import type { Site } from '@azure/arm-appservice';
import { HcmError } from '../../protocol/errors.ts';
import type { Azure } from './azure.ts';
import { parseResourceId } from './references.ts';
import { callWeb, collect, orGone } from './web-call.ts';

export interface AppRef {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
  /** Undefined: the app itself, which Azure calls its production slot. */
  readonly slot?: string;
}

export interface App extends AppRef {
  /** As Azure has it: `app`, `app,linux`, `functionapp,linux`, `app,container,windows`. */
  readonly kind: string;
  readonly location: string;
  /** Undefined for what runs in no plan, such as container apps. */
  readonly planId: string | undefined;
  /** Of the plan, as the app itself tells it: `Standard`, `Dynamic`; '' where it does not. */
  readonly tier: string;
  readonly linux: boolean;
  /** A Windows container, which hybrid connections do not reach. */
  readonly windowsContainer: boolean;
}

/** `local-app`, or `local-app (slot staging)`, as people read it. */
export function appName({ name, slot }: Pick<AppRef, 'name' | 'slot'>): string {
  return slot === undefined ? name : `${name} (slot ${slot})`;
}

export function isFunctionApp({ kind }: Pick<App, 'kind'>): boolean {
  return /functionapp/i.test(kind);
}

/** The apps of the subscription or of one group, without their slots. */
export async function listApps(azure: Azure, resourceGroup?: string): Promise<App[]> {
  const about = resourceGroup === undefined ? 'the apps' : `the apps of resource group "${resourceGroup}"`;
  const sites = await callWeb(azure, about, ({ webApps }) =>
    collect(resourceGroup === undefined ? webApps.list() : webApps.listByResourceGroup(resourceGroup)),
  );
  return sites.map((site) => toApp(site)).filter(({ slot }) => slot === undefined);
}

export async function listSlots(azure: Azure, app: AppRef): Promise<App[]> {
  const slots = await callWeb(azure, `the slots of the app "${app.name}"`, ({ webApps }) =>
    collect(webApps.listSlots(app.resourceGroup, app.name)),
  );
  return slots.map((site) => toApp(site));
}

/**
 * The app by its name (without regard to case, anywhere in the subscription) or its resource id, then its slot.
 * @throws HcmError HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_AMBIGUOUS, and what the calls give.
 */
export async function findApp(
  azure: Azure,
  name: string,
  where: { resourceGroup?: string | undefined; slot?: string | undefined } = {},
): Promise<App> {
  const id = parseResourceId(name);
  const [idName = '', idSlot] = id?.names ?? [];
  const slot = where.slot ?? idSlot;
  const ref =
    id === undefined
      ? await findByName(azure, name, where.resourceGroup)
      : { subscriptionId: id.subscriptionId, resourceGroup: id.resourceGroup, name: idName };
  const there = azure.in(ref.subscriptionId);
  // Slots have the name "production" for the app itself.
  if (slot === undefined || slot.toLowerCase() === 'production')
    return 'kind' in ref ? ref : getApp(there, ref);
  return getApp(there, { ...ref, slot });
}

async function findByName(azure: Azure, name: string, resourceGroup: string | undefined): Promise<App> {
  const wanted = name.toLowerCase();
  const found = (await listApps(azure, resourceGroup)).filter((app) => app.name.toLowerCase() === wanted);
  const [app] = found;
  if (app === undefined) throw noApp({ name }, resourceGroup);
  if (found.length === 1) return app;
  const groups = found.map((one) => one.resourceGroup).join(', ');
  throw new HcmError(
    'HCM_RESOURCE_AMBIGUOUS',
    `There are ${found.length} apps "${name}", in the resource groups ${groups}.`,
  );
}

/** Rejects with HCM_RESOURCE_NOT_FOUND when there is no such app or slot. */
export async function getApp(azure: Azure, ref: AppRef): Promise<App> {
  const { resourceGroup, name, slot } = ref;
  const site = await orGone(
    callWeb(azure, `the app "${appName(ref)}"`, ({ webApps }) =>
      slot === undefined ? webApps.get(resourceGroup, name) : webApps.getSlot(resourceGroup, name, slot),
    ),
  );
  if (site === undefined) throw noApp(ref, resourceGroup);
  return toApp(site);
}

function noApp({ name, slot }: Pick<AppRef, 'name' | 'slot'>, resourceGroup: string | undefined): HcmError {
  const what = slot === undefined ? `app "${name}"` : `slot "${slot}" of the app "${name}"`;
  const where = resourceGroup === undefined ? 'this subscription' : `resource group "${resourceGroup}"`;
  return new HcmError('HCM_RESOURCE_NOT_FOUND', `There is no ${what} in ${where}.`, {
    details: { next: 'hcm app list' },
  });
}

function toApp(site: Site): App {
  const id = parseResourceId(site.id ?? '');
  const [name = site.name ?? '', slot] = id?.names ?? [];
  const kind = site.kind ?? 'app';
  const container = site.isXenon === true || site.hyperV === true;
  return {
    subscriptionId: id?.subscriptionId ?? '',
    resourceGroup: id?.resourceGroup ?? '',
    name,
    ...(slot === undefined ? {} : { slot }),
    kind,
    location: site.location,
    planId: site.serverFarmId || undefined,
    tier: site.sku ?? '',
    linux: site.reserved === true || /\blinux\b/i.test(kind),
    windowsContainer: container || /\bcontainer,windows\b/i.test(kind),
  };
}
