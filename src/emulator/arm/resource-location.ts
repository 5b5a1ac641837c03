/** The region in the body of a PUT, and how ARM refuses one that is missing, unknown, or another than before. */
import { ArmError, GATEWAY } from './arm-error.ts';
import { isLocation, locationId, LOCATION_NAMES, locationNames } from './locations.ts';

export interface LocatedResource {
  readonly body: unknown;
  /** `Microsoft.Web/sites` */
  readonly type: string;
  readonly name: string;
  readonly resourceGroup: string;
  /** Where the resource is, if there is one. */
  readonly existing: string | undefined;
}

/**
 * Answers the region as `westeurope`, and as it was asked for.
 * @throws ArmError 400 LocationRequired, 400 LocationNotAvailableForResourceType, 409 InvalidResourceLocation
 */
export function requireLocation(resource: LocatedResource): { location: string; asked: string } {
  const { type, name, resourceGroup, existing } = resource;
  const { location: asked } = (resource.body ?? {}) as { location?: unknown };
  if (typeof asked !== 'string' || asked.trim() === '') {
    throw gateway(400, 'LocationRequired', 'The location property is required for this definition.');
  }
  if (!isLocation(asked)) {
    const regions = locationNames(LOCATION_NAMES).join(',');
    throw gateway(
      ...([400, 'LocationNotAvailableForResourceType'] as const),
      `The provided location '${asked}' is not available for resource type '${type}'. List of available regions for the resource type is '${regions}'.`,
    );
  }
  const location = locationId(asked);
  if (existing !== undefined && existing !== location) {
    throw gateway(
      ...([409, 'InvalidResourceLocation'] as const),
      `The resource '${name}' already exists in location '${existing}' in resource group '${resourceGroup}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
    );
  }
  return { location, asked };
}

function gateway(status: number, code: string, message: string): ArmError {
  return new ArmError(status, code, message, { headers: GATEWAY });
}
