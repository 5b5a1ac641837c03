/**
 * Network rules and private endpoints of a namespace, from 2021-11-01 on: kept and shown, without effect on anybody's
 * traffic; there are no private endpoints.
 */
import { booleanIn, recordIn, textIn } from '../body.ts';
import type { ArmContext } from '../context.ts';
import { ArmError, invalidRequestContent } from '../arm-error.ts';
import type { NamespaceState } from '../../state.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';
import { badRequest, entityNotFound, NAMESPACE, parentNamespace } from './look-up.ts';
import { hasNetwork } from './relay-versions.ts';
import { namespaceId } from './relay-view.ts';

const RULE_SET = `${NAMESPACE}/networkRuleSets/{ruleSet}`;

export function networkRoutes(context: ArmContext): ArmRoute[] {
  const find = (request: ArmRequest): NamespaceState => {
    if (!hasNetwork(request.apiVersion)) throw unknownType(request);
    const namespace = parentNamespace(context, request);
    const { ruleSet = 'default' } = request.params;
    if (ruleSet.toLowerCase() !== 'default') throw entityNotFound(ruleSet);
    return namespace;
  };
  const listOf = (pattern: string, itemsOf: (namespace: NamespaceState) => object[]): ArmRoute => ({
    ...{ method: 'GET', pattern },
    handle: (request) => ({ status: 200, body: { value: itemsOf(find(request)) } }),
  });
  return [
    listOf(`${NAMESPACE}/networkRuleSets`, (namespace) => [ruleSetView(namespace)]),
    {
      method: 'GET',
      pattern: RULE_SET,
      handle: (request) => ({ status: 200, body: ruleSetView(find(request)) }),
    },
    {
      ...{ method: 'PUT', pattern: RULE_SET },
      handle(request) {
        const namespace = find(request);
        const { publicNetworkAccess, ...rules } = readRuleSet(request.body);
        namespace.networkRuleSet = rules;
        if (publicNetworkAccess !== undefined) namespace.publicNetworkAccess = publicNetworkAccess;
        context.changed();
        return { status: 200, body: ruleSetView(namespace) };
      },
    },
    listOf(`${NAMESPACE}/privateEndpointConnections`, () => []),
    listOf(`${NAMESPACE}/privateLinkResources`, (namespace) => [
      {
        id: `${namespaceId(namespace)}/privateLinkResources/namespace`,
        ...{ name: 'namespace', type: 'Microsoft.Relay/namespaces/privateLinkResources' },
        properties: {
          groupId: 'namespace',
          requiredMembers: ['namespace'],
          requiredZoneNames: ['privatelink.servicebus.windows.net'],
        },
      },
    ]),
  ];
}

function ruleSetView(namespace: NamespaceState): object {
  const rules = namespace.networkRuleSet ?? { defaultAction: 'Allow', ipRules: [] };
  return {
    id: `${namespaceId(namespace)}/networkRuleSets/default`,
    ...{ name: 'default', type: 'Microsoft.Relay/namespaces/networkRuleSets', location: namespace.location },
    properties: { publicNetworkAccess: namespace.publicNetworkAccess ?? 'Enabled', ...rules },
  };
}

function readRuleSet(body: unknown): Record<string, unknown> & { publicNetworkAccess?: string } {
  const properties = recordIn(body, 'properties');
  const defaultAction = textIn(properties, 'defaultAction') ?? 'Allow';
  if (!/^(?:Allow|Deny)$/i.test(defaultAction))
    throw badRequest(`The defaultAction '${defaultAction}' is invalid.`);
  const ipRules = properties['ipRules'] ?? [];
  if (!Array.isArray(ipRules))
    throw invalidRequestContent("Error converting value of property 'ipRules' to a list.");
  const trusted = booleanIn(properties, 'trustedServiceAccessEnabled');
  const access = textIn(properties, 'publicNetworkAccess');
  return {
    defaultAction: /^d/i.test(defaultAction) ? 'Deny' : 'Allow',
    ...(trusted !== undefined && { trustedServiceAccessEnabled: trusted }),
    ipRules: ipRules.map((rule: unknown) => ({ ipMask: textIn(rule, 'ipMask') ?? '', action: 'Allow' })),
    ...(access !== undefined && { publicNetworkAccess: access }),
  };
}

function unknownType({ apiVersion }: ArmRequest): ArmError {
  const message = `The resource type 'namespaces/networkRuleSets' could not be found in the namespace 'Microsoft.Relay' for api version '${apiVersion}'.`;
  return new ArmError(404, 'InvalidResourceType', message);
}
