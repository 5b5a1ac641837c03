/** What the path of a request to Resource Manager says: subscription, group, provider, type and names. Pure. */

export interface ArmPath {
  /** Decoded. */
  readonly segments: readonly string[];
  readonly subscriptionId: string | undefined;
  readonly resourceGroup: string | undefined;
  /** `Microsoft.Relay`, as sent; the innermost one where a resource extends another. */
  readonly namespace: string | undefined;
  /** `namespaces/hybridConnections`, as sent. '' without a provider, or where the path ends behind it. */
  readonly type: string;
  readonly names: readonly string[];
  /** `listKeys` of a POST on a resource. */
  readonly action: string | undefined;
  /** The id of the resource, or of whatever a list is asked of: what a role must cover. */
  readonly scope: string;
}

/** @param method decides whether a last segment without a name is an action (POST) or a list. */
export function readArmPath(method: string, segments: readonly string[]): ArmPath {
  const at = segments.findLastIndex((segment) => segment.toLowerCase() === 'providers');
  const namespace = at < 0 ? undefined : segments[at + 1];
  const rest = at < 0 ? [] : segments.slice(at + 2);
  const isOdd = rest.length % 2 === 1;
  const action = isOdd && method === 'POST' && rest.length > 1 ? rest.at(-1) : undefined;
  const resource = action === undefined ? rest : rest.slice(0, -1);
  const isList = resource.length % 2 === 1;
  const scoped = at < 0 ? segments : segments.slice(0, at + 2 + resource.length - (isList ? 1 : 0));
  return {
    segments,
    subscriptionId: valueAfter(segments, 0, 'subscriptions'),
    resourceGroup: valueAfter(segments, 2, 'resourcegroups'),
    namespace,
    type: resource.filter((_, index) => index % 2 === 0).join('/'),
    names: resource.filter((_, index) => index % 2 === 1),
    action,
    scope: `/${scoped.join('/')}`,
  };
}

/** The permission that a request needs, as roles name it: `Microsoft.Relay/namespaces/write`. */
export function actionOf(method: string, path: ArmPath): string {
  const verb = { GET: 'read', HEAD: 'read', PUT: 'write', PATCH: 'write', DELETE: 'delete' }[method];
  const { namespace, type, action = '' } = path;
  if (namespace !== undefined && type !== '') {
    return [namespace, type, ...(verb === undefined ? [action, 'action'] : [verb])].filter(Boolean).join('/');
  }
  const [, , core = ''] = path.segments;
  const kind = core.toLowerCase() === 'resourcegroups' ? 'resourceGroups' : core;
  return ['Microsoft.Resources/subscriptions', kind, verb ?? 'action'].filter(Boolean).join('/');
}

/** True when a request asks for a change: not a read, and no POST that only tells something. */
export function isWrite(method: string, path: ArmPath): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return method !== 'POST' || !/^(?:list|check|validate|get)/i.test(path.segments.at(-1) ?? '');
}

function valueAfter(segments: readonly string[], at: number, name: string): string | undefined {
  return segments[at]?.toLowerCase() === name ? segments[at + 1] : undefined;
}
