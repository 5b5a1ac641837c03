/** Relay namespaces: list, read, make, change, remove, and the operations that take their time. */
import { createNamespace, type NamespaceState } from '../../state.ts';
import { tagsIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import { operationOf, operationUrl, retryAfter, type Operation } from '../operations.ts';
import type { ArmAnswer, ArmRequest, ArmRoute } from '../router.ts';
import { providerAnswer } from './provider-answer.ts';
import { findNamespace, GROUP, namespaceIn, namespacesIn, NAMESPACE, SUBSCRIPTION } from './look-up.ts';
import { checkNew, checkSameLocation, readNamespaceBody, type NamespaceBody } from './namespace-body.ts';
import { beginProvisioning, checkSettled } from './provisioning.ts';
import { answersOperations } from './relay-versions.ts';
import { namespaceId, namespaceView, portOf } from './relay-view.ts';

const OPERATIONS = `${SUBSCRIPTION}/locations/{location}/namespaceOperationResults/{operation}`;
/** What is left of changes to namespaces; they are counted apart. [rec] */
const LEFT = { 'x-ms-ratelimit-remaining-subscription-resource-requests': '49' };

export function namespaceRoutes(context: ArmContext): ArmRoute[] {
  const { state } = context;
  const list = (request: ArmRequest): ArmAnswer =>
    providerAnswer(context, request, 200, {
      value: namespacesIn(state.namespaces, request).map((namespace) => view(namespace, request)),
    });
  return [
    {
      ...{ method: 'GET', pattern: `${SUBSCRIPTION}/namespaces` },
      handle(request) {
        const listed = list(request);
        return { ...listed, headers: { ...listed.headers, 'x-ms-inline-count': '' } };
      },
    },
    { method: 'GET', pattern: `${GROUP}/namespaces`, handle: list },
    {
      ...{ method: 'GET', pattern: NAMESPACE },
      handle: (request) =>
        providerAnswer(context, request, 200, view(findNamespace(context, request), request)),
    },
    { method: 'PUT', pattern: NAMESPACE, handle: (request) => putNamespace(context, request) },
    { method: 'PATCH', pattern: NAMESPACE, handle: (request) => patchNamespace(context, request) },
    { method: 'DELETE', pattern: NAMESPACE, handle: (request) => deleteNamespace(context, request) },
    {
      ...{ method: 'GET', pattern: `${NAMESPACE}/operationresults/{operation}` },
      handle: (request) => removalResult(context, request),
    },
    { method: 'GET', pattern: OPERATIONS, handle: (request) => operationResult(context, request) },
  ];
}

function putNamespace(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { state, nowMs, changed } = context;
  const { namespace: name = '', subscriptionId = '', resourceGroup = '' } = request.params;
  const body = readNamespaceBody(request);
  const existing = namespaceIn(context, request);
  if (existing !== undefined) {
    checkSettled(existing);
    checkSameLocation(existing, body.location);
    applyBody(existing, { ...body, tags: body.tags ?? {} });
    beginProvisioning(context, existing, 'Updating');
    changed();
    return changeAnswer(context, request, existing, 200);
  }
  checkNew(state.namespaces, name, subscriptionId);
  const namespace = createNamespace(
    name,
    { subscriptionId, resourceGroup, location: body.location },
    nowMs(),
  );
  applyBody(namespace, body);
  beginProvisioning(context, namespace, 'Creating');
  state.namespaces.push(namespace);
  changed();
  return changeAnswer(context, request, namespace, 201);
}

function patchNamespace(context: ArmContext, request: ArmRequest): ArmAnswer {
  const namespace = findNamespace(context, request);
  checkSettled(namespace);
  const { tags, ...properties } = readNamespaceBody(request, namespace.location);
  applyBody(namespace, { ...properties, tags: tagsIn(request.body) ?? tags });
  beginProvisioning(context, namespace, 'Updating');
  context.changed();
  return providerAnswer(context, request, 200, view(namespace, request), LEFT);
}

/** It is listed until its time has come, but no relay any more. */
function deleteNamespace(context: ArmContext, request: ArmRequest): ArmAnswer {
  const namespace = namespaceIn(context, request);
  if (namespace === undefined) return { status: 204 };
  if (namespace.provisioning?.state !== 'Deleting') {
    for (const connection of namespace.connections.splice(0)) context.relay.end(connection);
    beginProvisioning(context, namespace, 'Deleting');
    context.changed();
  }
  const { apiVersion, baseUrl } = request;
  if (!answersOperations(apiVersion, context.behaviour)) {
    const results = `${baseUrl}${namespaceId(namespace)}/operationresults/${namespace.name}`;
    return providerAnswer(context, request, 202, undefined, {
      Location: `${results}?api-version=${apiVersion}`,
    });
  }
  return providerAnswer(context, request, 202, undefined, operationHeaders(context, request, namespace, ''));
}

/** 201, or 200 of a change, with the addresses of an operation; or 200, and the state tells the rest. */
function changeAnswer(
  context: ArmContext,
  request: ArmRequest,
  namespace: NamespaceState,
  status: 200 | 201,
): ArmAnswer {
  const body = view(namespace, request);
  if (!answersOperations(request.apiVersion, context.behaviour)) {
    return providerAnswer(context, request, 200, body, LEFT);
  }
  const isRunning = namespace.provisioning !== undefined;
  const headers = isRunning ? operationHeaders(context, request, namespace, namespaceId(namespace)) : {};
  return providerAnswer(context, request, status, body, { ...LEFT, ...headers });
}

function operationHeaders(
  { nowMs }: ArmContext,
  { apiVersion, baseUrl }: ArmRequest,
  { subscriptionId, location, provisioning }: NamespaceState,
  resource: string,
): Record<string, string> {
  const operation: Operation = { readyAtMs: provisioning?.readyAtMs ?? nowMs(), resource };
  const results = `${baseUrl}/subscriptions/${subscriptionId}/providers/Microsoft.Relay/locations/${location}/namespaceOperationResults`;
  return {
    'Azure-AsyncOperation': operationUrl(results, apiVersion, operation, true),
    Location: operationUrl(results, apiVersion, operation, false),
    ...retryAfter(operation, nowMs()),
  };
}

/** The old shape: the namespace itself as long as it is there. */
function removalResult(context: ArmContext, request: ArmRequest): ArmAnswer {
  const namespace = namespaceIn(context, request);
  if (namespace?.provisioning?.state !== 'Deleting') return providerAnswer(context, request, 200, undefined);
  const again = { Location: request.url.href, ...retryAfter(namespace.provisioning, context.nowMs()) };
  return providerAnswer(context, request, 202, view(namespace, request), again);
}

function operationResult(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { url, params, baseUrl, apiVersion } = request;
  const operation = operationOf(request);
  const isRunning = operation.readyAtMs > context.nowMs();
  const wait = isRunning ? retryAfter(operation, context.nowMs()) : {};
  if (url.searchParams.get('isAsyncHeader') === 'true') {
    const body = { name: params['operation'], status: isRunning ? 'Running' : 'Succeeded' };
    return providerAnswer(context, request, 200, body, wait);
  }
  if (isRunning) return providerAnswer(context, request, 202, undefined, { ...wait, Location: url.href });
  const namespace = context.state.namespaces.find((one) => namespaceId(one) === operation.resource);
  if (namespace === undefined)
    return providerAnswer(context, request, 204, undefined, { Location: url.href });
  return providerAnswer(
    context,
    request,
    200,
    namespaceView(namespace, { apiVersion, port: portOf(baseUrl) }),
  );
}

function applyBody(namespace: NamespaceState, body: Omit<NamespaceBody, 'location'>): void {
  const { tags, publicNetworkAccess, minimumTlsVersion } = body;
  if (tags !== undefined) namespace.tags = tags;
  if (publicNetworkAccess !== undefined) namespace.publicNetworkAccess = publicNetworkAccess;
  if (minimumTlsVersion !== undefined) namespace.minimumTlsVersion = minimumTlsVersion;
}

function view(namespace: NamespaceState, { apiVersion, baseUrl }: ArmRequest): object {
  return namespaceView(namespace, { apiVersion, port: portOf(baseUrl) });
}
