/** Roles as Resource Manager describes them. Built-in ones only. */
import { findRole, ROLES, type RoleDefinition } from '../../entra/roles.ts';
import { ArmError } from '../arm-error.ts';
import type { ArmRoute } from '../router.ts';
import { scopeOf, SCOPES } from './scopes.ts';

const TYPE = 'Microsoft.Authorization/roleDefinitions';
/** When Azure made its own ones; nobody depends on it. */
const MADE_ON = '2015-02-02T21:55:09.8806423Z';

export function definitionRoutes(): ArmRoute[] {
  return SCOPES.flatMap((scope): ArmRoute[] => {
    const list = `${scope}/providers/${TYPE}`;
    return [
      {
        method: 'GET',
        pattern: list,
        handle: (request) => {
          const wanted = /roleName\s+eq\s+'([^']*)'/i.exec(
            request.url.searchParams.get('$filter') ?? '',
          )?.[1];
          const roles: readonly RoleDefinition[] = ROLES;
          const found = roles.filter(
            ({ name }) => wanted === undefined || name.toLowerCase() === wanted.toLowerCase(),
          );
          return { status: 200, body: { value: found.map((role) => bodyOf(role, scopeOf(request))) } };
        },
      },
      {
        method: 'GET',
        pattern: `${list}/{id}`,
        handle: (request) => {
          const { id = '' } = request.params;
          const role = ROLES.find((known) => known.id === id.toLowerCase());
          if (role === undefined) throw definitionNotFound(id);
          return { status: 200, body: bodyOf(role, scopeOf(request)) };
        },
      },
    ];
  });
}

/** The id of a role's definition, as the scope's subscription sees it. */
export function definitionId(scope: string, roleId: string): string {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? '';
  return `${subscription}/providers/${TYPE}/${roleId}`;
}

/** The role that an id of a definition names. @throws ArmError 404 RoleDefinitionDoesNotExist */
export function roleOfDefinitionId(id: string): RoleDefinition {
  const role = findRole(id.split('/').at(-1) ?? '');
  if (role === undefined) throw definitionNotFound(id);
  return role;
}

function definitionNotFound(id: string): ArmError {
  const message = `The specified role definition with ID '${id.split('/').at(-1) ?? ''}' does not exist.`;
  return new ArmError(404, 'RoleDefinitionDoesNotExist', message);
}

function bodyOf(
  { id, name, description, actions, notActions, dataActions }: RoleDefinition,
  scope: string,
): object {
  return {
    properties: {
      ...{ roleName: name, type: 'BuiltInRole', description, assignableScopes: ['/'] },
      permissions: [{ actions, notActions, dataActions, notDataActions: [] }],
      ...{ createdOn: MADE_ON, updatedOn: MADE_ON, createdBy: null, updatedBy: null },
    },
    ...{ id: definitionId(scope, id), type: TYPE, name: id },
  };
}
