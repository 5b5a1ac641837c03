/** App Service plans: listed, made, changed, deleted. All of it is done when it is answered, as recorded in 2023. */
import type { PlanState } from '../../web-state.ts';
import { resourceNotFound } from '../arm-error.ts';
import { booleanIn, recordIn, tagsIn, textIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import { requireLocation } from '../resource-location.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';
import { appBody } from './app-body.ts';
import { appsOn, findPlan, inGroupOf, placeOf, requirePlan, sameId } from './app-resource.ts';
import { planBody } from './plan-body.ts';
import { parseSku } from './skus.ts';
import { invalidParameter, planInUse } from './web-error.ts';
import { etagOf, GROUP, listOf, ok, SUBSCRIPTION } from './web-request.ts';

const PLAN = `${GROUP}/serverfarms/{plan}`;

/** What a plan is when nobody says: ARM templates without a SKU make free ones. */
const DEFAULT_SKU = { name: 'F1' };

export function planRoutes(context: ArmContext): ArmRoute[] {
  const { state } = context;
  const read = (plan: PlanState) => planBody(plan, appsOn(state, plan).length, 'read');
  return [
    {
      method: 'GET',
      pattern: `${SUBSCRIPTION}/serverfarms`,
      handle: ({ params: { subscriptionId = '' } }) =>
        listOf(state.plans.filter((plan) => sameId(plan.subscriptionId, subscriptionId)).map(read)),
    },
    {
      method: 'GET',
      pattern: `${GROUP}/serverfarms`,
      handle: ({ params }) => listOf(state.plans.filter(inGroupOf(params)).map(read)),
    },
    { method: 'GET', pattern: PLAN, handle: (request) => ok(read(findTracked(context, request))) },
    { method: 'PUT', pattern: PLAN, handle: (request) => put(context, request) },
    { method: 'PATCH', pattern: PLAN, handle: (request) => patch(context, request) },
    { method: 'DELETE', pattern: PLAN, handle: (request) => remove(context, request) },
    {
      method: 'GET',
      pattern: `${PLAN}/sites`,
      handle: ({ params }) => {
        const plan = requirePlan(state, params);
        return listOf(appsOn(state, plan).map((resource) => appBody(resource, plan, 'read')));
      },
    },
  ];
}

/** A plan that is made because an app says none: Azure's names and tiers for them. */
export function addDefaultPlan(
  context: ArmContext,
  place: { subscriptionId: string; resourceGroup: string; location: string },
  { name, sku }: { name: string; sku: 'F1' | 'Y1' },
): PlanState {
  const plan = createPlan(context, place, name);
  changePlan(plan, { sku: { name: sku } });
  context.state.plans.push(plan);
  return plan;
}

function put(context: ArmContext, request: ArmRequest) {
  const existing = findPlan(context.state, request.params);
  const { plan: name = '' } = request.params;
  const place = placeOf(context.state, request.params);
  const { resourceGroup } = place;
  const type = 'Microsoft.Web/serverfarms';
  const location = requireLocation(request.body, { type, name, resourceGroup, location: existing?.location });
  const plan = existing ?? createPlan(context, { ...place, location }, name);
  changePlan(plan, request.body);
  if (existing === undefined) context.state.plans.push(plan);
  context.changed();
  const body = planBody(plan, appsOn(context.state, plan).length, {
    askedLocation: textIn(request.body, 'location') ?? location,
  });
  return ok(body, etagOf(new Date(context.nowMs()).toISOString()));
}

function patch(context: ArmContext, request: ArmRequest) {
  const plan = findTracked(context, request);
  changePlan(plan, request.body);
  context.changed();
  return ok(planBody(plan, appsOn(context.state, plan).length, 'read'));
}

function remove(context: ArmContext, { params }: ArmRequest) {
  const { plans } = context.state;
  const plan = findPlan(context.state, params);
  if (plan === undefined) return { status: 204 };
  const apps = appsOn(context.state, plan).filter(({ slot }) => slot === undefined);
  if (apps.length > 0) {
    throw planInUse(
      plan.name,
      apps.map(({ site }) => site.name),
    );
  }
  plans.splice(plans.indexOf(plan), 1);
  context.changed();
  return ok();
}

/** @throws ArmError 404 as ARM itself answers it, which knows the resources of groups. */
function findTracked({ state }: ArmContext, { params }: ArmRequest): PlanState {
  const plan = findPlan(state, params);
  const { plan: name = '', resourceGroup = '' } = params;
  if (plan === undefined) throw resourceNotFound('Microsoft.Web/serverfarms', name, resourceGroup);
  return plan;
}

function createPlan(
  context: ArmContext,
  place: { subscriptionId: string; resourceGroup: string; location: string },
  name: string,
): PlanState {
  const sku = parseSku(DEFAULT_SKU);
  if (sku === undefined) throw invalidParameter('SKU');
  const createdAt = new Date(context.nowMs()).toISOString();
  return { ...place, name, sku, kind: '', reserved: false, tags: {}, createdAt };
}

/** @throws ArmError 400 for a SKU that is none and for what is of a wrong type; then nothing is changed. */
function changePlan(plan: PlanState, body: unknown): void {
  const sku = parseSku(recordIn(body, 'sku'), plan.sku);
  if (sku === undefined) throw invalidParameter('SKU');
  const kind = textIn(body, 'kind') || plan.kind;
  const tags = tagsIn(body) ?? plan.tags;
  const reserved = booleanIn(recordIn(body, 'properties'), 'reserved');
  plan.sku = sku;
  plan.reserved = reserved ?? (plan.reserved || /linux/i.test(kind));
  plan.kind = kind === '' ? kindOf(plan) : kind;
  plan.tags = tags;
}

function kindOf({ sku, reserved }: PlanState): string {
  if (sku.tier === 'Dynamic') return 'functionapp';
  if (sku.tier === 'ElasticPremium') return 'elastic';
  return reserved ? 'linux' : 'app';
}
