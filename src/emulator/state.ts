/**
 * What the emulator remembers between two starts: one document with the made-up tenant, its subscriptions and resource
 * groups, the relay's namespaces, connections, rules and keys, and the apps. Schema and a fresh one; what is read from
 * somewhere goes through state-check.ts, files are state-file.ts's business.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { checkEntityName } from '../protocol/entity-name.ts';
import { parseTarget } from '../protocol/target.ts';
import { withTarget } from '../protocol/user-metadata.ts';
import {
  seedEntra,
  type PrincipalState,
  type RoleAssignmentState,
  type SigningKeyState,
} from './entra-state.ts';
import { createWebSeeds, type PlanState, type SiteState } from './web-state.ts';

export const STATE_VERSION = 2;
export const DEFAULT_NAMESPACE = 'local-relay';
export const DEFAULT_RESOURCE_GROUP = 'local';
export const DEFAULT_LOCATION = 'westeurope';
/** What a subscription of the emulator may use from the start. */
export const SEED_PROVIDERS: readonly string[] = ['Microsoft.Relay', 'Microsoft.Web'];

export type Right = 'Listen' | 'Send' | 'Manage';
export const RIGHTS: readonly Right[] = ['Listen', 'Send', 'Manage'];

/** An authorization rule, of a namespace or of one connection. Keys are text: what HMAC takes as it stands. */
export interface RuleState {
  name: string;
  rights: Right[];
  primaryKey: string;
  secondaryKey: string;
}

/** A hybrid connection. Times are ISO 8601. */
export interface ConnectionState {
  name: string;
  requiresClientAuthorization: boolean;
  /** As Azure keeps it: JSON text, by convention `[{"key":"endpoint","value":"host:port"}]`; '' for none. */
  userMetadata: string;
  createdAt: string;
  updatedAt: string;
  rules: RuleState[];
}

export type Tags = Record<string, string>;

/** Where a resource is. Names keep the case in which they were given and are compared without. */
export interface Place {
  subscriptionId: string;
  resourceGroup: string;
  /** As `westeurope`. */
  location: string;
}

export interface SubscriptionState {
  subscriptionId: string;
  displayName: string;
  state: 'Enabled' | 'Warned' | 'Disabled';
  /** `Microsoft.Relay` and others: what was registered. */
  registeredProviders: string[];
  /** Those that are being registered, and when they will be, in ms since 1970. */
  registering?: Record<string, number>;
}

export interface ResourceGroupState {
  subscriptionId: string;
  name: string;
  location: string;
  tags: Tags;
  managedBy?: string;
  /** It is being removed, and gone from then on, in ms since 1970. */
  deletedAtMs?: number;
}

/** A change of a namespace that is not through yet. It is, as soon as the clock says so: nobody waits with a timer. */
export interface ProvisioningState {
  state: 'Creating' | 'Updating' | 'Deleting';
  readyAtMs: number;
}

export interface NamespaceState extends Place {
  /** Unique in the whole emulator: it is a host name. */
  name: string;
  tags: Tags;
  createdAt: string;
  updatedAt: string;
  provisioning?: ProvisioningState;
  /** Kept and shown, without effect: properties of newer api-versions. */
  publicNetworkAccess?: string;
  minimumTlsVersion?: string;
  networkRuleSet?: Record<string, unknown>;
  rules: RuleState[];
  connections: ConnectionState[];
}

export interface EmulatorState {
  version: typeof STATE_VERSION;
  tenantId: string;
  /** The default one of `subscriptions`. */
  subscriptionId: string;
  clientId: string;
  clientSecret: string;
  /** The default one of `resourceGroups`. */
  resourceGroup: string;
  subscriptions: SubscriptionState[];
  resourceGroups: ResourceGroupState[];
  namespaces: NamespaceState[];
  plans: PlanState[];
  sites: SiteState[];
  /** The private key, RS256, of the token endpoint; made on first use. */
  signingKey?: SigningKeyState;
  principals: PrincipalState[];
  roleAssignments: RoleAssignmentState[];
}

/** What a caller says about a connection it wants. */
export interface ConnectionSpec {
  name: string;
  /** `host:port` on the private side; goes into the metadata. */
  target?: string | undefined;
  /** Default true; false lets senders in without a token. */
  requiresClientAuthorization?: boolean | undefined;
}

/** A key as Azure makes them: the base64 of 32 random bytes. */
export function createKey(): string {
  return randomBytes(32).toString('base64');
}

export function createRule(name: string, rights: Right[]): RuleState {
  return { name, rights, primaryKey: createKey(), secondaryKey: createKey() };
}

/** A namespace without connections, with the rule that Azure gives to each. */
export function createNamespace(name: string, place: Place, nowMs: number, tags: Tags = {}): NamespaceState {
  const at = new Date(nowMs).toISOString();
  return {
    ...{ name, ...place, tags, createdAt: at, updatedAt: at },
    rules: [createRule('RootManageSharedAccessKey', ['Listen', 'Manage', 'Send'])],
    connections: [],
  };
}

