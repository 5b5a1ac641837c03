/** What a request wants of a namespace, and whether it can have it: names, location, SKU. */
import type { NamespaceState, Tags } from '../../state.ts';
import { findByName } from '../../state.ts';
import { ArmError, GATEWAY } from '../arm-error.ts';
import { locationIn, recordIn, tagsIn, textIn } from '../body.ts';
import { LOCATION_NAMES } from '../locations.ts';
import type { ArmRequest } from '../router.ts';
import { badRequest, sameName } from './look-up.ts';

export interface NamespaceBody {
  readonly location: string;
  readonly tags?: Tags | undefined;
  readonly publicNetworkAccess?: string | undefined;
  readonly minimumTlsVersion?: string | undefined;
}

/** Azure's naming rules of Microsoft.Relay/namespaces; it refuses these endings besides (azure-service-bus#269). */
const NAME_PATTERN = /^[a-z][a-z0-9-]{4,48}[a-z0-9]$/i;
const RESERVED_ENDING = /-(?:sb|mgmt|cache|appfabric)$/i;
const NETWORK_ACCESS = ['Enabled', 'Disabled', 'SecuredByPerimeter'];
const TLS_VERSIONS = ['1.0', '1.1', '1.2', '1.3'];

/**
 * @param location of a namespace that is there, where the body need not name one.
 * @throws ArmError 400
 */
export function readNamespaceBody({ body }: ArmRequest, location?: string): NamespaceBody {
  checkSku(recordIn(body, 'sku'));
  const properties = recordIn(body, 'properties');
  return {
    location: location ?? locationIn(body, 'Microsoft.Relay/namespaces', LOCATION_NAMES),
    tags: tagsIn(body),
    publicNetworkAccess: oneOf(properties, 'publicNetworkAccess', NETWORK_ACCESS),
    minimumTlsVersion: oneOf(properties, 'minimumTlsVersion', TLS_VERSIONS),
  };
}

/** A name is a host name: nobody else in the whole emulator may have it. @throws ArmError 400, 409 */
export function checkNew(namespaces: readonly NamespaceState[], name: string, subscriptionId: string): void {
  if (!isNamespaceName(name)) throw badRequest('The specified service namespace is invalid.');
  const owner = findByName(namespaces, name);
  if (owner === undefined) return;
  if (!sameName(owner.subscriptionId, subscriptionId)) {
    throw badRequest(
      'The specified name is not available. For more information visit https://aka.ms/sbResourceMgrExceptions.',
    );
  }
  const message = `The specified service namespace is in use in resource group '${owner.resourceGroup}' of this subscription.`;
  throw badRequest(`The specified name is not available. ${message}`);
}

export function isNamespaceName(name: string): boolean {
  return NAME_PATTERN.test(name) && !RESERVED_ENDING.test(name);
}

/** @throws ArmError 409 InvalidResourceLocation */
export function checkSameLocation({ name, location, resourceGroup }: NamespaceState, wanted: string): void {
  if (wanted === location) return;
  const message = `The resource '${name}' already exists in location '${location}' in resource group '${resourceGroup}'. A resource with the same name cannot be created in location '${wanted}'. Please select a new resource name.`;
  throw new ArmError(409, 'InvalidResourceLocation', message, { headers: GATEWAY });
}

/** There is one: Standard. */
function checkSku(sku: Readonly<Record<string, unknown>>): void {
  for (const field of ['name', 'tier']) {
    const value = textIn(sku, field);
    if (value !== undefined && value.toLowerCase() !== 'standard') {
      throw badRequest(`The specified SKU ${field} '${value}' is not supported. Namespaces are 'Standard'.`);
    }
  }
}

function oneOf(
  properties: Readonly<Record<string, unknown>>,
  name: string,
  known: readonly string[],
): string | undefined {
  const value = textIn(properties, name);
  if (value === undefined) return undefined;
  const found = known.find((word) => word.toLowerCase() === value.toLowerCase());
  if (found === undefined)
    throw badRequest(`The value '${value}' of ${name} is not one of ${known.join(', ')}.`);
  return found;
}
