/** All resources of a subscription or a group, of whatever provider, as ARM itself lists them. */
import type { EmulatorState, Tags } from '../../state.ts';
import type { ArmContext } from '../context.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';

interface Resource {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location: string;
  readonly tags?: Tags;
  readonly kind?: string;
  readonly sku?: object;
}

export function resourceRoutes({ state }: ArmContext): ArmRoute[] {
  const patterns = [
    '/subscriptions/{subscriptionId}/resources',
    '/subscriptions/{subscriptionId}/resourcegroups/{resourceGroup}/resources',
  ];
  return patterns.map((pattern) => ({
    method: 'GET',
    pattern,
    handle: (request) => ({ status: 200, body: { value: resourcesOf(state, request) } }),
  }));
}

function resourcesOf(state: EmulatorState, { params, url }: ArmRequest): Resource[] {
  const root = ['', 'subscriptions', params['subscriptionId'], ''];
  const group = params['resourceGroup'];
  const prefix = (group === undefined ? root : [...root.slice(0, -1), 'resourceGroups', group, '']).join('/');
  // `$filter=resourceType eq 'Microsoft.Relay/namespaces' and name eq 'x'`: equality alone, joined by `and`.
  const filter = url.searchParams.get('$filter') ?? '';
  const wanted = [...filter.matchAll(/(\w+)\s+eq\s+'([^']*)'/gi)].map(
    ([, name = '', value = '']) => [name.toLowerCase(), value.toLowerCase()] as const,
  );
  return allResources(state).filter((resource) => {
    const fields: Readonly<Record<string, string>> = {
      resourcetype: resource.type,
      name: resource.name,
      location: resource.location,
      resourcegroup: resource.id.split('/')[4] ?? '',
    };
    return (
      resource.id.toLowerCase().startsWith(prefix.toLowerCase()) &&
      wanted.every(([name, value]) => fields[name] === undefined || fields[name].toLowerCase() === value)
    );
  });
}

function allResources(state: EmulatorState): Resource[] {
  const tagsOf = (tags: Tags) => (Object.keys(tags).length > 0 ? { tags } : {});
  const groupOf = (resource: { subscriptionId: string; resourceGroup: string }) =>
    `/subscriptions/${resource.subscriptionId}/resourceGroups/${resource.resourceGroup}/providers`;
  return [
    ...state.namespaces.map((namespace) => ({
      id: `${groupOf(namespace)}/Microsoft.Relay/namespaces/${namespace.name}`,
      ...{
        name: namespace.name,
        type: 'Microsoft.Relay/namespaces',
        sku: { name: 'Standard', tier: 'Standard' },
      },
      ...{ location: namespace.location, ...tagsOf(namespace.tags) },
    })),
    ...state.plans.map((plan) => ({
      id: `${groupOf(plan)}/Microsoft.Web/serverFarms/${plan.name}`,
      ...{ name: plan.name, type: 'Microsoft.Web/serverFarms', sku: plan.sku, kind: plan.kind },
      ...{ location: plan.location, ...tagsOf(plan.tags) },
    })),
    ...state.sites.flatMap((site) => {
      const id = `${groupOf(site)}/Microsoft.Web/sites/${site.name}`;
      const slots = site.slots.map((slot) => ({
        id: `${id}/slots/${slot.name}`,
        ...{ name: `${site.name}/${slot.name}`, type: 'Microsoft.Web/sites/slots', kind: slot.kind },
        ...{ location: slot.location, ...tagsOf(slot.tags) },
      }));
      const { name, kind, location, tags } = site;
      return [{ id, name, type: 'Microsoft.Web/sites', kind, location, ...tagsOf(tags) }, ...slots];
    }),
  ];
}
