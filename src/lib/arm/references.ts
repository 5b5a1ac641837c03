/**
 * Names of Azure resources as data, and their ids and paths as text. Azure changes the case of ids from answer to
 * answer, so they are read and compared without regard to it. Pure: no calls.
 */

export interface NamespaceRef {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
}

export interface ConnectionRef extends NamespaceRef {
  readonly connection: string;
}

/** Whose authorization rules: a namespace's, or one hybrid connection's. */
export type RuleOwner = NamespaceRef | ConnectionRef;

/** What an id names. `names` has one name for each type: namespace and connection, site and slot. */
export interface ResourceId {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  /** `Microsoft.Relay/namespaces/hybridConnections`, in the case of the id. */
  readonly type: string;
  readonly names: readonly string[];
}

/**
 * Reads `/subscriptions/S/resourceGroups/G/providers/P/TYPE/NAME[/TYPE/NAME…]`; undefined for every other text. The
 * name of a hybrid connection may hold slashes, plain or escaped: being last, it takes all that is left.
 */
export function parseResourceId(id: string): ResourceId | undefined {
  const match = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/([^/]+)\/(.+?)\/?$/i.exec(id);
  if (match === null) return undefined;
  const [, subscriptionId = '', resourceGroup = '', provider = '', rest = ''] = match;
  const segments = rest.split('/');
  if (segments.length < 2) return undefined;
  const relay =
    /^(namespaces)\/([^/]+)\/(hybridConnections)\/(.+?)(?:\/(authorizationRules)\/([^/]+))?$/i.exec(rest);
  const pairs =
    relay !== null && provider.toLowerCase() === 'microsoft.relay'
      ? relay.slice(1).filter((segment) => segment !== undefined)
      : segments;
  return {
    subscriptionId,
    resourceGroup: decode(resourceGroup),
    type: [provider, ...pairs.filter((_, index) => index % 2 === 0)].join('/'),
    names: pairs.filter((_, index) => index % 2 === 1).map(decode),
  };
}

/** True for two ids of the same resource, whatever their case. */
export function sameId(one: string, other: string): boolean {
  return normalId(one) === normalId(other);
}

export function isConnection(owner: RuleOwner): owner is ConnectionRef {
  return 'connection' in owner;
}

export function resourceGroupPath(subscriptionId: string, resourceGroup: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
}

/** The path of a namespace, as a URL needs it. */
export function namespacePath({ subscriptionId, resourceGroup, name }: NamespaceRef): string {
  const group = resourceGroupPath(subscriptionId, resourceGroup);
  return `${group}/providers/Microsoft.Relay/namespaces/${encodeURIComponent(name)}`;
}

/** The path of a hybrid connection, as a URL needs it: a slash in the name is escaped. */
export function connectionPath(ref: ConnectionRef): string {
  return `${namespacePath(ref)}/hybridConnections/${encodeURIComponent(ref.connection)}`;
}

/** The id of a hybrid connection, as other resources name it. */
export function connectionId(ref: ConnectionRef): string {
  const { subscriptionId, resourceGroup, name, connection } = ref;
  const namespace = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Relay/namespaces/${name}`;
  return `${namespace}/hybridConnections/${connection}`;
}

/** `NAMESPACE` or `NAMESPACE/NAME`, as people type it. */
export function ownerName(owner: RuleOwner): string {
  return isConnection(owner) ? `${owner.name}/${owner.connection}` : owner.name;
}

function normalId(id: string): string {
  return decode(id).toLowerCase().replace(/\/+$/, '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
