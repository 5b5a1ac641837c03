/**
 * Relay namespaces: listed, found, made, deleted. They are read by plain calls, because the SDK's model drops `status`,
 * and a namespace is usable only when that says Active, whatever its provisioningState.
 */
import { HcmError } from '../../protocol/errors.ts';
import { listAll, type Azure } from './azure.ts';
import { startOperation, type LongOperation } from './long-operation.ts';
import { namespacePath, parseResourceId, resourceGroupPath, type NamespaceRef } from './references.ts';
import { callRelay } from './relay-call.ts';
import { orGone } from './web-call.ts';

export interface Namespace extends NamespaceRef {
  readonly id: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  /** `Succeeded` says less than it seems: see `status`. */
  readonly provisioningState: string;
  /** `Active`, `Activating`, `Creating`, `Removing`; `Unknown` where Azure does not say. */
  readonly status: string;
  /** Where listeners and senders connect: `my-relay.servicebus.windows.net`, with a port unless it is 443. */
  readonly host: string;
  /** `Disabled` lets only private endpoints in. Undefined where this api-version does not tell. */
  readonly publicNetworkAccess?: string;
  readonly createdAt?: string;
  readonly updatedAt?: string;
}

/** The one that arm-relay 3.1.1 uses, too. */
const API_VERSION = '2017-04-01';
/** The only SKU there is. */
const SKU = { name: 'Standard', tier: 'Standard' } as const;
const HTTPS_PORT = '443';

/** Those of the subscription, or of one resource group; the ones that are being deleted, too. */
export async function listNamespaces(azure: Azure, resourceGroup?: string): Promise<Namespace[]> {
  const scope =
    resourceGroup === undefined
      ? `/subscriptions/${azure.subscriptionId}`
      : resourceGroupPath(azure.subscriptionId, resourceGroup);
  const items = await listAll<WireNamespace>(azure, {
    path: `${scope}/providers/Microsoft.Relay/namespaces`,
    apiVersion: API_VERSION,
    about: resourceGroup === undefined ? 'the namespaces' : `the namespaces of "${resourceGroup}"`,
  });
  return items.map(toNamespace);
}

/** Undefined when there is none of this name in the resource group. */
export async function getNamespace(azure: Azure, ref: NamespaceRef): Promise<Namespace | undefined> {
  const answer = await orGone(
    azure.send<WireNamespace>({
      ...{ method: 'GET', path: namespacePath(ref), apiVersion: API_VERSION },
      about: aboutNamespace(ref),
    }),
  );
  return answer && toNamespace(answer.body);
}

/**
 * The namespace of this name, or of this host, in the subscription; whichever case. One that is being deleted counts
 * as gone.
 * @throws HcmError HCM_RESOURCE_NOT_FOUND, HCM_RESOURCE_AMBIGUOUS.
 */
export async function findNamespace(azure: Azure, name: string, resourceGroup?: string): Promise<Namespace> {
  const wanted = namespaceNameOf(azure, name).toLowerCase();
  const named = (await listNamespaces(azure, resourceGroup)).filter(
    (namespace) => namespace.name.toLowerCase() === wanted,
  );
  const found = named.filter((namespace) => !isRemoving(namespace));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  if (first === undefined) throw noNamespace(azure, wanted, { resourceGroup, removing: named.length > 0 });
  throw new HcmError(
    'HCM_RESOURCE_AMBIGUOUS',
    `There are ${found.length} namespaces "${wanted}", in the resource groups ${found.map((one) => one.resourceGroup).join(', ')}.`,
  );
}

/** True for a namespace that Azure is deleting: it is listed until the end, even as `Succeeded`. */
export function isRemoving({ status, provisioningState }: Namespace): boolean {
  return /^(?:removing|deleting)$/i.test(status) || /^deleting$/i.test(provisioningState);
}

export function isActive({ status, provisioningState }: Namespace): boolean {
  return /^active$/i.test(status) || (status === UNKNOWN && /^succeeded$/i.test(provisioningState));
}

export interface NameCheck {
  readonly available: boolean;
  /** Azure's word: `None`, `NameInUse`, `InvalidName`, `NameInLockdown` … */
  readonly reason: string;
  readonly message: string;
}

/** Whether the name is free in all of Azure. */
export async function checkNamespaceName(azure: Azure, name: string): Promise<NameCheck> {
  const { subscriptionId } = azure;
  const answer = await callRelay(azure, { subscriptionId, about: `the name "${name}"` }, (relay) =>
    relay.namespaces.checkNameAvailability({ name }),
  );
  const { nameAvailable = false, reason = 'None', message } = answer;
  return { available: nameAvailable, reason, message: message ?? '' };
}

