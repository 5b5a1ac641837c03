/** Subscriptions of the state document that are there beside the first one. */
import { randomUUID } from 'node:crypto';
import { seedRoles } from './entra-state.ts';
import { SEED_PROVIDERS, type EmulatorState, type SubscriptionState } from './state.ts';

/** A subscription to have. */
export interface SubscriptionSpec {
  displayName: string;
  /** A GUID; default a new one. */
  subscriptionId?: string | undefined;
  /** Default: Microsoft.Relay and Microsoft.Web. */
  registeredProviders?: readonly string[] | undefined;
}

/** Adds a subscription, unless there is one of this id, or, where none is given, of this name. */
export function putSubscription(
  state: EmulatorState,
  spec: SubscriptionSpec,
  nowMs: number,
): SubscriptionState {
  const { displayName, subscriptionId, registeredProviders = SEED_PROVIDERS } = spec;
  const existing = state.subscriptions.find((known) =>
    subscriptionId === undefined
      ? known.displayName === displayName
      : known.subscriptionId.toLowerCase() === subscriptionId.toLowerCase(),
  );
  if (existing !== undefined) return existing;
  const subscription: SubscriptionState = {
    subscriptionId: subscriptionId ?? randomUUID(),
    displayName,
    state: 'Enabled',
    registeredProviders: [...registeredProviders],
  };
  state.subscriptions.push(subscription);
  seedRoles(state, subscription.subscriptionId, nowMs);
  return subscription;
}
