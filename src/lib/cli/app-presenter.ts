/** Apps, plans and what is attached to them, for people and as JSON. */
import { formatTarget } from '../../protocol/target.ts';
import { appName, isFunctionApp, type App } from '../arm/apps.ts';
import { parsePlanId } from '../arm/plans.ts';
import type { SiteRelay } from '../arm/site-relays.ts';
import type { AppConnections } from '../services/apps.ts';
import type { AttachResult, DetachResult } from '../services/attach.ts';
import { planTier, type PlanReport } from '../services/plans.ts';
import type { Output } from './output.ts';
import { printFields, printTable } from './table.ts';

export function appJson(app: App): Record<string, unknown> {
  const { name, slot, subscriptionId, resourceGroup, kind, location, planId } = app;
  return { name, slot, subscriptionId, resourceGroup, kind, location, plan: parsePlanId(planId)?.name };
}

export function relayJson(relay: SiteRelay): Record<string, unknown> {
  const { namespace, connection, target, keyName, relayId } = relay;
  return { namespace, connection, target: formatTarget(target), rule: keyName, id: relayId };
}

export function appConnectionsJson({ app, connections }: AppConnections): Record<string, unknown> {
  return { ...appJson(app), connections: connections.map(relayJson) };
}

/** A line for each connection, and one for each app without any. */
export function printApps(output: Output, apps: readonly AppConnections[]): void {
  const rows = apps.flatMap<{ app: App; relay: SiteRelay | undefined }>(({ app, connections }) =>
    connections.length === 0 ? [{ app, relay: undefined }] : connections.map((relay) => ({ app, relay })),
  );
  printTable(
    output,
    [
      { title: 'APP', value: ({ app }) => app.name },
      { title: 'SLOT', value: ({ app }) => app.slot },
      { title: 'KIND', value: ({ app }) => kindOf(app) },
      { title: 'PLAN', value: ({ app }) => parsePlanId(app.planId)?.name },
      { title: 'RESOURCE GROUP', value: ({ app }) => app.resourceGroup },
      { title: 'CONNECTION', value: ({ relay }) => relay && relayName(relay) },
      { title: 'TARGET', value: ({ relay }) => relay && formatTarget(relay.target) },
    ],
    rows,
    'No app.',
  );
}

export function printAttached(output: Output, { changed, app, relay, ...rest }: AttachResult): void {
  const name = relayName(relay);
  const facts = `${formatTarget(relay.target)}, rule ${relay.keyName}`;
  output.answer(
    changed
      ? `Attached ${name} to ${appName(app)}: ${facts}`
      : `${name} is attached to ${appName(app)} already: ${facts}`,
  );
  for (const warning of rest.warnings) output.warn(warning);
  if (rest.listenerCount === 0) output.next(`hcm listen ${name}`, 'No listener is online. ');
}

export function printDetached(output: Output, { changed, app, relay }: DetachResult): void {
  output.answer(
    changed
      ? `Detached ${relayName(relay)} from ${appName(app)}`
      : `${relayName(relay)} is not attached to ${appName(app)}`,
  );
}

export function planJson({ plan, scope, maximum, used, connections, apps }: PlanReport) {
  const { name, subscriptionId, resourceGroup, location, kind, sku, tier } = plan;
  return {
    ...{ name, subscriptionId, resourceGroup, location, kind, sku, tier },
    limit: { scope, maximum, used },
    connections: connections.map((relay) => ({ ...relayJson(relay), apps: usersOf(relay, apps) })),
    apps: apps.map(({ app }) => appName(app)),
  };
}

export function printPlan(output: Output, report: PlanReport): void {
  const { plan, connections, apps } = report;
  printFields(output, [
    ['plan', plan.name],
    ['resource group', plan.resourceGroup],
    ['location', plan.location],
    ['tier', planTier(plan)],
    ['hybrid connections', limitText(report)],
    ['apps', apps.map(({ app }) => appName(app))],
  ]);
  if (connections.length === 0) return;
  output.answer('');
  printTable(
    output,
    [
      { title: 'CONNECTION', value: relayName },
      { title: 'TARGET', value: ({ target }) => formatTarget(target) },
      { title: 'APPS', value: (relay) => usersOf(relay, apps).join(', ') },
    ],
    connections,
  );
}

function limitText({ plan, scope, maximum, used }: PlanReport): string {
  switch (scope) {
    case 'none':
      return `none: ${plan.tier} has no hybrid connections`;
    case 'plan':
      return `${used} of ${maximum}, for all apps together`;
    case 'app':
      return `${used} of ${maximum}, for each app; the one with the most counts`;
  }
}

function usersOf(relay: SiteRelay, apps: readonly AppConnections[]): string[] {
  const name = relayName(relay).toLowerCase();
  return apps
    .filter(({ connections }) => connections.some((one) => relayName(one).toLowerCase() === name))
    .map(({ app }) => appName(app));
}

/** `app`, `function linux`. */
function kindOf(app: App): string {
  return `${isFunctionApp(app) ? 'function' : 'app'}${app.linux ? ' linux' : ''}`;
}

function relayName({ namespace, connection }: Pick<SiteRelay, 'namespace' | 'connection'>): string {
  return `${namespace}/${connection}`;
}
