/** Finding plans, apps and slots by the names in a request's path, and what belongs to what. */
import { findByName, type EmulatorState } from '../../state.ts';
import { planIdOf, type AppState, type PlanState, type SiteState, type SlotState } from '../../web-state.ts';
import { notFound } from './web-error.ts';

/** An app, or a slot of it: what hybrid connections are attached to. */
export interface AppResource {
  readonly site: SiteState;
  /** Undefined: the app itself, its production slot. */
  readonly slot: SlotState | undefined;
  /** The slot, or else the site. */
  readonly app: AppState;
  /** The resource id. */
  readonly id: string;
}

type Params = Readonly<Record<string, string>>;

export function findPlan({ plans }: EmulatorState, params: Params): PlanState | undefined {
  return findByName(plans.filter(inGroupOf(params)), params['plan'] ?? '');
}

/** @throws ArmError 404 in App Service's shape. */
export function requirePlan(state: EmulatorState, params: Params): PlanState {
  const plan = findPlan(state, params);
  if (plan === undefined) throw notFound('ServerFarm', params['plan'] ?? '');
  return plan;
}

export function findPlanById({ plans }: EmulatorState, id: string): PlanState | undefined {
  return plans.find((plan) => sameId(planIdOf(plan), id));
}

export function findSite({ sites }: EmulatorState, params: Params): SiteState | undefined {
  return findByName(sites.filter(inGroupOf(params)), params['site'] ?? '');
}

/** The app, or with a `slot` in the path that slot; undefined when it is not there. */
export function findApp(state: EmulatorState, params: Params): AppResource | undefined {
  const site = findSite(state, params);
  if (site === undefined) return undefined;
  if (params['slot'] === undefined) return resourceOf(site);
  const slot = findByName(site.slots, params['slot']);
  return slot && resourceOf(site, slot);
}

/** @throws ArmError 404 in App Service's shape. */
export function requireApp(state: EmulatorState, params: Params): AppResource {
  const found = findApp(state, params);
  if (found !== undefined) return found;
  const { site = '', slot } = params;
  throw notFound('WebSite', slot === undefined ? site : `${site}(${slot})`);
}

export function resourceOf(site: SiteState, slot?: SlotState): AppResource {
  const { subscriptionId, resourceGroup, name } = site;
  const siteId = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites/${name}`;
  return { site, slot, app: slot ?? site, id: slot === undefined ? siteId : `${siteId}/slots/${slot.name}` };
}

/** All apps and slots that run on a plan, of whatever group. */
export function appsOn({ sites }: EmulatorState, plan: PlanState): AppResource[] {
  const all = sites.flatMap((site) => [
    resourceOf(site),
    ...site.slots.map((slot) => resourceOf(site, slot)),
  ]);
  return all.filter(({ app }) => sameId(app.planId, planIdOf(plan)));
}

/** Azure compares ids without case. */
export function sameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Where a new resource goes, in the words of the group: a path may write it in any case. */
export function placeOf(
  { resourceGroups }: EmulatorState,
  params: Params,
): { subscriptionId: string; resourceGroup: string } {
  const { subscriptionId = '', resourceGroup = '' } = params;
  const mine = resourceGroups.filter((group) => sameId(group.subscriptionId, subscriptionId));
  const group = findByName(mine, resourceGroup);
  return {
    subscriptionId: group?.subscriptionId ?? subscriptionId,
    resourceGroup: group?.name ?? resourceGroup,
  };
}

export function inGroupOf({ subscriptionId = '', resourceGroup = '' }: Params) {
  return (item: { subscriptionId: string; resourceGroup: string }) =>
    sameId(item.subscriptionId, subscriptionId) && sameId(item.resourceGroup, resourceGroup);
}
