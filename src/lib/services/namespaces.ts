/** Relay namespaces, made and deleted whole: looked at first, so that nothing is done twice, and waited for to the end. */
import { HcmError } from '../../protocol/errors.ts';
import { checkResourceName } from '../../protocol/resource-names.ts';
import type { Azure } from '../arm/azure.ts';
import { listConnections, type HybridConnection } from '../arm/connections.ts';
import { waitUntil, type Wait } from '../arm/long-operation.ts';
import {
  checkNamespaceName,
  getNamespace,
  isActive,
  isRemoving,
  listNamespaces,
  namespaceNameOf,
  putNamespaceTags,
  startNamespaceCreate,
  startNamespaceDelete,
  type NameCheck,
  type Namespace,
} from '../arm/namespaces.ts';
import type { NamespaceRef } from '../arm/references.ts';
import { orGone } from '../arm/web-call.ts';
import { placeNamespace, plainLocation } from './namespace-place.ts';
import { Steps } from './steps.ts';

/** How long to wait, if at all. */
export interface Waiting {
  /** False: only until Azure has taken the request. */
  wait: boolean;
  timeoutMs: number;
}

export interface NamespaceRequest extends Waiting {
  name: string;
  /** Needed to make one. */
  resourceGroup?: string | undefined;
  /** Default: the one of the resource group. */
  location?: string | undefined;
  /** Added to those that are there. */
  tags?: Readonly<Record<string, string>> | undefined;
  createResourceGroup?: boolean;
}

export interface NamespaceResult {
  changed: boolean;
  /** False: it was there, and only its tags may have changed. */
  created: boolean;
  /** Connections can be made in it. */
  ready: boolean;
  namespace: Namespace;
}

/**
 * Makes the namespace unless it is there, and waits until it is Active.
 * @throws HcmError HCM_NAME_INVALID, HCM_INPUT_NEEDED, HCM_LOCATION_INVALID, HCM_NAME_TAKEN, HCM_RESOURCE_NOT_FOUND (the
 * resource group), HCM_RESOURCE_CONFLICT (it exists elsewhere), HCM_OPERATION_FAILED, HCM_WAIT_TIMEOUT, HCM_INTERRUPTED.
 */
export async function createNamespace(azure: Azure, request: NamespaceRequest): Promise<NamespaceResult> {
  checkResourceName('namespace', request.name);
  const steps = new Steps(azure);
  const found = await findByName(azure, request.name);
  if (found !== undefined && !isRemoving(found))
    return steps.guard(() => keepNamespace(azure, found, request));
  const place = await placeNamespace(azure, request, steps);
  return steps.guard(async () => {
    if (found !== undefined) await waitUntilGone(azure, found, request);
    const ref = {
      subscriptionId: azure.subscriptionId,
      resourceGroup: place.resourceGroup,
      name: request.name,
    };
    await checkNameIsFree(azure, request.name);
    const wait = createWait(ref.name, request);
    const settings = { location: place.location, tags: request.tags ?? {} };
    const operation = await steps.run({ doing: wait.about }, () =>
      startNamespaceCreate(azure, ref, settings),
    );
    if (request.wait) await operation.wait(wait);
    return ready(azure, ref, { request, created: true, changed: true });
  });
}

/** It exists: nothing is made, but missing tags are added. */
async function keepNamespace(
  azure: Azure,
  found: Namespace,
  request: NamespaceRequest,
): Promise<NamespaceResult> {
  checkSamePlace(found, request);
  const tags = { ...found.tags, ...request.tags };
  const changed = Object.keys(tags).some((key) => tags[key] !== found.tags[key]);
  if (changed) await putNamespaceTags(azure, found, tags);
  return ready(azure, found, { request, created: false, changed });
}

/** Waits until the namespace is Active where that is wanted, and reads it as it is then. */
async function ready(
  azure: Azure,
  ref: NamespaceRef,
  { request, ...outcome }: { request: NamespaceRequest; created: boolean; changed: boolean },
): Promise<NamespaceResult> {
  const namespace = request.wait
    ? await waitUntilActive(azure, ref, request)
    : await getNamespace(azure, ref);
  if (namespace === undefined) throw gone(ref);
  return { ...outcome, ready: isActive(namespace), namespace };
}

/** Resolves with the namespace once connections can be made in it; asks once when it is Active already. */
export async function waitUntilActive(
  azure: Azure,
  ref: NamespaceRef,
  waiting: Pick<Waiting, 'timeoutMs'>,
): Promise<Namespace> {
  let namespace: Namespace | undefined;
  await waitUntil(azure, createWait(ref.name, waiting), async () => {
    namespace = await getNamespace(azure, ref);
    if (namespace === undefined) throw gone(ref);
    if (/^(?:failed|disabled)$/i.test(namespace.status)) throw failed(namespace);
    return { done: isActive(namespace), state: namespace.status };
  });
  if (namespace === undefined) throw gone(ref);
  return namespace;
}

