/** Microsoft.Authorization, as far as it is about roles: their definitions, who has them where, and what the caller may do. */
import type { ProviderFactory } from '../context.ts';
import type { ArmResourceType, ArmRoute } from '../router.ts';
import { definitionRoutes } from './role-definitions.ts';
import { assignmentRoutes } from './role-assignments.ts';
import { permissionsAt, ROOT_SCOPE, scopeOf, SCOPES } from './scopes.ts';

/** Newest first; what `az`, the SDKs and Terraform ask for. */
const VERSIONS: readonly string[] = [
  ...['2022-05-01-preview', '2022-04-01', '2022-01-01-preview', '2021-04-01-preview', '2020-10-01-preview'],
  ...['2020-08-01-preview', '2020-04-01-preview', '2020-03-01-preview', '2018-09-01-preview'],
  ...['2018-07-01', '2018-01-01-preview', '2017-10-01-preview', '2017-05-01', '2016-07-01', '2015-07-01'],
];

export const createAuthorizationProvider: ProviderFactory = (context) => {
  const type: ArmResourceType = { apiVersions: VERSIONS, locations: [] };
  const permissions: ArmRoute[] = SCOPES.filter((scope) => scope !== ROOT_SCOPE).map((scope) => ({
    method: 'GET',
    pattern: `${scope}/providers/Microsoft.Authorization/permissions`,
    handle: (request) => ({ status: 200, body: { value: permissionsAt(request.caller, scopeOf(request)) } }),
  }));
  return {
    namespace: 'Microsoft.Authorization',
    types: { roleAssignments: type, roleDefinitions: type, permissions: type },
    routes: [...assignmentRoutes(context), ...definitionRoutes(), ...permissions],
  };
};
