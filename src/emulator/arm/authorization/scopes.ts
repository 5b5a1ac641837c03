/** Where roles can be asked for and given: the patterns of such paths, and the scope that one of them names. */
import { findRole, scopeCovers } from '../../entra/roles.ts';
import type { Caller } from '../../entra/verify.ts';
import { segmentsOf, type ArmRequest } from '../router.ts';

/** The tenant itself. */
export const ROOT_SCOPE = '';
const GROUP = '/subscriptions/{subscriptionId}/resourceGroups/{group}';
const RESOURCE = `${GROUP}/providers/{provider}/{type1}/{name1}`;

/** A tenant, a subscription, a group, a resource, and what belongs to it, down to an authorization rule of a connection. */
export const SCOPES: readonly string[] = [
  ...[ROOT_SCOPE, '/subscriptions/{subscriptionId}', GROUP, RESOURCE, `${RESOURCE}/{type2}/{name2}`],
  `${RESOURCE}/{type2}/{name2}/{type3}/{name3}`,
];

/** The path in front of `/providers/Microsoft.Authorization`, decoded; '' for the tenant. */
export function scopeOf({ url }: ArmRequest): string {
  const segments = segmentsOf(url.pathname);
  const at = segments.findLastIndex((segment) => segment.toLowerCase() === 'microsoft.authorization') - 1;
  return segments
    .slice(0, at)
    .map((segment) => `/${segment}`)
    .join('');
}

/** What a caller's roles allow at a scope, role by role. */
export function permissionsAt({ roles }: Caller, scope: string): object[] {
  return roles.flatMap(({ roleId, scope: given }) => {
    const role = findRole(roleId);
    if (role === undefined || !scopeCovers(given, scope)) return [];
    const { actions, notActions, dataActions } = role;
    return [{ actions, notActions, dataActions, notDataActions: [] }];
  });
}
