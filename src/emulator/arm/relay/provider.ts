/** Microsoft.Relay: its types, and all its routes. */
import type { ProviderFactory } from '../context.ts';
import { LOCATION_NAMES } from '../locations.ts';
import type { ArmRoute } from '../router.ts';
import { connectionRoutes } from './connections.ts';
import { NAMESPACE, parentNamespace } from './look-up.ts';
import { nameAvailabilityRoutes } from './name-availability.ts';
import { namespaceRoutes } from './namespaces.ts';
import { networkRoutes } from './network.ts';
import { RELAY_VERSIONS } from './relay-versions.ts';
import { ruleRoutes } from './rules.ts';

export const createRelayProvider: ProviderFactory = (context) => {
  const regional = { apiVersions: RELAY_VERSIONS, locations: LOCATION_NAMES };
  const anywhere = { apiVersions: RELAY_VERSIONS, locations: [] };
  const wcfRelays: ArmRoute = {
    ...{ method: 'GET', pattern: `${NAMESPACE}/wcfRelays` },
    handle(request) {
      parentNamespace(context, request);
      return { status: 200, body: { value: [] } };
    },
  };
  return {
    namespace: 'Microsoft.Relay',
    types: {
      namespaces: regional,
      'namespaces/hybridConnections': anywhere,
      'namespaces/authorizationRules': anywhere,
      'namespaces/hybridConnections/authorizationRules': anywhere,
      'namespaces/wcfRelays': anywhere,
      'namespaces/networkRuleSets': anywhere,
      'namespaces/privateEndpointConnections': anywhere,
      checkNameAvailability: anywhere,
      operations: anywhere,
      locations: anywhere,
      'locations/namespaceOperationResults': regional,
    },
    routes: [
      ...namespaceRoutes(context),
      ...connectionRoutes(context),
      ...ruleRoutes(context),
      ...networkRoutes(context),
      ...nameAvailabilityRoutes(context),
      wcfRelays,
      { method: 'GET', pattern: '/providers/Microsoft.Relay/operations', handle: operations },
    ],
  };
};

/** What can be permitted of this provider. */
function operations() {
  const resources = ['namespaces', 'namespaces/hybridConnections', 'namespaces/authorizationRules'];
  const value = resources.flatMap((resource) =>
    ['read', 'write', 'delete'].map((operation) => ({
      name: `Microsoft.Relay/${resource}/${operation}`,
      display: { provider: 'Microsoft Azure Relay', resource, operation },
    })),
  );
  return { status: 200, body: { value } };
}
