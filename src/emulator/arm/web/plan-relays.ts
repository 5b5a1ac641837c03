/** What a plan says of the hybrid connections that its apps use: the list, their keys, who uses one, and the limit. */
import { planIdOf, type PlanState } from '../../web-state.ts';
import type { ArmContext } from '../context.ts';
import { locationDisplayName } from '../locations.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';
import { appsOn, requirePlan } from './app-resource.ts';
import { planUse, relaysOf, sameRelay } from './plan-limits.ts';
import { relayBody, relayKeyBody, type RelayOwner } from './relay-body.ts';
import { notFound } from './web-error.ts';
import { GROUP, listOf, ok, relayNamesOf } from './web-request.ts';

const PLAN = `${GROUP}/serverfarms/{plan}`;
const RELAY = `${PLAN}/hybridConnectionNamespaces/{namespace}/relays/{relay}`;

export function planRelayRoutes(context: ArmContext): ArmRoute[] {
  const { state } = context;
  return [
    {
      method: 'GET',
      pattern: `${PLAN}/hybridConnectionRelays`,
      handle: ({ params }) => {
        const plan = requirePlan(state, params);
        return listOf(relaysOf(state, plan).map((relay) => relayBody(ownerOf(plan), relay)));
      },
    },
    {
      method: 'GET',
      pattern: `${PLAN}/hybridConnectionPlanLimits/limit`,
      handle: (request) => limit(context, request),
    },
    {
      method: 'GET',
      pattern: RELAY,
      handle: (request) => {
        const { plan, relay } = find(context, request);
        return ok(relayBody(ownerOf(plan), relay));
      },
    },
    { method: 'DELETE', pattern: RELAY, handle: (request) => remove(context, request) },
    {
      method: 'POST',
      pattern: `${RELAY}/listKeys`,
      handle: (request) => {
        const { plan, relay } = find(context, request);
        return ok(relayKeyBody(ownerOf(plan), relay));
      },
    },
    { method: 'GET', pattern: `${RELAY}/sites`, handle: (request) => sites(context, request) },
  ];
}

function limit({ state }: ArmContext, { params }: ArmRequest) {
  const plan = requirePlan(state, params);
  return ok({
    id: `${planIdOf(plan)}/hybridConnectionPlanLimits/limit`,
    ...{ name: 'limit', type: 'Microsoft.Web/serverfarms/hybridConnectionPlanLimits' },
    ...{ location: locationDisplayName(plan.location), properties: planUse(state, plan) },
  });
}

/**
 * The apps that use a connection. The specification says a list of texts, and azure-cli reads a dictionary with `name`
 * and `id` out of each: a text that holds JSON is both.
 */
function sites(context: ArmContext, request: ArmRequest) {
  const { plan, relay } = find(context, request);
  const users = appsOn(context.state, plan).filter(({ app }) =>
    app.relays.some((item) => sameRelay(item, relay)),
  );
  return listOf(
    users.map(({ id, site, slot }) => {
      const name = slot === undefined ? site.name : `${site.name}(${slot.name})`;
      return JSON.stringify({ id, name });
    }),
  );
}

/** Takes the connection from every app and slot of the plan. */
function remove(context: ArmContext, request: ArmRequest) {
  const plan = requirePlan(context.state, request.params);
  const names = relayNamesOf(request);
  const users = appsOn(context.state, plan).filter(({ app }) =>
    app.relays.some((relay) => sameRelay(relay, names)),
  );
  if (users.length === 0) return { status: 204 };
  for (const { app } of users) app.relays = app.relays.filter((relay) => !sameRelay(relay, names));
  context.changed();
  return ok();
}

/** Where the apps of a plan have different keys for a connection, the first one's counts. */
function find({ state }: ArmContext, request: ArmRequest) {
  const plan = requirePlan(state, request.params);
  const names = relayNamesOf(request);
  const relay = relaysOf(state, plan).find((item) => sameRelay(item, names));
  if (relay === undefined) throw notFound('HybridConnection', names.name);
  return { plan, relay };
}

function ownerOf(plan: PlanState): RelayOwner {
  return { id: planIdOf(plan), type: 'serverfarms', location: plan.location };
}
