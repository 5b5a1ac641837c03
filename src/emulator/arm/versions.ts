/** Which api-versions there are, of Resource Manager itself and of a provider's types, and how ARM refuses others. */
import { ArmError, GATEWAY } from './arm-error.ts';
import type { ArmPath } from './arm-path.ts';
import { locationNames } from './locations.ts';
import type { ArmProvider, ArmResourceType } from './router.ts';

/** Of subscriptions, tenants, resource groups and providers: what ARM's own refusal lists, newest first. */
export const CORE_VERSIONS: readonly string[] = [
  ...['2026-03-01', '2025-11-01', '2025-08-01', '2025-06-01', '2025-05-01', '2025-04-01', '2025-03-01'],
  ...['2025-01-01', '2024-11-01', '2024-08-01', '2024-07-01', '2024-06-01-preview', '2024-03-01'],
  ...['2023-08-01', '2023-07-01', '2023-07-01-preview', '2023-03-01-preview', '2022-12-01'],
  ...['2022-11-01-preview', '2022-09-01', '2022-06-01', '2022-05-01', '2022-03-01-preview', '2022-01-01'],
  ...['2021-04-01', '2021-01-01', '2020-10-01', '2020-09-01', '2020-08-01', '2020-07-01', '2020-06-01'],
  ...['2020-05-01', '2020-01-01', '2019-11-01', '2019-10-01', '2019-09-01', '2019-08-01', '2019-07-01'],
  ...['2019-06-01', '2019-05-10', '2019-05-01', '2019-03-01', '2018-11-01', '2018-09-01', '2018-08-01'],
  ...['2018-07-01', '2018-06-01', '2018-05-01', '2018-02-01', '2018-01-01', '2017-12-01', '2017-08-01'],
  ...['2017-06-01', '2017-05-10', '2017-05-01', '2017-03-01', '2016-09-01', '2016-07-01', '2016-06-01'],
  ...['2016-02-01', '2015-11-01', '2015-01-01', '2014-04-01-preview', '2014-04-01', '2014-01-01'],
];

/** @throws ArmError 400 InvalidApiVersionParameter */
export function checkVersion(apiVersion: string, known: readonly string[] = CORE_VERSIONS): void {
  if (known.includes(apiVersion)) return;
  const message = `The api-version '${apiVersion}' is invalid. The supported versions are '${known.join(',')}'.`;
  throw new ArmError(400, 'InvalidApiVersionParameter', message, { headers: GATEWAY });
}

/**
 * Where it is known where the resource is, ARM complains of the location, too.
 * @throws ArmError 404 InvalidResourceType, 400 NoRegisteredProviderFound
 */
export function checkTypeAndVersion(
  provider: ArmProvider,
  path: ArmPath,
  apiVersion: string,
  locationOf: () => string | undefined,
): void {
  const found = knownType(provider, path.type);
  if (found === undefined) {
    throw new ArmError(
      ...([404, 'InvalidResourceType'] as const),
      `The resource type '${path.type}' could not be found in the namespace '${provider.namespace}' for api version '${apiVersion}'.`,
      { headers: GATEWAY },
    );
  }
  const { name, apiVersions, locations } = found;
  if (apiVersions.some((known) => known.toLowerCase() === apiVersion)) return;
  const location = locationOf();
  if (location === undefined || locations.length === 0) {
    throw new ArmError(
      ...([404, 'InvalidResourceType'] as const),
      `The resource type '${name}' could not be found in the namespace '${provider.namespace}' for api version '${apiVersion}'. The supported api-versions are '${apiVersions.join(',')}'.`,
      { headers: GATEWAY },
    );
  }
  throw new ArmError(
    ...([400, 'NoRegisteredProviderFound'] as const),
    `No registered resource provider found for location '${location}' and API version '${apiVersion}' for type '${name}'. The supported api-versions are '${apiVersions.join(', ')}'. The supported locations are '${locationNames(locations).join(', ')}'.`,
    { headers: GATEWAY },
  );
}

/** The type itself, or the nearest that it belongs to: a provider lists those that matter. */
function knownType(provider: ArmProvider, type: string): ({ name: string } & ArmResourceType) | undefined {
  const types = Object.entries(provider.types);
  for (let wanted = type.toLowerCase(); wanted !== ''; wanted = wanted.split('/').slice(0, -1).join('/')) {
    const found = types.find(([name]) => name.toLowerCase() === wanted);
    if (found !== undefined) return { name: found[0], ...found[1] };
  }
  return undefined;
}
