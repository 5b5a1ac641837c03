/** Subscriptions, tenants and locations. */
import type { SubscriptionState } from '../../state.ts';
import { subscriptionNotFound } from '../arm-error.ts';
import type { ArmContext } from '../context.ts';
import { LOCATION_NAMES, locationId } from '../locations.ts';
import type { ArmRequest, ArmRoute } from '../router.ts';

export function subscriptionRoutes({ state }: ArmContext): ArmRoute[] {
  const view = (subscription: SubscriptionState) => viewOf(subscription, state.tenantId);
  return [
    {
      ...{ method: 'GET', pattern: '/subscriptions' },
      handle() {
        const value = state.subscriptions.map(view);
        return { status: 200, body: { value, count: { type: 'Total', value: value.length } } };
      },
    },
    {
      ...{ method: 'GET', pattern: '/subscriptions/{subscriptionId}' },
      handle: (request) => ({ status: 200, body: view(findSubscription(state, request)) }),
    },
    {
      ...{ method: 'GET', pattern: '/tenants' },
      handle: () => ({ status: 200, body: { value: [tenantOf(state.tenantId)] } }),
    },
    {
      ...{ method: 'GET', pattern: '/subscriptions/{subscriptionId}/locations' },
      handle(request) {
        const { subscriptionId } = findSubscription(state, request);
        return {
          status: 200,
          body: { value: LOCATION_NAMES.map((name) => locationOf(subscriptionId, name)) },
        };
      },
    },
  ];
}

/** The subscription in a request's path. @throws ArmError 404 SubscriptionNotFound */
export function findSubscription(
  { subscriptions }: { subscriptions: readonly SubscriptionState[] },
  { params }: Pick<ArmRequest, 'params'>,
): SubscriptionState {
  const wanted = params['subscriptionId'] ?? '';
  const found = subscriptions.find((one) => one.subscriptionId.toLowerCase() === wanted.toLowerCase());
  if (found === undefined) throw subscriptionNotFound(wanted);
  return found;
}

function viewOf({ subscriptionId, displayName, state }: SubscriptionState, tenantId: string): object {
  return {
    id: `/subscriptions/${subscriptionId}`,
    authorizationSource: 'RoleBased',
    managedByTenants: [],
    ...{ subscriptionId, tenantId, displayName, state },
    subscriptionPolicies: {
      locationPlacementId: 'Public_2014-09-01',
      quotaId: 'PayAsYouGo_2014-09-01',
      spendingLimit: 'Off',
    },
  };
}

function tenantOf(tenantId: string): object {
  const domain = 'local.localhost';
  return {
    id: `/tenants/${tenantId}`,
    tenantId,
    countryCode: 'NL',
    displayName: 'Local',
    domains: [domain],
    tenantCategory: 'Home',
    defaultDomain: domain,
    tenantType: 'AAD',
  };
}

function locationOf(subscriptionId: string, displayName: string): object {
  const name = locationId(displayName);
  return {
    id: `/subscriptions/${subscriptionId}/locations/${name}`,
    ...{ name, type: 'Region', displayName, regionalDisplayName: displayName },
    metadata: { regionType: 'Physical', regionCategory: 'Recommended' },
  };
}
