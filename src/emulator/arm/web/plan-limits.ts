/** How many hybrid connections a plan has and may have, and whether one more may be attached. */
import type { EmulatorState } from '../../state.ts';
import type { PlanState, SiteRelayState } from '../../web-state.ts';
import { appsOn, findPlanById, type AppResource } from './app-resource.ts';
import { tierOf } from './skus.ts';
import { connectionsExceeded } from './web-error.ts';

/** Names of one hybrid connection, whoever uses it. */
export function sameRelay(
  one: Pick<SiteRelayState, 'namespace' | 'name'>,
  other: Pick<SiteRelayState, 'namespace' | 'name'>,
): boolean {
  return keyOf(one) === keyOf(other);
}

/** The hybrid connections of a plan, each once, however many of its apps use it. */
export function relaysOf(state: EmulatorState, plan: PlanState): SiteRelayState[] {
  const all = appsOn(state, plan).flatMap(({ app }) => app.relays);
  return all.filter((relay, at) => all.findIndex((other) => sameRelay(relay, other)) === at);
}

/** What `hybridConnectionPlanLimits` answers. Where the limit is one for each app, it is that. */
export function planUse(state: EmulatorState, plan: PlanState): { current: number; maximum: number } {
  return { current: relaysOf(state, plan).length, maximum: limitsOf(plan).maximum };
}

/**
 * May one more be attached to this app? Where the plan's connections are counted, App Service asks only whether the
 * plan is full: then one that other apps of the plan have already, and that would not raise the count, is refused as
 * well (azure-cli#30190).
 * @throws ArmError 400 when it is full; Free, Shared and Consumption plans are full at 0.
 */
export function checkRoom(state: EmulatorState, { app }: AppResource): void {
  const plan = findPlanById(state, app.planId);
  const { maximum, per } = limitsOf(plan);
  const current = per === 'app' || plan === undefined ? app.relays.length : relaysOf(state, plan).length;
  if (current >= maximum) throw connectionsExceeded(maximum);
}

function limitsOf(plan: PlanState | undefined): { maximum: number; per: 'plan' | 'app' } {
  return tierOf(plan?.sku.name ?? '')?.hybridConnections ?? { maximum: 0, per: 'plan' };
}

function keyOf({ namespace, name }: Pick<SiteRelayState, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`.toLowerCase();
}
