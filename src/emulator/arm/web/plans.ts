/** App Service plans: listed, made, changed, deleted. All of it is done when it is answered, as recorded in 2023. */
import type { PlanState } from '../../web-state.ts';
import { resourceNotFound } from '../arm-error.ts';
import type { ArmContext } from '../context.ts';
import { requireLocation } from '../resource-location.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';
import { appBody } from './app-body.ts';
import { appsOn, findPlan, inGroupOf, requirePlan, sameId } from './app-resource.ts';
import { planBody } from './plan-body.ts';
import { parseSku } from './skus.ts';
import { invalidParameter, planInUse } from './web-error.ts';
import { asObject, etagOf, GROUP, listOf, ok, propertiesOf, SUBSCRIPTION, tagsOf } from './web-request.ts';

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
  changePlan(plan, { body: { sku: { name: sku } } });
  context.state.plans.push(plan);
  return plan;
}

function put(context: ArmContext, request: ArmRequest) {
  const existing = findPlan(context.state, request.params);
  const { subscriptionId = '', resourceGroup = '', plan: name = '' } = request.params;
  const { location, asked } = requireLocation({
    ...{ body: request.body, type: 'Microsoft.Web/serverfarms', name, resourceGroup },
    existing: existing?.location,
  });
  const plan = existing ?? createPlan(context, { subscriptionId, resourceGroup, location }, name);
  changePlan(plan, request);
  if (existing === undefined) context.state.plans.push(plan);
  context.changed();
  const body = planBody(plan, appsOn(context.state, plan).length, { askedLocation: asked });
  return ok(body, etagOf(new Date(context.nowMs()).toISOString()));
}

function patch(context: ArmContext, request: ArmRequest) {
  const plan = findTracked(context, request);
  changePlan(plan, request);
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

/** @throws ArmError 400 for a SKU that is none; then nothing is changed. */
function changePlan(plan: PlanState, request: Pick<ArmRequest, 'body'>): void {
  const given = asObject(request.body);
  const sku = parseSku(given['sku'], plan.sku);
  if (sku === undefined) throw invalidParameter('SKU');
  const kind = typeof given['kind'] === 'string' && given['kind'] !== '' ? given['kind'] : plan.kind;
  const reserved = propertiesOf(request)['reserved'];
  plan.sku = sku;
  plan.reserved = typeof reserved === 'boolean' ? reserved : plan.reserved || /linux/i.test(kind);
  plan.kind = kind === '' ? kindOf(plan) : kind;
  plan.tags = tagsOf(request) ?? plan.tags;
}

function kindOf({ sku, reserved }: PlanState): string {
  if (sku.tier === 'Dynamic') return 'functionapp';
  if (sku.tier === 'ElasticPremium') return 'elastic';
  return reserved ? 'linux' : 'app';
}
