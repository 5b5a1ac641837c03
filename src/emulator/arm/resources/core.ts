/** ARM's own routes, all of them. */
import type { ArmContext } from '../context.ts';
import type { ArmProvider, ArmRoute } from '../router.ts';
import { providerRoutes } from './provider-registration.ts';
import { groupRoutes } from './resource-groups.ts';
import { resourceRoutes } from './resource-list.ts';
import { subscriptionRoutes } from './subscriptions.ts';

export function createCoreRoutes(context: ArmContext, providers: readonly ArmProvider[]): ArmRoute[] {
  return [
    ...subscriptionRoutes(context),
    ...groupRoutes(context),
    ...resourceRoutes(context),
    ...providerRoutes(context, providers),
  ];
}
