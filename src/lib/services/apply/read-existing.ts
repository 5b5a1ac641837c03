/** Reads from Azure what a plan needs to know, and nothing more: no write is among its calls. */
import { HcmError } from '../../../protocol/errors.ts';
import type { Target } from '../../../protocol/target.ts';
import { targetFromUserMetadata } from '../../../protocol/user-metadata.ts';
import type { Azure } from '../../arm/azure.ts';
import { listConnections, type HybridConnection } from '../../arm/connections.ts';
import {
  checkNamespaceName,
  isActive,
  isRemoving,
  listNamespaces,
  type Namespace,
} from '../../arm/namespaces.ts';
import { getResourceGroup } from '../../arm/resource-groups.ts';
import { listRules } from '../../arm/rules.ts';
import { listWcfRelays } from '../../arm/wcf-relays.ts';
import type { AzureDeclaration, NamespaceDeclaration } from '../../config/hcm-yaml/declaration.ts';
import { formatPlace } from '../../config/hcm-yaml/faults.ts';
import { waitUntilActive } from '../namespaces.ts';
import { mapAtMost } from '../parallel.ts';
import { findDeclaredApps, type AppSearch } from './declared-apps.ts';
import {
  sameName,
  type Existing,
  type ExistingConnection,
  type ExistingNamespace,
  type NamespacePlace,
} from './existing.ts';
import { readAttachments } from './read-attachments.ts';

export interface ReadRequest extends Omit<AppSearch, 'mayBeGone'> {
  /** Where a namespace is to be made when the file does not say. */
  resourceGroup?: string | undefined;
  /** What is missing is to be made: it must be possible. False for destroy. */
  toMake: boolean;
  /** For a namespace that somebody, or an interrupted run, is still having made. */
  timeoutMs: number;
}

/** Calls in flight: quick, and far from what ARM throttles. */
const CALLS_AT_ONCE = 4;

/**
 * What exists of what is declared; strangers at declared connections are left out (`withStrangers`).
 * @throws HcmError HCM_RESOURCE_NOT_FOUND (apps, a resource group), HCM_RESOURCE_AMBIGUOUS, HCM_NAME_TAKEN,
 * HCM_CONFIG_INVALID when a namespace is to be made and nobody says where, and what the calls give.
 */
export async function readExisting(
  azure: Azure,
  declared: AzureDeclaration,
  request: ReadRequest,
): Promise<Existing> {
  const [namespaces, apps] = await Promise.all([
    readPlaces(azure, declared, request),
    findDeclaredApps(azure, declared, { ...request, mayBeGone: !request.toMake }),
  ]);
  const attachments = await readAttachments(azure, [...apps.values()], namespaces);
  return { namespaces, apps, attachments };
}

async function readPlaces(
  azure: Azure,
  declared: AzureDeclaration,
  request: ReadRequest,
): Promise<Map<string, NamespacePlace>> {
  const all = await listUnlessUnregistered(azure);
  const entries = await mapAtMost(CALLS_AT_ONCE, declared.namespaces, async (wanted) => {
    const found = all.find(({ name }) => sameName(name, wanted.name));
    const place =
      found === undefined || isRemoving(found)
        ? await placeToMake(azure, wanted, { ...request, isRemoving: found !== undefined })
        : placeOf(found, await readNamespace(azure, found, wanted, request));
    return [wanted.name.toLowerCase(), place] as const;
  });
  return new Map(entries);
}

/** A subscription that has never used Microsoft.Relay has no namespaces. */
async function listUnlessUnregistered(azure: Azure): Promise<Namespace[]> {
  try {
    return await listNamespaces(azure);
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_PROVIDER_NOT_REGISTERED') return [];
    throw error;
  }
}

function placeOf({ location }: Namespace, existing: ExistingNamespace): NamespacePlace {
  return { ref: existing.ref, location, existing };
}

