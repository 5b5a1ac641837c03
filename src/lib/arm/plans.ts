/**
 * App Service plans: their SKU, how many hybrid connections they take, and the plan's own view of what its apps have
 * attached. That view alone gives send keys back.
 */
import type { AppServicePlan } from '@azure/arm-appservice';
import { HcmError } from '../../protocol/errors.ts';
import type { Azure } from './azure.ts';
import { parseResourceId } from './references.ts';
import { toSiteRelay, type SiteRelay } from './site-relays.ts';
import { callWeb, collect, orGone } from './web-call.ts';

export interface PlanRef {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

export interface Plan extends PlanRef {
  readonly location: string;
  readonly kind: string;
  /** `S1`. */
  readonly sku: string;
  /** `Standard`. */
  readonly tier: string;
}

/** Basic and Standard count each connection once for all apps of the plan; the larger ones count for each app. */
export type LimitScope = 'plan' | 'app' | 'none';

/** Tiers without hybrid connections. */
const WITHOUT = /^(?:free|shared|dynamic|flexconsumption)$/i;
const PER_PLAN = /^(?:basic|standard)$/i;

/** How a tier counts hybrid connections ("App Service Hybrid Connections", learn.microsoft.com, 2025-05-06). */
export function limitScope({ tier }: { readonly tier: string }): LimitScope {
  if (WITHOUT.test(tier)) return 'none';
  return PER_PLAN.test(tier) ? 'plan' : 'app';
}

/** The plan by its name, anywhere in the subscription, or its resource id. @throws HcmError as `findApp` in apps.ts. */
export async function findPlan(azure: Azure, name: string, resourceGroup?: string): Promise<Plan> {
  const id = parsePlanId(name);
  if (id !== undefined) return getPlan(azure, id);
  const wanted = name.toLowerCase();
  const about = resourceGroup === undefined ? 'the plans' : `the plans of resource group "${resourceGroup}"`;
  const plans = await callWeb(azure, about, ({ appServicePlans }) =>
    collect(
      resourceGroup === undefined
        ? appServicePlans.list()
        : appServicePlans.listByResourceGroup(resourceGroup),
    ),
  );
  const found = plans.map(toPlan).filter((plan) => plan.name.toLowerCase() === wanted);
  const [plan] = found;
  if (plan === undefined) throw noPlan(name);
  if (found.length === 1) return plan;
  const groups = found.map((one) => one.resourceGroup).join(', ');
  throw new HcmError(
    'HCM_RESOURCE_AMBIGUOUS',
    `There are ${found.length} plans "${name}", in the resource groups ${groups}.`,
  );
}

/** What an app's `planId` names; undefined for none. */
export function parsePlanId(planId: string | undefined): PlanRef | undefined {
  const id = planId === undefined ? undefined : parseResourceId(planId);
  const [name] = id?.names ?? [];
  if (id === undefined || name === undefined) return undefined;
  return { subscriptionId: id.subscriptionId, resourceGroup: id.resourceGroup, name };
}

/** Rejects with HCM_RESOURCE_NOT_FOUND when there is no such plan. */
export async function getPlan(azure: Azure, ref: PlanRef): Promise<Plan> {
  const { resourceGroup, name } = ref;
  const plan = await orGone(
    callWeb(azure.in(ref.subscriptionId), `the plan "${name}"`, ({ appServicePlans }) =>
      appServicePlans.get(resourceGroup, name),
    ),
  );
  if (plan === undefined) throw noPlan(name);
  return toPlan(plan);
}

/** How many hybrid connections the plan has and may have, as App Service itself counts. */
export async function getPlanLimit(
  azure: Azure,
  plan: PlanRef,
): Promise<{ current: number; maximum: number }> {
  const { resourceGroup, name } = plan;
  const limit = await callWeb(azure, `the limit of the plan "${name}"`, ({ appServicePlans }) =>
    appServicePlans.getHybridConnectionPlanLimit(resourceGroup, name),
  );
  return { current: limit.current ?? 0, maximum: limit.maximum ?? 0 };
}

/** What the apps of the plan have attached, each connection once. */
export async function listPlanRelays(azure: Azure, plan: PlanRef): Promise<SiteRelay[]> {
  const { resourceGroup, name } = plan;
  const about = `the hybrid connections of the plan "${name}"`;
  const relays = await callWeb(azure, about, ({ appServicePlans }) =>
    collect(appServicePlans.listHybridConnections(resourceGroup, name)),
  );
  return relays.map(toSiteRelay);
}

/** The key with which the plan's apps send. Undefined when the connection is not attached in this plan. */
export async function getPlanRelayKey(
  azure: Azure,
  plan: PlanRef,
  { namespace, connection }: Pick<SiteRelay, 'namespace' | 'connection'>,
): Promise<{ keyName: string; key: string } | undefined> {
  const about = `the send key of "${namespace}/${connection}" in the plan "${plan.name}"`;
  const keys = await orGone(
    callWeb(azure, about, ({ appServicePlans }) =>
      appServicePlans.listHybridConnectionKeys(plan.resourceGroup, plan.name, namespace, connection),
    ),
  );
  return keys && { keyName: keys.sendKeyName ?? '', key: keys.sendKeyValue ?? '' };
}

function toPlan(plan: AppServicePlan): Plan {
  const id = parseResourceId(plan.id ?? '');
  return {
    subscriptionId: id?.subscriptionId ?? '',
    resourceGroup: id?.resourceGroup ?? '',
    name: id?.names[0] ?? plan.name ?? '',
    location: plan.location,
    kind: plan.kind ?? '',
    sku: plan.sku?.name ?? '',
    tier: plan.sku?.tier ?? '',
  };
}

function noPlan(name: string): HcmError {
  return new HcmError(
    'HCM_RESOURCE_NOT_FOUND',
    `There is no App Service plan "${name}" in this subscription.`,
    {
      details: { next: 'hcm app list' },
    },
  );
}
