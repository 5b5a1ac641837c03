/** Resource groups: made at once, removed with all that is in them, which takes its time. */
import type { EmulatorState, ResourceGroupState } from '../../state.ts';
import { findByName } from '../../state.ts';
import { ArmError, GATEWAY, resourceGroupNotFound } from '../arm-error.ts';
import { tagsIn, textIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import { isLocation, LOCATION_NAMES, locationId, locationNames } from '../locations.ts';
import { operationOf, operationUrl, retryAfter } from '../operations.ts';
import type { ArmAnswer, ArmRequest, ArmRoute } from '../router.ts';

const GROUPS = '/subscriptions/{subscriptionId}/resourcegroups';
const GROUP = `${GROUPS}/{resourceGroup}`;
/** Resource Manager's naming rules. */
const NAME_MAX_CHARS = 90;
const NAME_PATTERN = /^[\p{L}\p{N}\-._()]*[\p{L}\p{N}\-_()]$/u;

export function groupRoutes(context: ArmContext): ArmRoute[] {
  const { state } = context;
  return [
    {
      ...{ method: 'GET', pattern: GROUPS },
      handle: (request) => ({ status: 200, body: { value: groupsIn(state, request).map(viewOf) } }),
    },
    {
      ...{ method: 'GET', pattern: GROUP },
      handle: (request) => ({ status: 200, body: viewOf(findGroup(state, request)) }),
    },
    {
      ...{ method: 'HEAD', pattern: GROUP },
      handle: (request) => ({ status: groupIn(state, request) === undefined ? 404 : 204 }),
    },
    { method: 'PUT', pattern: GROUP, handle: (request) => putGroup(context, request) },
    { method: 'PATCH', pattern: GROUP, handle: (request) => patchGroup(context, request) },
    { method: 'DELETE', pattern: GROUP, handle: (request) => deleteGroup(context, request) },
    {
      ...{ method: 'GET', pattern: '/subscriptions/{subscriptionId}/operationresults/{operation}' },
      handle(request) {
        const operation = operationOf(request);
        if (operation.readyAtMs <= context.nowMs()) return { status: 200 };
        return {
          status: 202,
          headers: { Location: request.url.href, ...retryAfter(operation, context.nowMs()) },
        };
      },
    },
  ];
}

/** Takes away the groups whose time has come. Their resources are gone already. */
export function settleGroups({ state, nowMs, changed }: ArmContext): void {
  const left = state.resourceGroups.filter(({ deletedAtMs = Infinity }) => deletedAtMs > nowMs());
  if (left.length === state.resourceGroups.length) return;
  state.resourceGroups.splice(0, Infinity, ...left);
  changed();
}

function putGroup({ state, changed }: ArmContext, request: ArmRequest): ArmAnswer {
  const name = request.params['resourceGroup'] ?? '';
  checkName(name);
  const location = groupLocation(request.body);
  const existing = groupIn(state, request);
  if (existing !== undefined && existing.location !== location) {
    const message = `Invalid resource group location '${location}'. The Resource group already exists in location '${existing.location}'.`;
    throw new ArmError(409, 'InvalidResourceGroupLocation', message, { headers: GATEWAY });
  }
  const wanted = { tags: tagsIn(request.body) ?? {}, ...managedBy(request.body) };
  if (existing !== undefined) {
    checkNotDeleted(existing);
    Object.assign(existing, wanted);
    changed();
    return { status: 200, body: viewOf(existing) };
  }
  const { subscriptionId } = subscriptionOf(state, request);
  const group: ResourceGroupState = { subscriptionId, name, location, ...wanted };
  state.resourceGroups.push(group);
  changed();
  return { status: 201, body: viewOf(group) };
}

function patchGroup({ state, changed }: ArmContext, request: ArmRequest): ArmAnswer {
  const group = findGroup(state, request);
  checkNotDeleted(group);
  const tags = tagsIn(request.body);
  if (tags !== undefined) group.tags = tags;
  Object.assign(group, managedBy(request.body));
  changed();
  return { status: 200, body: viewOf(group) };
}

function deleteGroup(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { state, relay, behaviour, nowMs, changed } = context;
  const group = findGroup(state, request);
  group.deletedAtMs ??= nowMs() + behaviour.removalMs;
  const isInside = (resource: { subscriptionId: string; resourceGroup: string }) =>
    resource.subscriptionId === group.subscriptionId && sameName(resource.resourceGroup, group.name);
  for (const namespace of state.namespaces.filter(isInside)) {
    for (const connection of namespace.connections.splice(0)) relay.end(connection);
  }
  for (const list of [state.namespaces, state.sites, state.plans] as {
    subscriptionId: string;
    resourceGroup: string;
  }[][]) {
    list.splice(0, Infinity, ...list.filter((resource) => !isInside(resource)));
  }
  changed();
  const operation = { readyAtMs: group.deletedAtMs, resource: '' };
  const results = `${request.baseUrl}/subscriptions/${group.subscriptionId}/operationresults`;
  const location = operationUrl(results, request.apiVersion, operation);
  return { status: 202, headers: { Location: location, ...retryAfter(operation, nowMs()) } };
}

function groupsIn(state: EmulatorState, { params }: ArmRequest): ResourceGroupState[] {
  const wanted = params['subscriptionId']?.toLowerCase();
  return state.resourceGroups.filter(({ subscriptionId }) => subscriptionId.toLowerCase() === wanted);
}

function groupIn(state: EmulatorState, request: ArmRequest): ResourceGroupState | undefined {
  return findByName(groupsIn(state, request), request.params['resourceGroup'] ?? '');
}

function findGroup(state: EmulatorState, request: ArmRequest): ResourceGroupState {
  const group = groupIn(state, request);
  if (group === undefined) throw resourceGroupNotFound(request.params['resourceGroup'] ?? '');
  return group;
}

/** The path's subscription, as it is written in the document: the dispatcher has seen that it is there. */
function subscriptionOf(state: EmulatorState, { params }: ArmRequest): { subscriptionId: string } {
  const wanted = params['subscriptionId'] ?? '';
  const found = state.subscriptions.find((one) => sameName(one.subscriptionId, wanted));
  return found ?? { subscriptionId: wanted };
}

function viewOf({
  subscriptionId,
  name,
  location,
  tags,
  managedBy,
  deletedAtMs,
}: ResourceGroupState): object {
  return {
    id: `/subscriptions/${subscriptionId}/resourceGroups/${name}`,
    ...{ name, type: 'Microsoft.Resources/resourceGroups', location },
    ...(managedBy !== undefined && { managedBy }),
    ...(Object.keys(tags).length > 0 && { tags }),
    properties: { provisioningState: deletedAtMs === undefined ? 'Succeeded' : 'Deleting' },
  };
}

function checkName(name: string): void {
  if (name.length <= NAME_MAX_CHARS && NAME_PATTERN.test(name)) return;
  const bad = [...new Set(name.replace(/[\p{L}\p{N}\-._()]/gu, ''))].join('');
  const message =
    name.length > NAME_MAX_CHARS || bad === ''
      ? `The provided resource group name '${name}' is not valid: it has at most ${NAME_MAX_CHARS} characters and does not end with a period.`
      : `The provided resource group name '${name}' has these invalid characters: '${bad}'. The name can only be a letter, digit, '-', '.', '(', ')' or '_'.`;
  throw new ArmError(400, 'InvalidResourceGroup', message, { headers: GATEWAY });
}

function groupLocation(body: unknown): string {
  const location = textIn(body, 'location') ?? '';
  if (location === '') {
    const message = 'The location property is required for this definition.';
    throw new ArmError(400, 'LocationRequired', message, { headers: GATEWAY });
  }
  if (isLocation(location)) return locationId(location);
  const message = `The provided location '${location}' is not available for resource group. List of available regions is '${locationNames(LOCATION_NAMES).join(',')}'.`;
  throw new ArmError(400, 'LocationNotAvailableForResourceGroup', message, { headers: GATEWAY });
}

function managedBy(body: unknown): { managedBy?: string } {
  const owner = textIn(body, 'managedBy');
  return owner === undefined ? {} : { managedBy: owner };
}

/** @throws ArmError 409 ResourceGroupBeingDeleted */
export function checkNotDeleted({ name, deletedAtMs }: ResourceGroupState): void {
  if (deletedAtMs === undefined) return;
  const message = `The resource group '${name}' is in deprovisioning state and cannot perform this operation.`;
  throw new ArmError(409, 'ResourceGroupBeingDeleted', message, { headers: GATEWAY });
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
