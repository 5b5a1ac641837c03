/** Reading the bodies of requests: what is asked of ARM by name, and refused in its words. */
import { ArmError, GATEWAY, invalidRequestContent } from './arm-error.ts';
import { isLocation, locationId, locationNames } from './locations.ts';
import type { Tags } from '../state.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Most tags that a resource may have, and the longest name and value (Resource Manager's limits). */
const MAX_TAGS = 50;
const TAG_NAME_MAX_CHARS = 512;
const TAG_VALUE_MAX_CHARS = 256;

/** An object of a body; empty when there is none. @throws ArmError 400 when it is something else. */
export function recordIn(body: unknown, name: string): JsonRecord {
  const value = (body as JsonRecord | undefined)?.[name] ?? {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as JsonRecord;
  throw invalidRequestContent(`Error converting value to type of property '${name}'.`);
}

/** A text of a body; undefined when there is none. @throws ArmError 400 when it is something else. */
export function textIn(body: unknown, name: string): string | undefined {
  const value = (body as JsonRecord | undefined)?.[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw invalidRequestContent(`Error converting value to type 'System.String'. Path '${name}'.`);
}

export function booleanIn(body: unknown, name: string): boolean | undefined {
  const value = (body as JsonRecord | undefined)?.[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalidRequestContent(`Could not convert value to boolean. Path '${name}'.`);
}

/** The tags of a body; undefined when it has none. Values that are no text become text, as at ARM. */
export function tagsIn(body: unknown): Tags | undefined {
  if (((body as JsonRecord | undefined)?.['tags'] ?? undefined) === undefined) return undefined;
  const entries = Object.entries(recordIn(body, 'tags')).map(
    ([name, value]) => [name, tagText(value)] as const,
  );
  if (entries.length > MAX_TAGS) {
    const message = `The number of tags of the resource is ${entries.length}. The maximum number of tags allowed is ${MAX_TAGS}.`;
    throw new ArmError(400, 'InvalidTags', message, { headers: GATEWAY });
  }
  const tooLong = entries.find(
    ([name, value]) => name.length > TAG_NAME_MAX_CHARS || value.length > TAG_VALUE_MAX_CHARS,
  );
  if (tooLong !== undefined) {
    const message = `The tag '${tooLong[0].slice(0, TAG_VALUE_MAX_CHARS)}' is too long: names have at most ${TAG_NAME_MAX_CHARS} characters and values ${TAG_VALUE_MAX_CHARS}.`;
    throw new ArmError(400, 'InvalidTags', message, { headers: GATEWAY });
  }
  return Object.fromEntries(entries);
}

/**
 * The location of a body, as `westeurope`.
 * @param resourceType for the refusal: `Microsoft.Relay/namespaces`.
 * @throws ArmError 400 LocationRequired, LocationNotAvailableForResourceType
 */
export function locationIn(body: unknown, resourceType: string, available: readonly string[]): string {
  const location = textIn(body, 'location') ?? '';
  if (location === '') {
    const message = 'The location property is required for this definition.';
    throw new ArmError(400, 'LocationRequired', message, { headers: GATEWAY });
  }
  const names = locationNames(available);
  if (isLocation(location) && names.includes(locationId(location))) return locationId(location);
  const message = `The provided location '${location}' is not available for resource type '${resourceType}'. List of available regions for the resource type is '${names.join(',')}'.`;
  throw new ArmError(400, 'LocationNotAvailableForResourceType', message, { headers: GATEWAY });
}

function tagText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null) return '';
  throw invalidRequestContent("Error converting value to type 'System.String'. Path 'tags'.");
}
