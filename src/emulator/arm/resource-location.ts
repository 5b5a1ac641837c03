/** The region in the body of a PUT; what is there stays where it is. */
import { ArmError, GATEWAY } from './arm-error.ts';
import { locationIn } from './body.ts';
import { LOCATION_NAMES } from './locations.ts';

/**
 * The region, as `westeurope`.
 * @param resource its type as `Microsoft.Web/sites`; `location` is where it is, if there is one.
 * @throws ArmError 400 LocationRequired, LocationNotAvailableForResourceType, 409 InvalidResourceLocation
 */
export function requireLocation(
  body: unknown,
  resource: { type: string; name: string; resourceGroup: string; location: string | undefined },
): string {
  const { type, name, resourceGroup, location: existing } = resource;
  const location = locationIn(body, type, LOCATION_NAMES);
  if (existing === undefined || existing === location) return location;
  const message = `The resource '${name}' already exists in location '${existing}' in resource group '${resourceGroup}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`;
  throw new ArmError(409, 'InvalidResourceLocation', message, { headers: GATEWAY });
}