/** Resolves once Azure has taken the request; the namespace is usable when the operation ends and it is Active. */
export function startNamespaceCreate(
  azure: Azure,
  ref: NamespaceRef,
  { location, tags }: { location: string; tags: Readonly<Record<string, string>> },
): Promise<LongOperation> {
  const about = `creating the namespace "${ref.name}"`;
  return startOperation(azure, { subscriptionId: ref.subscriptionId, about }, (relay, options) =>
    relay.namespaces.beginCreateOrUpdate(
      ...([ref.resourceGroup, ref.name, { location, tags: { ...tags }, sku: SKU }, options] as const),
    ),
  );
}

/** All tags at once: those that are not among these are gone. */
export async function putNamespaceTags(
  azure: Azure,
  ref: NamespaceRef,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const { subscriptionId, resourceGroup, name } = ref;
  await callRelay(azure, { subscriptionId, about: `the tags of the namespace "${name}"` }, (relay) =>
    relay.namespaces.update(resourceGroup, name, { tags: { ...tags } }),
  );
}

/** Resolves once Azure has taken the request; undefined when the namespace was gone already. */
export function startNamespaceDelete(azure: Azure, ref: NamespaceRef): Promise<LongOperation | undefined> {
  const about = `deleting the namespace "${ref.name}"`;
  return orGone(
    startOperation(azure, { subscriptionId: ref.subscriptionId, about }, (relay, options) =>
      relay.namespaces.beginDelete(ref.resourceGroup, ref.name, options),
    ),
  );
}

export function aboutNamespace({ name }: Pick<NamespaceRef, 'name'>): string {
  return `the namespace "${name}"`;
}

const UNKNOWN = 'Unknown';

/** As far as anybody reads it. */
interface WireNamespace {
  id?: string;
  name?: string;
  location?: string;
  tags?: Record<string, string> | null;
  properties?: {
    provisioningState?: string;
    status?: string;
    serviceBusEndpoint?: string;
    publicNetworkAccess?: string;
    createdAt?: string;
    updatedAt?: string;
  };
}

function toNamespace({ id = '', name, location = '', tags, properties = {} }: WireNamespace): Namespace {
  const parsed = parseResourceId(id);
  const { provisioningState = UNKNOWN, status = UNKNOWN, serviceBusEndpoint = '' } = properties;
  const { publicNetworkAccess, createdAt, updatedAt } = properties;
  return {
    name: name ?? parsed?.names[0] ?? '',
    resourceGroup: parsed?.resourceGroup ?? '',
    subscriptionId: parsed?.subscriptionId ?? '',
    ...{ id, location, status, provisioningState, host: hostOf(serviceBusEndpoint), tags: tags ?? {} },
    ...(publicNetworkAccess === undefined ? {} : { publicNetworkAccess }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
  };
}

/** `https://NS.SUFFIX:443/`: the one place that tells which suffix this cloud has. */
function hostOf(serviceBusEndpoint: string): string {
  if (!URL.canParse(serviceBusEndpoint)) return '';
  const { hostname, port } = new URL(serviceBusEndpoint);
  return port === '' || port === HTTPS_PORT ? hostname : `${hostname}:${port}`;
}

/**
 * The name in `NAME` or `NAME.SUFFIX[:PORT]`. Whoever names a host means that one, and not the namespace of the same
 * name in another cloud.
 * @throws HcmError HCM_RESOURCE_NOT_FOUND for a host of another cloud.
 */
export function namespaceNameOf(azure: Azure, nameOrHost: string): string {
  const [host = ''] = nameOrHost.split(':', 1);
  const { relaySuffix, name: cloud } = azure.cloud;
  if (!host.includes('.') || host.toLowerCase().endsWith(`.${relaySuffix}`))
    return host.split('.', 1)[0] ?? '';
  throw new HcmError(
    'HCM_RESOURCE_NOT_FOUND',
    `${host} is no namespace of the cloud "${cloud}", whose namespaces end in .${relaySuffix}.`,
    { details: { next: 'hcm cloud list' } },
  );
}

function noNamespace(
  { subscriptionId }: Azure,
  name: string,
  { resourceGroup, removing }: { resourceGroup: string | undefined; removing: boolean },
): HcmError {
  const where = resourceGroup === undefined ? '' : ` in the resource group "${resourceGroup}"`;
  return new HcmError(
    'HCM_RESOURCE_NOT_FOUND',
    removing
      ? `The namespace "${name}" is being deleted.`
      : `There is no namespace "${name}"${where} in the subscription ${subscriptionId}.`,
    { details: { next: 'hcm namespace list' } },
  );
}
