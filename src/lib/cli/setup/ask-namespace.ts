/** Which namespace: one that is there, or a new one with its name, resource group and location; and what it costs. */
import { HcmError } from '../../../protocol/errors.ts';
import { checkResourceName } from '../../../protocol/resource-names.ts';
import type { Target } from '../../../protocol/target.ts';
import type { App } from '../../arm/apps.ts';
import type { Namespace } from '../../arm/namespaces.ts';
import { plainLocation } from '../../services/namespace-place.ts';
import type { NamespaceAnswer } from '../../services/setup/answers.ts';
import { hostWord, proposeNamespace } from '../../services/setup/proposals.ts';
import { askPlace } from './ask-place.ts';
import { faultOf, look, type Asking } from './asking.ts';
import type { Choice } from './prompts.ts';

const PRICES = 'https://azure.microsoft.com/pricing/details/azure-relay';
const ABOUT = 'A namespace holds hybrid connections.';
const COST = `${ABOUT} Azure bills each listener by the hour,
and data beyond what that includes:\n${PRICES}`;
const COST_OF_LOCAL = `${ABOUT} In the local Azure it costs nothing.`;

/** @throws HcmError HCM_INPUT_NEEDED, HCM_NAME_INVALID, HCM_NAME_TAKEN, HCM_RESOURCE_CONFLICT, HCM_LOCATION_INVALID. */
export async function askNamespace(
  asking: Asking,
  known: { app: App | undefined; target: Target },
): Promise<NamespaceAnswer> {
  const { given, reader } = asking;
  const namespaces = await look(asking, 'looking for namespaces', reader.namespaces());
  if (given.namespace !== undefined) return givenNamespace(asking, given.namespace, { namespaces, ...known });
  const fitting = namespaces.filter((one) => placeConflict(one, asking) === undefined);
  const chosen = fitting.length === 0 ? 'new' : await chooseNamespace(asking, fitting);
  if (chosen !== 'new') return { kind: 'existing', namespace: chosen };
  const name = await askName(asking, known, fitting.length === 0);
  return newNamespace(asking, name, known.app);
}

async function givenNamespace(
  asking: Asking,
  wanted: string,
  { namespaces, app }: { namespaces: readonly Namespace[]; app: App | undefined },
): Promise<NamespaceAnswer> {
  const { reader } = asking;
  const name = reader.namespaceName(wanted);
  const existing = namespaces.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (existing !== undefined) {
    const conflict = placeConflict(existing, asking);
    if (conflict === undefined) return { kind: 'existing', namespace: existing };
    throw new HcmError('HCM_RESOURCE_CONFLICT', conflict, {
      details: { next: `hcm namespace show ${existing.name}` },
    });
  }
  checkResourceName('namespace', name);
  const fault = await reader.nameFault(name);
  if (fault !== undefined) {
    throw new HcmError('HCM_NAME_TAKEN', fault, { details: { next: `hcm namespace check-name ${name}-2` } });
  }
  return newNamespace(asking, name, app);
}

async function newNamespace(asking: Asking, name: string, app: App | undefined): Promise<NamespaceAnswer> {
  return { kind: 'new', name, ...(await askPlace(asking, app)) };
}

function chooseNamespace(asking: Asking, namespaces: readonly Namespace[]): Promise<Namespace | 'new'> {
  const width = Math.max(...namespaces.map(({ name }) => name.length));
  const choices: Choice<Namespace | 'new'>[] = namespaces.map((namespace) => ({
    name: `${namespace.name.padEnd(width)}  ${namespace.location}`,
    value: namespace,
    short: namespace.name,
    description: `Resource group ${namespace.resourceGroup}. One namespace can hold many connections.`,
  }));
  choices.push({
    name: 'a new one',
    value: 'new',
    description: 'Takes about a minute. Costs nothing by itself: listeners cost.',
  });
  return asking.prompts.search({
    ...{ id: 'namespace', message: 'Which namespace?', flag: '--namespace NAME', choices },
    hint: costOf(asking),
  });
}

function costOf({ reader }: Asking): string {
  return reader.local ? COST_OF_LOCAL : COST;
}

async function askName(
  asking: Asking,
  known: { app: App | undefined; target: Target },
  hintToo: boolean,
): Promise<string> {
  const { prompts, reader, randomEnding } = asking;
  const about = known.app?.name ?? hostWord(known.target.host);
  const plain = proposeNamespace(about);
  const taken = await look(asking, 'looking for a free name', reader.nameFault(plain));
  return prompts.text({
    ...{ id: 'namespace-name', message: 'Name of the new namespace?', flag: '--namespace NAME' },
    ...(hintToo ? { hint: costOf(asking) } : {}),
    proposal: taken === undefined ? plain : proposeNamespace(about, randomEnding()),
    check: async (name) =>
      faultOf(() => checkResourceName('namespace', name)) ?? (await reader.nameFault(name)),
  });
}

/** Why an existing namespace is not where the flags want it. */
function placeConflict({ name, resourceGroup, location }: Namespace, { given }: Asking): string | undefined {
  const { resourceGroup: group = resourceGroup, location: place = location } = given;
  const conflict = (what: string, is: string, wanted: string) =>
    `The namespace "${name}" exists in the ${what} ${is}, not ${wanted}: a namespace cannot be moved.`;
  if (group.toLowerCase() !== resourceGroup.toLowerCase()) {
    return conflict('resource group', resourceGroup, group);
  }
  return plainLocation(place) === plainLocation(location) ? undefined : conflict('location', location, place);
}
