/**
 * Where a new namespace goes: its resource group, its location, and a subscription that may use Microsoft.Relay. What
 * can be wrong is looked at before anything is made.
 */
import { HcmError } from '../../protocol/errors.ts';
import { checkResourceName } from '../../protocol/resource-names.ts';
import type { Azure } from '../arm/azure.ts';
import { getProvider, registerProvider, type Provider } from '../arm/providers.ts';
import { createResourceGroup, getResourceGroup } from '../arm/resource-groups.ts';
import type { Steps } from './steps.ts';

const RELAY_PROVIDER = 'Microsoft.Relay';
const NAMESPACE_TYPE = 'namespaces';

export interface PlaceRequest {
  name: string;
  resourceGroup?: string | undefined;
  location?: string | undefined;
  createResourceGroup?: boolean;
}

export interface Place {
  resourceGroup: string;
  location: string;
}

/**
 * Resolves when the namespace can be made there; makes the resource group and registers the provider where needed.
 * @throws HcmError HCM_NAME_INVALID, HCM_INPUT_NEEDED, HCM_LOCATION_INVALID, HCM_RESOURCE_NOT_FOUND.
 */
export async function placeNamespace(azure: Azure, request: PlaceRequest, steps: Steps): Promise<Place> {
  const { name, resourceGroup } = request;
  if (resourceGroup === undefined) {
    throw needed(
      `The namespace "${name}" needs a resource group`,
      '--resource-group NAME (az group list -o table)',
    );
  }
  checkResourceName('resource group', resourceGroup);
  const [group, provider] = await Promise.all([getResourceGroup(azure, resourceGroup), readProvider(azure)]);
  if (group === undefined && !request.createResourceGroup) throw noGroup(azure, resourceGroup);
  const location = plainLocation(request.location ?? group?.location ?? '');
  if (location === '')
    throw needed(`The resource group "${resourceGroup}" needs a location`, '--location NAME');
  checkLocation(location, provider);
  if (provider?.registered === false) {
    await steps.run(
      { doing: `registering ${RELAY_PROVIDER}`, done: `registered ${RELAY_PROVIDER} in the subscription` },
      () => registerProvider(azure, RELAY_PROVIDER),
    );
  }
  if (group === undefined) {
    await steps.run(
      {
        doing: `creating the resource group "${resourceGroup}"`,
        done: `created the resource group "${resourceGroup}"`,
      },
      () => createResourceGroup(azure, { name: resourceGroup, location }),
    );
  }
  return { resourceGroup, location };
}

/** `West Europe` as `westeurope`: Azure takes and gives both. */
export function plainLocation(location: string): string {
  return location.toLowerCase().replace(/\s+/g, '');
}

/** Undefined where it may not be read: Azure itself decides then. */
async function readProvider(azure: Azure): Promise<Provider | undefined> {
  try {
    return await getProvider(azure, RELAY_PROVIDER);
  } catch (error) {
    if (error instanceof HcmError && error.code === 'HCM_AZURE_FORBIDDEN') return undefined;
    throw error;
  }
}

function checkLocation(location: string, provider: Provider | undefined): void {
  const known = (provider?.locations.get(NAMESPACE_TYPE) ?? []).map(plainLocation);
  if (known.length === 0 || known.includes(location)) return;
  throw new HcmError(
    'HCM_LOCATION_INVALID',
    `Azure has no relay namespaces in "${location}". It has them in: ${known.join(', ')}.`,
    { details: { next: 'Take one of these locations: --location NAME' } },
  );
}

function needed(what: string, flag: string): HcmError {
  return new HcmError('HCM_INPUT_NEEDED', `${what}.`, { details: { next: `Add ${flag}` } });
}

function noGroup({ subscriptionId }: Azure, name: string): HcmError {
  return new HcmError(
    'HCM_RESOURCE_NOT_FOUND',
    `There is no resource group "${name}" in the subscription ${subscriptionId}.`,
    {
      details: {
        next: 'Add --create-resource-group --location NAME, or take one of: az group list -o table',
      },
    },
  );
}
