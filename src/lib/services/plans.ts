/**
 * How many hybrid connections a plan takes, and whether one more fits. Azure's limits by tier: "App Service Hybrid
 * Connections", learn.microsoft.com, 2025-05-06. The plan's own count is asked for where there is one.
 */
import { HcmError } from '../../protocol/errors.ts';
import { findApp, type App } from '../arm/apps.ts';
import type { Azure } from '../arm/azure.ts';
import {
  findPlan,
  getPlan,
  getPlanLimit,
  limitScope,
  listPlanRelays,
  parsePlanId,
  type LimitScope,
  type Plan,
  type PlanRef,
} from '../arm/plans.ts';
import { isSameRelay, type SiteRelay } from '../arm/site-relays.ts';
import { listAppConnections, type AppConnections } from './apps.ts';

const PREMIUM_PER_APP = 220;
export interface PlanReport {
  readonly plan: Plan;
  readonly scope: LimitScope;
  readonly maximum: number;
  /** Connections that count towards `maximum`; by app where `scope` says so, and then the highest of them. */
  readonly used: number;
  readonly connections: readonly SiteRelay[];
  readonly apps: readonly AppConnections[];
}

/** The plan by its name, or the plan of an app, with its limit and all that uses it. */
export async function showPlan(
  azure: Azure,
  asked: { plan?: string | undefined; app?: string | undefined; resourceGroup?: string | undefined },
): Promise<PlanReport> {
  const plan = await findAskedPlan(azure, asked);
  const scope = limitScope(plan);
  const there = azure.in(plan.subscriptionId);
  const planId = planIdOf(plan);
  if (scope === 'none') {
    return {
      plan,
      scope,
      maximum: 0,
      used: 0,
      connections: [],
      apps: await listAppConnections(there, { planId }),
    };
  }
  const [limit, connections, apps] = await Promise.all([
    scope === 'plan' ? getPlanLimit(there, plan) : undefined,
    listPlanRelays(there, plan),
    listAppConnections(there, { planId }),
  ]);
  if (limit !== undefined)
    return { plan, scope, maximum: limit.maximum, used: limit.current, connections, apps };
  const used = Math.max(0, ...apps.map((app) => app.connections.length));
  return { plan, scope, maximum: PREMIUM_PER_APP, used, connections, apps };
}

async function findAskedPlan(
  azure: Azure,
  { plan, app, resourceGroup }: Parameters<typeof showPlan>[1],
): Promise<Plan> {
  if (plan !== undefined) return findPlan(azure, plan, resourceGroup);
  const found = await findApp(azure, app ?? '', { resourceGroup });
  return getPlan(azure, planRefOf(found));
}

/** @throws HcmError HCM_PLAN_UNSUPPORTED for what runs in no plan. */
function planRefOf(app: App): PlanRef {
  const ref = parsePlanId(app.planId);
  if (ref !== undefined) return ref;
  throw new HcmError('HCM_PLAN_UNSUPPORTED', `The app "${app.name}" runs in no App Service plan.`, {
    details: { next: 'hcm app list' },
  });
}

/**
 * Resolves when one more connection fits; a plan that may not be read is left to Azure, and a report says so.
 * @throws HcmError HCM_PLAN_UNSUPPORTED, HCM_PLAN_LIMIT, naming the plan, its limit and what takes it up.
 */
export async function checkPlanLimit(azure: Azure, asked: LimitQuestion): Promise<void> {
  const ref = planRefOf(asked.app);
  try {
    await checkRoom(azure.in(ref.subscriptionId), ref, asked);
  } catch (error) {
    if (!(error instanceof HcmError) || error.code !== 'HCM_AZURE_FORBIDDEN') throw error;
    azure.report(`you may not read the plan "${ref.name}", so its limit is not checked`);
  }
}

export interface LimitQuestion {
  readonly app: App;
  readonly relay: Pick<SiteRelay, 'namespace' | 'connection'>;
  /** How many the app has now. */
  readonly attached: number;
}

async function checkRoom(azure: Azure, ref: PlanRef, { app, relay, attached }: LimitQuestion): Promise<void> {
  const plan = await getPlan(azure, ref);
  const scope = limitScope(plan);
  if (scope === 'none') throw unsupported(plan);
  if (scope === 'app') {
    if (attached >= PREMIUM_PER_APP) throw appIsFull(app, plan);
    return;
  }
  const [{ current, maximum }, relays] = await Promise.all([
    getPlanLimit(azure, plan),
    listPlanRelays(azure, plan),
  ]);
  // The same connection in a second app of the plan takes no second place.
  if (current < maximum || relays.some((one) => isSameRelay(one, relay))) return;
  throw planIsFull(plan, maximum, relays);
}

/**
 * Azure's own refusal, with what it does not say: it may come for a connection that the plan has already, which would
 * take no place (azure-cli#30190). Any other error comes back as it is.
 */
export function explainPlanRefusal(error: unknown, { app, relay }: LimitQuestion): unknown {
  if (!(error instanceof HcmError) || error.code !== 'HCM_PLAN_LIMIT') return error;
  const plan = parsePlanId(app.planId)?.name ?? '';
  const name = `${relay.namespace}/${relay.connection}`;
  const message = `${error.message} App Service says so of a full plan even when "${name}" is among its connections: detach another one first, and attach that again afterwards.`;
  return new HcmError(error.code, message, {
    details: { ...error.details, next: `hcm plan show ${plan}` },
    cause: error,
  });
}

function unsupported(plan: Plan): HcmError {
  return new HcmError(
    'HCM_PLAN_UNSUPPORTED',
    `The plan "${plan.name}" is ${planTier(plan)}, which has no hybrid connections: Basic or better has.`,
    {
      details: {
        next: `az appservice plan update --name ${plan.name} --resource-group ${plan.resourceGroup} --sku B1`,
      },
    },
  );
}

function planIsFull(plan: Plan, maximum: number, relays: readonly SiteRelay[]): HcmError {
  const names = relays.map(({ namespace, connection }) => `${namespace}/${connection}`).join(', ');
  return new HcmError(
    'HCM_PLAN_LIMIT',
    `The plan "${plan.name}" (${planTier(plan)}) takes ${maximum} hybrid connections and has them: ${names}.`,
    { details: { next: `hcm plan show ${plan.name}` } },
  );
}

function appIsFull({ name }: App, plan: Plan): HcmError {
  return new HcmError(
    'HCM_PLAN_LIMIT',
    `The app "${name}" has ${PREMIUM_PER_APP} hybrid connections, and its plan (${planTier(plan)}) allows no more for one app.`,
    { details: { next: `hcm plan show ${plan.name}` } },
  );
}

/** `Standard, S1`. */
export function planTier({ tier, sku }: Plan): string {
  return `${tier}, ${sku}`;
}

function planIdOf({ subscriptionId, resourceGroup, name }: PlanRef): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/serverfarms/${name}`;
}
