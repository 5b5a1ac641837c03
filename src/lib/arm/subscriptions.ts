/** Subscriptions that the signed-in account sees. */
import { listAll, type Azure } from './azure.ts';

export interface Subscription {
  readonly subscriptionId: string;
  readonly displayName: string;
  /** `Enabled`, `Disabled`, `Warned`, `PastDue`. */
  readonly state: string;
  readonly tenantId?: string;
}

const API_VERSION = '2022-12-01';

export async function listSubscriptions(azure: Azure): Promise<Subscription[]> {
  const found = await listAll<Subscription>(azure, {
    ...{ path: '/subscriptions', apiVersion: API_VERSION, about: 'the subscriptions' },
  });
  return found.map(({ subscriptionId, displayName, state, tenantId }) => ({
    ...{ subscriptionId, displayName, state },
    ...(tenantId === undefined ? {} : { tenantId }),
  }));
}
