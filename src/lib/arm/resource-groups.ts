/** Resource groups: listed, read, made. */
import { listAll, type Azure } from './azure.ts';
import { resourceGroupPath } from './references.ts';
import { orGone } from './web-call.ts';

export interface ResourceGroup {
  readonly name: string;
  readonly location: string;
}

const API_VERSION = '2021-04-01';

export function listResourceGroups(azure: Azure): Promise<ResourceGroup[]> {
  return listAll<ResourceGroup>(azure, {
    path: `/subscriptions/${azure.subscriptionId}/resourcegroups`,
    apiVersion: API_VERSION,
    about: 'the resource groups',
  });
}

/** Undefined when there is none of this name. */
export async function getResourceGroup(azure: Azure, name: string): Promise<ResourceGroup | undefined> {
  const answer = await orGone(
    azure.send<ResourceGroup>({
      ...{ method: 'GET', path: resourceGroupPath(azure.subscriptionId, name), apiVersion: API_VERSION },
      about: `the resource group "${name}"`,
    }),
  );
  return answer?.body;
}

export async function createResourceGroup(
  azure: Azure,
  { name, location }: ResourceGroup,
): Promise<ResourceGroup> {
  const { body } = await azure.send<ResourceGroup>({
    ...{ method: 'PUT', path: resourceGroupPath(azure.subscriptionId, name), apiVersion: API_VERSION },
    body: { location },
    about: `creating the resource group "${name}"`,
  });
  return body;
}
