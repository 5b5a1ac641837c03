/** Hybrid connections of apps and slots: attached, changed, detached. All of it is done when it is answered. */
import type { ArmContext } from '../context.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';
import { requireApp, type AppResource } from './app-resource.ts';
import { checkRoom, sameRelay } from './plan-limits.ts';
import { parseRelay, relayBody, type RelayOwner } from './relay-body.ts';
import { exclusiveLock, notFound } from './web-error.ts';
import { APP_PATTERNS, listOf, ok, relayNamesOf } from './web-request.ts';

export function appRelayRoutes(context: ArmContext): ArmRoute[] {
  return APP_PATTERNS.flatMap((app) => {
    const relay = `${app}/hybridConnectionNamespaces/{namespace}/relays/{relay}`;
    return [
      {
        method: 'GET',
        pattern: `${app}/hybridConnectionRelays`,
        handle: ({ params }) => {
          const resource = requireApp(context.state, params);
          return listOf(resource.app.relays.map((item) => relayBody(ownerOf(resource), item)));
        },
      },
      { method: 'GET', pattern: relay, handle: (request) => get(context, request) },
      { method: 'PUT', pattern: relay, handle: (request) => put(context, request) },
      { method: 'PATCH', pattern: relay, handle: (request) => patch(context, request) },
      { method: 'DELETE', pattern: relay, handle: (request) => remove(context, request) },
    ] satisfies ArmRoute[];
  });
}

function get(context: ArmContext, request: ArmRequest) {
  const { resource, existing } = find(context, request);
  if (existing === undefined) throw notFound('HybridConnection', relayNamesOf(request).name);
  return ok(relayBody(ownerOf(resource), existing));
}

function put(context: ArmContext, request: ArmRequest) {
  const { resource, existing } = findToChange(context, request);
  const relay = parseRelay(existing ?? relayNamesOf(request), request.body, context.state);
  if (existing === undefined) {
    checkRoom(context.state, resource);
    resource.app.relays.push(relay);
  } else {
    Object.assign(existing, relay);
  }
  context.changed();
  return ok(relayBody(ownerOf(resource), relay));
}

function patch(context: ArmContext, request: ArmRequest) {
  const { resource, existing } = findToChange(context, request);
  if (existing === undefined) throw notFound('HybridConnection', relayNamesOf(request).name);
  Object.assign(existing, parseRelay(existing, request.body, context.state, existing));
  context.changed();
  return ok(relayBody(ownerOf(resource), existing));
}

function remove(context: ArmContext, request: ArmRequest) {
  const { resource, existing } = findToChange(context, request);
  if (existing === undefined) throw notFound('HybridConnection', relayNamesOf(request).name);
  resource.app.relays = resource.app.relays.filter((relay) => relay !== existing);
  context.changed();
  return ok();
}

function findToChange(context: ArmContext, request: ArmRequest) {
  const found = find(context, request);
  if (context.faults.arm.takeExclusiveLock()) throw exclusiveLock('site');
  return found;
}

function find({ state }: ArmContext, request: ArmRequest) {
  const resource = requireApp(state, request.params);
  return { resource, existing: resource.app.relays.find((relay) => sameRelay(relay, relayNamesOf(request))) };
}

function ownerOf({ id, app }: AppResource): RelayOwner {
  return { id, type: 'sites', location: app.location };
}
