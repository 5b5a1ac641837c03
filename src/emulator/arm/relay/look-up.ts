/** Finds what the path of a request to Microsoft.Relay names, and says in Azure's words when it is not there. */
import { randomUUID } from 'node:crypto';
import { findByName, type ConnectionState, type NamespaceState, type RuleState } from '../../state.ts';
import { ArmError, GATEWAY, resourceNotFound } from '../arm-error.ts';
import type { ArmContext } from '../context.ts';
import type { ArmRequest } from '../router.ts';
import { checkActive } from './provisioning.ts';

export const SUBSCRIPTION = '/subscriptions/{subscriptionId}/providers/Microsoft.Relay';
export const GROUP =
  '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroup}/providers/Microsoft.Relay';
export const NAMESPACE = `${GROUP}/namespaces/{namespace}`;
export const CONNECTION = `${NAMESPACE}/hybridConnections/{connection}`;

/** The namespace of a path, in its subscription and group alone. */
export function namespaceIn({ state }: ArmContext, request: ArmRequest): NamespaceState | undefined {
  return findByName(namespacesIn(state.namespaces, request), request.params['namespace'] ?? '');
}

/** The namespaces of the path's subscription and, where it names one, group. */
export function namespacesIn(
  namespaces: readonly NamespaceState[],
  { params }: Pick<ArmRequest, 'params'>,
): NamespaceState[] {
  const { subscriptionId = '', resourceGroup } = params;
  return namespaces.filter(
    (namespace) =>
      sameName(namespace.subscriptionId, subscriptionId) &&
      (resourceGroup === undefined || sameName(namespace.resourceGroup, resourceGroup)),
  );
}

/** @throws ArmError 404 ResourceNotFound */
export function findNamespace(context: ArmContext, request: ArmRequest): NamespaceState {
  const { namespace = '', resourceGroup = '' } = request.params;
  const found = namespaceIn(context, request);
  if (found === undefined) throw resourceNotFound('Microsoft.Relay/namespaces', namespace, resourceGroup);
  return found;
}

/** The namespace of something in it. @throws ArmError 404 ParentResourceNotFound, ResourceNotFound, NotFound */
export function parentNamespace(context: ArmContext, request: ArmRequest): NamespaceState {
  const found = namespaceIn(context, request);
  if (found === undefined) throw parentMissing(request);
  checkActive(found);
  return found;
}

/** @throws as `parentNamespace`, and 404 NotFound */
export function findConnection(
  context: ArmContext,
  request: ArmRequest,
): { namespace: NamespaceState; connection: ConnectionState } {
  const namespace = parentNamespace(context, request);
  const name = request.params['connection'] ?? '';
  const connection = findByName(namespace.connections, name);
  if (connection === undefined) throw entityNotFound(name);
  return { namespace, connection };
}

/** Whoever owns rules: a connection where the path names one, else a namespace. */
export function findRuleOwner(
  context: ArmContext,
  request: ArmRequest,
): { namespace: NamespaceState; connection?: ConnectionState; rules: RuleState[] } {
  if (request.params['connection'] !== undefined) {
    const found = findConnection(context, request);
    return { ...found, rules: found.connection.rules };
  }
  const namespace = parentNamespace(context, request);
  return { namespace, rules: namespace.rules };
}

/** The provider's own 404, of parts of a namespace. (terraform-provider-azurerm#14845) */
export function entityNotFound(name: string): ArmError {
  return new ArmError(404, 'NotFound', withTracking(`The requested resource ${name} does not exist.`));
}

/** The provider's own 400. */
export function badRequest(sentence: string): ArmError {
  return new ArmError(400, 'BadRequest', withTracking(sentence));
}

/** What the provider's sentences end in. */
export function withTracking(sentence: string): string {
  return `${sentence} CorrelationId: ${randomUUID()}`;
}

function parentMissing({ method, params, url }: ArmRequest): ArmError {
  const { subscriptionId = '', resourceGroup = '', namespace = '' } = params;
  const path = decodeURIComponent(url.pathname);
  const inner = path.slice(path.toLowerCase().indexOf('/namespaces/') + '/namespaces/'.length).split('/');
  if (method === 'GET' || method === 'HEAD') {
    return resourceNotFound('Microsoft.Relay/namespaces', inner.join('/'), resourceGroup);
  }
  const parent = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Relay/namespaces/${namespace}`;
  const message = `Failed to perform '${method === 'DELETE' ? 'delete' : 'write'}' on resource(s) of type 'namespaces/${inner[1]}', because the parent resource '${parent}' could not be found.`;
  return new ArmError(404, 'ParentResourceNotFound', message, { headers: GATEWAY });
}

export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
