/** Where a new namespace goes: its resource group, which may be new as well, and its location. */
import { HcmError } from '../../../protocol/errors.ts';
import { checkResourceName } from '../../../protocol/resource-names.ts';
import type { App } from '../../arm/apps.ts';
import type { ResourceGroup } from '../../arm/resource-groups.ts';
import { plainLocation } from '../../services/namespace-place.ts';
import { faultOf, look, type Asking } from './asking.ts';
import type { Choice } from './prompts.ts';

const NEW_GROUP = 'hcm-relay';

export interface AskedPlace {
  resourceGroup: string;
  newResourceGroup: boolean;
  location: string;
}

/** @throws HcmError HCM_INPUT_NEEDED, HCM_NAME_INVALID, HCM_LOCATION_INVALID. */
export async function askPlace(asking: Asking, app: App | undefined): Promise<AskedPlace> {
  const groups = await look(asking, 'looking for resource groups', asking.reader.resourceGroups());
  const name = await askGroup(asking, { groups, app });
  const group = groups.find((one) => one.name.toLowerCase() === name.toLowerCase());
  return {
    resourceGroup: group?.name ?? name,
    newResourceGroup: group === undefined,
    location: await askLocation(asking, { group, app }),
  };
}

async function askGroup(
  { given, prompts }: Asking,
  { groups, app }: { groups: readonly ResourceGroup[]; app: App | undefined },
): Promise<string> {
  if (given.resourceGroup !== undefined) return checkResourceName('resource group', given.resourceGroup);
  const choices: Choice<string>[] = appFirst(groups, app).map(({ name, location }) => ({
    name,
    value: name,
    description: name.toLowerCase() === app?.resourceGroup.toLowerCase() ? 'The one of the app.' : location,
  }));
  const chosen =
    choices.length === 0
      ? ''
      : await prompts.search({
          ...{ id: 'resource-group', message: 'Which resource group?' },
          flag: '--resource-group NAME',
          choices: [...choices, { name: 'a new one', value: '' }],
        });
  if (chosen !== '') return chosen;
  const taken = new Set(groups.map(({ name }) => name.toLowerCase()));
  return prompts.text({
    ...{ id: 'resource-group-name', message: 'Name of the new resource group?' },
    flag: '--resource-group NAME',
    ...(taken.has(NEW_GROUP) ? {} : { proposal: NEW_GROUP }),
    check: (name) =>
      Promise.resolve(
        taken.has(name.toLowerCase())
          ? `There is a resource group "${name}" already.`
          : faultOf(() => checkResourceName('resource group', name)),
      ),
  });
}

function appFirst(groups: readonly ResourceGroup[], app: App | undefined): ResourceGroup[] {
  const rank = ({ name }: ResourceGroup) => (name.toLowerCase() === app?.resourceGroup.toLowerCase() ? 0 : 1);
  return [...groups].sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
}

/** Near the app is best; where the resource group is comes next. */
async function askLocation(
  asking: Asking,
  { group, app }: { group: ResourceGroup | undefined; app: App | undefined },
): Promise<string> {
  const { given, prompts, reader } = asking;
  const known = await look(asking, 'looking for locations', reader.locations());
  if (given.location !== undefined) return checkLocation(plainLocation(given.location), known);
  const near = [app?.location, group?.location]
    .flatMap((location) => (location === undefined ? [] : [plainLocation(location)]))
    .filter((location) => known.length === 0 || known.includes(location));
  const [first] = near;
  const question = {
    id: 'location',
    flag: '--location NAME',
    unasked: group && plainLocation(group.location),
  };
  if (known.length === 0) {
    return prompts.text({
      ...{ ...question, message: 'Which location, such as westeurope?' },
      ...(first === undefined ? {} : { proposal: first }),
      check: (text) => Promise.resolve(text === '' ? 'Type a location.' : undefined),
    });
  }
  const sorted = [...new Set([...near, ...known])];
  return prompts.search({
    ...{ ...question, message: 'Which location?' },
    choices: sorted.map((name) => ({
      ...{ name, value: name },
      ...(name === plainLocation(app?.location ?? '')
        ? { description: 'The one of the app: nearest to it.' }
        : {}),
    })),
  });
}

function checkLocation(location: string, known: readonly string[]): string {
  if (known.length === 0 || known.includes(location)) return location;
  throw new HcmError(
    'HCM_LOCATION_INVALID',
    `Azure has no relay namespaces in "${location}". It has them in: ${known.join(', ')}.`,
    { details: { next: 'Take one of these locations: --location NAME' } },
  );
}
