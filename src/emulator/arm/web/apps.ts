/** Apps and their slots: listed, made, changed, deleted, started and stopped. Function apps are apps of another kind. */
import { createApp, planIdOf, type AppState, type PlanState, type SiteState } from '../../web-state.ts';
import { ArmError, GATEWAY, resourceNotFound } from '../arm-error.ts';
import { booleanIn, recordIn, tagsIn, textIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import { locationDisplayName } from '../locations.ts';
import { requireLocation } from '../resource-location.ts';
import type { ArmAnswer, ArmRequest, ArmRoute } from '../router.ts';
import { appBody } from './app-body.ts';
import {
  appsOn,
  findApp,
  findPlanById,
  findSite,
  inGroupOf,
  placeOf,
  requireApp,
  resourceOf,
  sameId,
  type AppResource,
} from './app-resource.ts';
import { addDefaultPlan } from './plans.ts';
import { tierOf } from './skus.ts';
import { invalidParameter, notFound, siteExists, slotsExceeded } from './web-error.ts';
import { APP_PATTERNS, etagOf, GROUP, listOf, ok, SUBSCRIPTION } from './web-request.ts';
import { mergeWebConfig } from './web-config.ts';

/** App Service's rule for the names of apps, which are hosts. */
const SITE_NAME = /^[0-9a-z](?:[0-9a-z-]{0,58}[0-9a-z])?$/i;

export function appRoutes(context: ArmContext): ArmRoute[] {
  const { state } = context;
  const [site, slot] = APP_PATTERNS;
  return [
    {
      method: 'GET',
      pattern: `${SUBSCRIPTION}/sites`,
      handle: ({ params: { subscriptionId = '' } }) =>
        listApps(
          context,
          state.sites.filter((item) => sameId(item.subscriptionId, subscriptionId)),
          false,
        ),
    },
    {
      method: 'GET',
      pattern: `${GROUP}/sites`,
      handle: ({ params, url }) => {
        const withSlots = url.searchParams.get('includeSlots') === 'true';
        return listApps(context, state.sites.filter(inGroupOf(params)), withSlots);
      },
    },
    {
      method: 'GET',
      pattern: `${site}/slots`,
      handle: ({ params }) => {
        const { site: owner } = requireApp(state, params);
        return listOf(owner.slots.map((item) => read(context, resourceOf(owner, item))));
      },
    },
    { method: 'PUT', pattern: site, handle: (request) => putSite(context, request) },
    { method: 'PUT', pattern: slot, handle: (request) => putSlot(context, request) },
    { method: 'DELETE', pattern: site, handle: (request) => removeSite(context, request) },
    { method: 'DELETE', pattern: slot, handle: (request) => removeSlot(context, request) },
    ...APP_PATTERNS.flatMap((pattern) => bothRoutes(context, pattern)),
  ];
}

function bothRoutes(context: ArmContext, pattern: string): ArmRoute[] {
  const run = (running: boolean) => (request: ArmRequest) => {
    const { app } = requireApp(context.state, request.params);
    app.running = running;
    context.changed();
    return ok();
  };
  return [
    {
      method: 'GET',
      pattern,
      handle: (request) => {
        const resource = findTracked(context, request);
        return ok(read(context, resource), etagOf(resource.app.modifiedAt));
      },
    },
    {
      method: 'PATCH',
      pattern,
      handle: (request) => {
        const resource = findTracked(context, request);
        changeApp(context, resource.app, request);
        return written(context, resource);
      },
    },
    { method: 'POST', pattern: `${pattern}/start`, handle: run(true) },
    { method: 'POST', pattern: `${pattern}/stop`, handle: run(false) },
    { method: 'POST', pattern: `${pattern}/restart`, handle: run(true) },
  ];
}

function putSite(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { state } = context;
  const { site: name = '' } = request.params;
  const { subscriptionId, resourceGroup } = placeOf(state, request.params);
  const existing = findSite(state, request.params);
  if (existing === undefined && state.sites.some((site) => sameId(site.name, name))) throw siteExists(name);
  if (!SITE_NAME.test(name)) throw invalidParameter('Name');
  const type = 'Microsoft.Web/sites';
  const location = requireLocation(request.body, { type, name, resourceGroup, location: existing?.location });
  const kind = kindIn(request) ?? existing?.kind ?? 'app';
  const plan = planFor(context, request, existing, { subscriptionId, resourceGroup, location, kind });
  const site: SiteState = existing ?? {
    ...newApp(context, name, kindOn(plan, kind), plan),
    ...{ subscriptionId, resourceGroup, slots: [] },
  };
  changeApp(context, site, request);
  if (existing === undefined) state.sites.push(site);
  return written(context, resourceOf(site));
}

function putSlot(context: ArmContext, request: ArmRequest): ArmAnswer {
  const site = findSite(context.state, request.params);
  const { slot: name = '' } = request.params;
  if (site === undefined) throw parentNotFound(request);
  const existing = findApp(context.state, request.params)?.slot;
  if (!SITE_NAME.test(name)) throw invalidParameter('Name');
  const { resourceGroup, location } = site;
  requireLocation(request.body, { type: 'Microsoft.Web/sites/slots', name, resourceGroup, location });
  const plan = findPlanById(context.state, planIdIn(request) ?? existing?.planId ?? site.planId);
  if (plan === undefined) throw notFound('ServerFarm', lastSegment(planIdIn(request) ?? site.planId));
  const room = tierOf(plan.sku.name)?.slots ?? 0;
  if (existing === undefined && site.slots.length >= room) throw slotsExceeded(plan.sku.tier);
  const slot = existing ?? newApp(context, name, kindIn(request) ?? site.kind, plan);
  changeApp(context, slot, request);
  if (existing === undefined) site.slots.push(slot);
  return written(context, resourceOf(site, slot));
}

/** Unless told otherwise, the plan goes with its last app, as in Azure. */
function removeSite(context: ArmContext, { params, url }: ArmRequest): ArmAnswer {
  const { state } = context;
  const site = findSite(state, params);
  if (site === undefined) return { status: 204 };
  state.sites.splice(state.sites.indexOf(site), 1);
  const plan = findPlanById(state, site.planId);
  const keepsPlan = url.searchParams.get('deleteEmptyServerFarm')?.toLowerCase() === 'false';
  if (plan !== undefined && !keepsPlan && appsOn(state, plan).length === 0) {
    state.plans.splice(state.plans.indexOf(plan), 1);
  }
  context.changed();
  return ok();
}

function removeSlot(context: ArmContext, { params }: ArmRequest): ArmAnswer {
  const found = findApp(context.state, params);
  if (found === undefined) return { status: 204 };
  found.site.slots = found.site.slots.filter((slot) => slot !== found.slot);
  context.changed();
  return ok();
}

/** The plan that a body names, or the app has; a new app that says none gets one as Azure makes it. */
function planFor(
  context: ArmContext,
  request: ArmRequest,
  existing: SiteState | undefined,
  app: { subscriptionId: string; resourceGroup: string; location: string; kind: string },
): PlanState {
  const asked = planIdIn(request) ?? existing?.planId;
  const plan = asked === undefined ? undefined : findPlanById(context.state, asked);
  if (plan !== undefined) return plan;
  if (asked !== undefined) throw notFound('ServerFarm', lastSegment(asked));
  const region = locationDisplayName(app.location).replaceAll(' ', '');
  const { kind, ...place } = app;
  const isFunctionApp = /functionapp/i.test(kind);
  const wanted = isFunctionApp
    ? ({ name: `${region}Plan`, sku: 'Y1' } as const)
    : ({ name: 'Default1', sku: 'F1' } as const);
  return addDefaultPlan(context, place, wanted);
}

/** @throws ArmError 404 for a plan that is not there; then nothing is changed. */
function changeApp(context: ArmContext, app: AppState, request: ArmRequest): void {
  const properties = recordIn(request.body, 'properties');
  const planId = planIdIn(request);
  const plan = findPlanById(context.state, planId ?? app.planId);
  if (planId !== undefined && plan === undefined) throw notFound('ServerFarm', lastSegment(planId));
  const wanted = {
    ...{ planId: plan === undefined ? app.planId : planIdOf(plan), kind: kindIn(request) ?? app.kind },
    tags: tagsIn(request.body) ?? app.tags,
    httpsOnly: booleanIn(properties, 'httpsOnly') ?? app.httpsOnly,
    clientAffinityEnabled: booleanIn(properties, 'clientAffinityEnabled') ?? app.clientAffinityEnabled,
  };
  mergeWebConfig(app, recordIn(properties, 'siteConfig'));
  Object.assign(app, wanted);
  app.modifiedAt = new Date(context.nowMs()).toISOString();
}

function newApp(context: ArmContext, name: string, kind: string, plan: PlanState): AppState {
  const modifiedAt = new Date(context.nowMs()).toISOString();
  return createApp({ name, kind, location: plan.location, planId: planIdOf(plan), modifiedAt });
}

function written(context: ArmContext, resource: AppResource): ArmAnswer {
  context.changed();
  const plan = findPlanById(context.state, resource.app.planId);
  return ok(appBody(resource, plan, 'write'), etagOf(resource.app.modifiedAt));
}

function read(context: ArmContext, resource: AppResource): object {
  return appBody(resource, findPlanById(context.state, resource.app.planId), 'read');
}

function listApps(context: ArmContext, sites: readonly SiteState[], withSlots: boolean): ArmAnswer {
  const resources = sites.flatMap((site) => [
    resourceOf(site),
    ...(withSlots ? site.slots.map((slot) => resourceOf(site, slot)) : []),
  ]);
  return listOf(resources.map((resource) => read(context, resource)));
}

/** @throws ArmError 404 as ARM itself answers it, which knows the resources of groups. */
function findTracked({ state }: ArmContext, { params }: ArmRequest): AppResource {
  const found = findApp(state, params);
  if (found !== undefined) return found;
  const { site = '', slot, resourceGroup = '' } = params;
  throw slot === undefined
    ? resourceNotFound('Microsoft.Web/sites', site, resourceGroup)
    : resourceNotFound('Microsoft.Web/sites', `${site}/slots/${slot}`, resourceGroup);
}

function parentNotFound({
  params: { subscriptionId = '', resourceGroup = '', site = '' },
}: ArmRequest): ArmError {
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites/${site}`;
  const message = `Failed to perform 'write' on resource(s) of type 'sites/slots', because the parent resource '${id}' could not be found.`;
  return new ArmError(404, 'ParentResourceNotFound', message, { headers: GATEWAY });
}

/** The plan's bare name is good in its group. */
function planIdIn({ body, params }: ArmRequest): string | undefined {
  const text = textIn(recordIn(body, 'properties'), 'serverFarmId') || undefined;
  if (text === undefined || text.includes('/')) return text;
  const { subscriptionId = '', resourceGroup = '' } = params;
  return planIdOf({ subscriptionId, resourceGroup, name: text });
}

function kindIn({ body }: ArmRequest): string | undefined {
  return textIn(body, 'kind') || undefined;
}

function kindOn(plan: PlanState, kind: string): string {
  return plan.reserved && !/linux/i.test(kind) ? `${kind},linux` : kind;
}

function lastSegment(id: string): string {
  return id.split('/').at(-1) ?? id;
}