/** The namespace that connections are made in unless one is named: the first that is not being removed. */
export function firstNamespace({
  namespaces,
}: Pick<EmulatorState, 'namespaces'>): NamespaceState | undefined {
  return namespaces.find(({ provisioning }) => provisioning?.state !== 'Deleting');
}

/** The same, made when there is none; its resource group, too. */
export function homeNamespace(state: EmulatorState, nowMs: number): NamespaceState {
  const existing = firstNamespace(state);
  if (existing !== undefined) return existing;
  const { subscriptionId, resourceGroup, namespaces, resourceGroups } = state;
  const place = { subscriptionId, resourceGroup, location: DEFAULT_LOCATION };
  const hasGroup = resourceGroups.some(
    (group) => group.subscriptionId === subscriptionId && group.name === resourceGroup,
  );
  if (!hasGroup)
    resourceGroups.push({ subscriptionId, name: resourceGroup, location: DEFAULT_LOCATION, tags: {} });
  const removed = findByName(namespaces, DEFAULT_NAMESPACE);
  if (removed !== undefined) namespaces.splice(namespaces.indexOf(removed), 1);
  const namespace = createNamespace(DEFAULT_NAMESPACE, place, nowMs);
  namespaces.push(namespace);
  return namespace;
}

/** A new document: everything random, one namespace without connections, one plan with two apps, three who may sign in. */
export function createState(nowMs = Date.now()): EmulatorState {
  const identity = { tenantId: randomUUID(), subscriptionId: randomUUID(), clientId: randomUUID() };
  const place = {
    subscriptionId: identity.subscriptionId,
    resourceGroup: DEFAULT_RESOURCE_GROUP,
    location: DEFAULT_LOCATION,
  };
  return {
    version: STATE_VERSION,
    ...identity,
    clientSecret: randomBytes(30).toString('base64url'),
    resourceGroup: DEFAULT_RESOURCE_GROUP,
    ...seedAround({ ...place, clientId: identity.clientId }, nowMs),
    namespaces: [createNamespace(DEFAULT_NAMESPACE, place, nowMs)],
  };
}

/** What a document has at first beside its namespaces. */
export function seedAround(
  place: Place & { clientId: string },
  nowMs: number,
): Omit<
  EmulatorState,
  'version' | 'tenantId' | 'subscriptionId' | 'clientId' | 'clientSecret' | 'resourceGroup' | 'namespaces'
> {
  const { subscriptionId, resourceGroup, location } = place;
  const subscription: SubscriptionState = {
    ...{ subscriptionId, displayName: 'Local', state: 'Enabled' },
    registeredProviders: [...SEED_PROVIDERS],
  };
  return {
    subscriptions: [subscription],
    resourceGroups: [{ subscriptionId, name: resourceGroup, location, tags: {} }],
    ...createWebSeeds({ subscriptionId, resourceGroup, location }, nowMs),
    ...seedEntra(place, nowMs),
  };
}

/**
 * Adds a connection with the rules defaultListener and defaultSender, or brings one that is there (names are
 * compared without case) up to the spec: keys and what the spec does not name stay. Returns it.
 * Objects stay the same: running listeners are known by theirs.
 * @throws HcmError HCM_CONNECTION_INVALID for a name that cannot be one, HCM_TARGET_INVALID.
 */
export function putConnection(
  namespace: NamespaceState,
  spec: ConnectionSpec,
  nowMs: number,
): ConnectionState {
  checkEntityName(spec.name);
  const at = new Date(nowMs).toISOString();
  const existing = findByName(namespace.connections, spec.name);
  if (existing !== undefined) {
    const wanted = {
      userMetadata: metadataFor(spec, existing.userMetadata),
      requiresClientAuthorization: spec.requiresClientAuthorization ?? existing.requiresClientAuthorization,
    };
    const same =
      wanted.userMetadata === existing.userMetadata &&
      wanted.requiresClientAuthorization === existing.requiresClientAuthorization;
    if (!same) Object.assign(existing, wanted, { updatedAt: at });
    for (const [name, right] of DEFAULT_RULES) {
      if (findByName(existing.rules, name) === undefined) existing.rules.push(createRule(name, [right]));
    }
    return existing;
  }
  const connection: ConnectionState = {
    name: spec.name,
    requiresClientAuthorization: spec.requiresClientAuthorization ?? true,
    userMetadata: metadataFor(spec, ''),
    ...{ createdAt: at, updatedAt: at },
    rules: DEFAULT_RULES.map(([name, right]) => createRule(name, [right])),
  };
  namespace.connections.push(connection);
  return connection;
}

const DEFAULT_RULES: readonly (readonly [string, Right])[] = [
  ['defaultListener', 'Listen'],
  ['defaultSender', 'Send'],
];

function metadataFor({ target }: ConnectionSpec, existing: string): string {
  return target === undefined ? existing : withTarget(existing, parseTarget(target));
}

/** Azure compares the names of resources without case. */
export function findByName<T extends { name: string }>(items: readonly T[], name: string): T | undefined {
  return items.find((item) => item.name.toLowerCase() === name.toLowerCase());
}