export interface DeleteNamespaceRequest extends Waiting {
  name: string;
  resourceGroup?: string | undefined;
  /** Asked before anything happens; rejects to stop it. */
  confirm(namespace: Namespace, connections: readonly HybridConnection[]): Promise<void>;
}

/** Deletes it with all that is in it. `changed` is false when it was gone already. */
export async function deleteNamespace(
  azure: Azure,
  request: DeleteNamespaceRequest,
): Promise<{ changed: boolean; gone: boolean }> {
  const name = namespaceNameOf(azure, request.name);
  const found = await findByName(azure, name, request.resourceGroup);
  if (found === undefined) return { changed: false, gone: true };
  if (isRemoving(found)) {
    if (request.wait) await waitUntilGone(azure, found, request);
    return { changed: false, gone: request.wait };
  }
  await request.confirm(found, await listConnections(azure, found));
  const wait = deleteWait(found.name, request);
  const steps = new Steps(azure);
  const operation = await steps.run({ doing: wait.about }, () => startNamespaceDelete(azure, found));
  if (!request.wait) return { changed: true, gone: false };
  await operation?.wait(wait);
  await waitUntilGone(azure, found, request);
  return { changed: true, gone: true };
}

async function waitUntilGone(
  azure: Azure,
  ref: NamespaceRef,
  waiting: Pick<Waiting, 'timeoutMs'>,
): Promise<void> {
  await waitUntil(azure, deleteWait(ref.name, waiting), async () => {
    const namespace = await getNamespace(azure, ref);
    return { done: namespace === undefined, state: namespace?.status };
  });
}

/** Whatever its state. A resource group or a provider that is not there has no namespaces. */
async function findByName(
  azure: Azure,
  name: string,
  resourceGroup?: string,
): Promise<Namespace | undefined> {
  const listed = await orGone(unlessUnregistered(listNamespaces(azure, resourceGroup)));
  return listed?.find((namespace) => namespace.name.toLowerCase() === name.toLowerCase());
}

async function unlessUnregistered<T>(list: Promise<T[]>): Promise<T[]> {
  try {
    return await list;
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_PROVIDER_NOT_REGISTERED') return [];
    throw error;
  }
}

/**
 * Whether the name is free in all of Azure; asks Azure only about what can be a name.
 * @throws HcmError HCM_NAME_INVALID; HCM_PROVIDER_NOT_REGISTERED where the subscription may not ask.
 */
export function checkName(azure: Azure, name: string): Promise<NameCheck> {
  return checkNamespaceName(azure, checkResourceName('namespace', name));
}

async function checkNameIsFree(azure: Azure, name: string): Promise<void> {
  const { available, reason, message } = await checkNamespaceName(azure, name);
  if (available) return;
  if (/^InvalidName$/i.test(reason))
    throw new HcmError('HCM_NAME_INVALID', `Azure refuses the name "${name}": ${message}`);
  if (!/^NameIn/i.test(reason)) {
    throw new HcmError(
      'HCM_AZURE_REJECTED',
      `The namespace "${name}" cannot be made (${reason}): ${message}`,
    );
  }
  throw new HcmError(
    'HCM_NAME_TAKEN',
    `The name "${name}" is taken: names of namespaces are unique in all of Azure. Azure says: ${message}`,
    { details: { next: `hcm namespace check-name ${name}-2` } },
  );
}

function checkSamePlace(found: Namespace, { resourceGroup, location }: NamespaceRequest): void {
  const conflict = (what: string, is: string, wanted: string) =>
    new HcmError(
      'HCM_RESOURCE_CONFLICT',
      `The namespace "${found.name}" exists in the ${what} ${is}, not ${wanted}: a namespace cannot be moved.`,
      { details: { next: `hcm namespace show ${found.name}` } },
    );
  if (resourceGroup !== undefined && resourceGroup.toLowerCase() !== found.resourceGroup.toLowerCase()) {
    throw conflict('resource group', found.resourceGroup, resourceGroup);
  }
  if (location !== undefined && plainLocation(location) !== plainLocation(found.location)) {
    throw conflict('location', found.location, location);
  }
}

/** Typed again, either command goes on with the wait. */
function createWait(name: string, { timeoutMs }: Pick<Waiting, 'timeoutMs'>): Wait {
  return { about: `creating the namespace "${name}"`, timeoutMs, resume: `hcm namespace create ${name}` };
}

function deleteWait(name: string, { timeoutMs }: Pick<Waiting, 'timeoutMs'>): Wait {
  return {
    about: `deleting the namespace "${name}"`,
    timeoutMs,
    resume: `hcm namespace delete ${name} --yes`,
  };
}

function gone({ name }: NamespaceRef): HcmError {
  return new HcmError('HCM_RESOURCE_NOT_FOUND', `The namespace "${name}" is gone: somebody deletes it.`);
}

function failed({ name, status }: Namespace): HcmError {
  return new HcmError(
    'HCM_OPERATION_FAILED',
    `Azure could not make the namespace "${name}": it is ${status}.`,
    {
      details: { next: `hcm namespace delete ${name}` },
    },
  );
}
