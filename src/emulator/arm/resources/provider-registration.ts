/** Resource providers of a subscription: what they have, and their registration, which takes its time. */
import type { SubscriptionState } from '../../state.ts';
import { ArmError, GATEWAY } from '../arm-error.ts';
import type { ArmContext } from '../context.ts';
import type { ArmProvider, ArmRequest, ArmRoute } from '../router.ts';
import { findSubscription } from './subscriptions.ts';

const PROVIDERS = '/subscriptions/{subscriptionId}/providers';

export function providerRoutes(context: ArmContext, providers: readonly ArmProvider[]): ArmRoute[] {
  const { state, behaviour, nowMs, changed } = context;
  const find = ({ params }: ArmRequest): ArmProvider => {
    const wanted = params['namespace'] ?? '';
    const found = providers.find(({ namespace }) => namespace.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) return found;
    const message = `The resource namespace '${wanted}' is invalid.`;
    throw new ArmError(404, 'InvalidResourceNamespace', message, { headers: GATEWAY });
  };
  const answer = (subscription: SubscriptionState, provider: ArmProvider, registrationState?: string) => ({
    status: 200,
    body: viewOf(subscription, provider, registrationState),
  });
  return [
    {
      ...{ method: 'GET', pattern: PROVIDERS },
      handle(request) {
        const subscription = findSubscription(state, request);
        return { status: 200, body: { value: providers.map((provider) => viewOf(subscription, provider)) } };
      },
    },
    {
      ...{ method: 'GET', pattern: `${PROVIDERS}/{namespace}` },
      handle: (request) => answer(findSubscription(state, request), find(request)),
    },
    {
      ...{ method: 'POST', pattern: `${PROVIDERS}/{namespace}/register` },
      handle(request) {
        const subscription = findSubscription(state, request);
        const provider = find(request);
        if (registrationOf(subscription, provider) === 'NotRegistered') {
          const readyAtMs = nowMs() + behaviour.registrationMs;
          subscription.registering = { ...subscription.registering, [provider.namespace]: readyAtMs };
          changed();
        }
        return answer(subscription, provider);
      },
    },
    {
      ...{ method: 'POST', pattern: `${PROVIDERS}/{namespace}/unregister` },
      handle(request) {
        const subscription = findSubscription(state, request);
        const provider = find(request);
        const { registeredProviders } = subscription;
        const at = registeredProviders.findIndex((name) => sameName(name, provider.namespace));
        if (at >= 0) registeredProviders.splice(at, 1);
        if (subscription.registering !== undefined) delete subscription.registering[provider.namespace];
        changed();
        return answer(subscription, provider, 'Unregistering');
      },
    },
  ];
}

/** Brings registrations to where they are by now. */
export function settleRegistrations({ state, nowMs, changed }: ArmContext): void {
  for (const subscription of state.subscriptions) {
    for (const [namespace, readyAtMs] of Object.entries(subscription.registering ?? {})) {
      if (readyAtMs > nowMs()) continue;
      delete subscription.registering?.[namespace];
      subscription.registeredProviders.push(namespace);
      changed();
    }
  }
}

function registrationOf(
  { registeredProviders, registering = {} }: SubscriptionState,
  { namespace, registration }: ArmProvider,
): string {
  if (registration === 'free' || registeredProviders.some((name) => sameName(name, namespace)))
    return 'Registered';
  return registering[namespace] === undefined ? 'NotRegistered' : 'Registering';
}

function viewOf(subscription: SubscriptionState, provider: ArmProvider, registrationState?: string): object {
  const { namespace, types, registration } = provider;
  return {
    id: `/subscriptions/${subscription.subscriptionId}/providers/${namespace}`,
    namespace,
    resourceTypes: Object.entries(types).map(([resourceType, { apiVersions, locations }]) => ({
      ...{ resourceType, locations, apiVersions },
      defaultApiVersion: apiVersions.find((version) => !version.endsWith('-preview')) ?? apiVersions[0],
      capabilities: 'None',
    })),
    registrationState: registrationState ?? registrationOf(subscription, provider),
    registrationPolicy: registration === 'free' ? 'RegistrationFree' : 'RegistrationRequired',
  };
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
