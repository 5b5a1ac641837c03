/** ARM's own routes: subscriptions, tenants, locations, resource groups, providers. */
import type { ArmContext } from '../context.ts';
import type { ArmProvider, ArmRoute } from '../router.ts';

export function createCoreRoutes(_context: ArmContext, _providers: readonly ArmProvider[]): ArmRoute[] {
  return [];
}
