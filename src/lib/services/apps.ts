/** Apps and slots with the hybrid connections attached to them, as commands show them and as keys are moved. */
import { HcmError } from '../../protocol/errors.ts';
import { findApp, listApps, listSlots, type App } from '../arm/apps.ts';
import type { Azure } from '../arm/azure.ts';
import { getPlanRelayKey, limitScope, parsePlanId } from '../arm/plans.ts';
import { sameId } from '../arm/references.ts';
import { isSameRelay, listSiteRelays, type SiteRelay } from '../arm/site-relays.ts';
import { mapAtMost } from './parallel.ts';

export interface AppConnections {
  readonly app: App;
  readonly connections: readonly SiteRelay[];
}

/** An app that uses one hybrid connection. */
export interface Attachment {
  readonly app: App;
  readonly relay: SiteRelay;
}

/** Requests in flight when many apps are asked: quick, and far from what ARM throttles. */
const CALLS_AT_ONCE = 8;

export interface AppFilter {
  resourceGroup?: string | undefined;
  planId?: string | undefined;
  /** Only connections of this namespace (its name or its host), and only apps that have such. */
  namespace?: string | undefined;
}

/** The apps of a subscription, each followed by its slots, with what is attached. */
export async function listAppConnections(azure: Azure, filter: AppFilter = {}): Promise<AppConnections[]> {
  const { planId } = filter;
  const apps = (await listApps(azure, filter.resourceGroup)).filter(
    (app) => planId === undefined || (app.planId !== undefined && sameId(app.planId, planId)),
  );
  const nested = await mapAtMost(CALLS_AT_ONCE, apps, async (app) => {
    if (!mayHaveConnections(app)) return [{ app, connections: [] }];
    const all = [app, ...(await listSlots(azure, app))];
    return mapAtMost(1, all, async (one) => ({ app: one, connections: await listSiteRelays(azure, one) }));
  });
  const all = nested.flat();
  if (filter.namespace === undefined) return all;
  const [wanted] = filter.namespace.toLowerCase().split(/[.:]/, 1);
  return all
    .map(({ app, connections }) => ({
      app,
      connections: connections.filter(({ namespace }) => namespace.toLowerCase() === wanted),
    }))
    .filter(({ connections }) => connections.length > 0);
}

/** False for what runs in no plan or in one of a tier without hybrid connections: Azure need not be asked. */
function mayHaveConnections({ planId, tier }: App): boolean {
  return planId !== undefined && limitScope({ tier }) !== 'none';
}

/** The app or slot that was named, with what is attached. @throws HcmError as `findApp`. */
export async function readAppConnections(
  azure: Azure,
  name: string,
  where: { resourceGroup?: string | undefined; slot?: string | undefined },
): Promise<AppConnections> {
  const app = await findApp(azure, name, where);
  return { app, connections: await listSiteRelays(azure.in(app.subscriptionId), app) };
}

/** Every app and slot of the subscription that uses this hybrid connection. */
export async function findAttachments(
  azure: Azure,
  connection: { readonly name: string; readonly connection: string },
): Promise<Attachment[]> {
  const wanted = { namespace: connection.name, connection: connection.connection };
  return (await listAppConnections(azure)).flatMap(({ app, connections }) =>
    connections.filter((relay) => isSameRelay(relay, wanted)).map((relay) => ({ app, relay })),
  );
}

/**
 * The send key that an app has, by the view of its plan; undefined when that view may not be read or has none, since
 * an app needs no right on its plan.
 */
export async function readSendKey(
  azure: Azure,
  { app, relay }: Attachment,
): Promise<{ keyName: string; key: string } | undefined> {
  const plan = parsePlanId(app.planId);
  if (plan === undefined) return undefined;
  try {
    return await getPlanRelayKey(azure.in(plan.subscriptionId), plan, relay);
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_AZURE_FORBIDDEN') return undefined;
    throw error;
  }
}
