/** A subscription beside the one in use, by name or id. */
import type { Azure } from '../arm/azure.ts';
import { listSubscriptions } from '../arm/subscriptions.ts';
import { findSubscription } from '../auth/subscriptions.ts';

/** Its id; undefined when none was named. @throws HcmError HCM_SUBSCRIPTION_MISSING when there is no such one. */
export async function resolveSubscription(
  azure: Azure,
  wanted: string | undefined,
): Promise<string | undefined> {
  if (wanted === undefined) return undefined;
  return findSubscription(await listSubscriptions(azure), wanted).subscriptionId;
}