/** With the rules of the connections that are declared. */
async function readNamespace(
  azure: Azure,
  namespace: Namespace,
  declared: NamespaceDeclaration,
  request: ReadRequest,
): Promise<ExistingNamespace> {
  // Before it is, Azure does not show what is in it.
  if (!isActive(namespace)) await waitUntilActive(azure, namespace, request);
  const { subscriptionId, resourceGroup, name, location, tags } = namespace;
  const ref = { subscriptionId, resourceGroup, name };
  const [rules, connections, others] = await Promise.all([
    listRules(azure, ref),
    listConnections(azure, ref),
    listWcfRelays(azure, ref),
  ]);
  return {
    ...{ ref, location, tags, rules },
    connections: await mapAtMost(CALLS_AT_ONCE, connections, async (connection) => ({
      ...toExisting(connection),
      rules: declared.connections.some((one) => sameName(one.name, connection.connection))
        ? await listRules(azure, connection)
        : [],
    })),
    others: others.map((other) => `WCF relay ${other}`),
  };
}

/** All but the rules, which take a call of their own. */
export function toExisting(connection: HybridConnection): Omit<ExistingConnection, 'rules'> {
  const { connection: name, userMetadata, requiresClientAuthorization } = connection;
  return { name, requiresClientAuthorization, ...readTarget(userMetadata) };
}

function readTarget(
  userMetadata: string | undefined,
): Pick<ExistingConnection, 'target' | 'readableMetadata'> {
  try {
    const target: Target | undefined = targetFromUserMetadata(userMetadata);
    return { target, readableMetadata: true };
  } catch (error) {
    if (!(error instanceof HcmError)) throw error;
    // A bad endpoint in a good list can be corrected in its place.
    return { target: undefined, readableMetadata: error.code === 'HCM_TARGET_INVALID' };
  }
}

/** Everything that would stop a creation half-way is asked before anything is changed. */
async function placeToMake(
  azure: Azure,
  declared: NamespaceDeclaration,
  request: ReadRequest & { isRemoving: boolean },
): Promise<NamespacePlace> {
  const { name } = declared;
  const at = declared.at === undefined ? '' : `${formatPlace(request.file, declared.at)}: `;
  const resourceGroup = declared.resourceGroup ?? request.resourceGroup;
  const ref = { subscriptionId: azure.subscriptionId, resourceGroup: resourceGroup ?? '', name };
  if (!request.toMake) return { ref, location: '', existing: undefined };
  if (resourceGroup === undefined) {
    throw new HcmError(
      'HCM_CONFIG_INVALID',
      `${at}the namespace "${name}" is to be made, and neither "resourceGroup" nor --resource-group says where.`,
    );
  }
  const group = await getResourceGroup(azure, resourceGroup);
  if (group === undefined) throw noGroup(at, resourceGroup, declared);
  // The name of one that is being deleted is free in a moment, which the creation waits for.
  if (!request.isRemoving) {
    const { available, reason, message } = await checkNamespaceName(azure, name);
    if (!available) throw nameTaken(at, name, { reason, message });
  }
  return { ref, location: declared.location ?? group.location, existing: undefined };
}

function noGroup(
  at: string,
  resourceGroup: string,
  { location = 'LOCATION' }: NamespaceDeclaration,
): HcmError {
  return new HcmError('HCM_RESOURCE_NOT_FOUND', `${at}there is no resource group "${resourceGroup}".`, {
    details: { next: `az group create --name ${resourceGroup} --location ${location}` },
  });
}

function nameTaken(
  at: string,
  name: string,
  { reason, message }: { reason: string; message: string },
): HcmError {
  const isTaken = reason === 'NameInUse';
  const why = isTaken
    ? 'is taken: names of namespaces are unique in all of Azure'
    : `cannot be used (${reason})`;
  return new HcmError(
    isTaken ? 'HCM_NAME_TAKEN' : 'HCM_NAME_INVALID',
    `${at}the name "${name}" ${why}. ${message}`.trim(),
    {
      details: { next: `hcm namespace check-name ${name}-2` },
    },
  );
}
