/** Who has which role where. Changes count at once; Azure takes up to five minutes. */
import type { PrincipalState, RoleAssignmentState } from '../../entra-state.ts';
import { scopeCovers } from '../../entra/roles.ts';
import { ArmError } from '../arm-error.ts';
import type { ArmContext } from '../context.ts';
import type { ArmAnswer, ArmRequest, ArmRoute } from '../router.ts';
import { definitionId, roleOfDefinitionId } from './role-definitions.ts';
import { ROOT_SCOPE, scopeOf, SCOPES } from './scopes.ts';

const TYPE = 'Microsoft.Authorization/roleAssignments';
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function assignmentRoutes(context: ArmContext): ArmRoute[] {
  return SCOPES.filter((scope) => scope !== ROOT_SCOPE).flatMap((scope): ArmRoute[] => {
    const list = `${scope}/providers/${TYPE}`;
    const one = `${list}/{assignment}`;
    return [
      { method: 'GET', pattern: list, handle: (request) => listAssignments(context, request) },
      { method: 'GET', pattern: one, handle: (request) => readAssignment(context, request) },
      { method: 'PUT', pattern: one, handle: (request) => createAssignment(context, request) },
      { method: 'DELETE', pattern: one, handle: (request) => deleteAssignment(context, request) },
    ];
  });
}

/** At the scope, above and, unless the filter says `atScope()`, below. */
function listAssignments({ state }: ArmContext, request: ArmRequest): ArmAnswer {
  const scope = scopeOf(request);
  const filter = request.url.searchParams.get('$filter') ?? '';
  const principalId = /(?:principalId\s+eq\s+|assignedTo\(\s*)'([^']*)'/i.exec(filter)?.[1]?.toLowerCase();
  const isHereOnly = /\batScope\(\)/i.test(filter);
  const found = state.roleAssignments.filter(
    (assignment) =>
      (principalId === undefined || assignment.principalId === principalId) &&
      (scopeCovers(assignment.scope, scope) || (!isHereOnly && scopeCovers(scope, assignment.scope))),
  );
  return { status: 200, body: { value: found.map((assignment) => bodyOf(state.principals, assignment)) } };
}

function readAssignment({ state }: ArmContext, request: ArmRequest): ArmAnswer {
  const assignment = find(state.roleAssignments, request);
  if (assignment === undefined) {
    const message = `The role assignment '${request.params['assignment']}' is not found.`;
    throw new ArmError(404, 'RoleAssignmentNotFound', message);
  }
  return { status: 200, body: bodyOf(state.principals, assignment) };
}

/** A second assignment of the same role is refused, unless it has the name of the first: templates run twice. */
function createAssignment(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { principals, roleAssignments, tenantId } = context.state;
  const name = (request.params['assignment'] ?? '').toLowerCase();
  if (!GUID.test(name)) {
    const message = `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`;
    throw new ArmError(400, 'InvalidRoleAssignmentId', message);
  }
  const scope = scopeOf(request);
  const { roleId, principalId } = readProperties(request.body);
  if (!principals.some(({ objectId }) => objectId === principalId)) {
    const message = `Principal ${principalId.replaceAll('-', '')} does not exist in the directory ${tenantId}. Check that you have the correct principal ID.`;
    throw new ArmError(400, 'PrincipalNotFound', message);
  }
  const same = roleAssignments.find(
    (known) =>
      known.principalId === principalId &&
      known.roleId === roleId &&
      known.scope.toLowerCase() === scope.toLowerCase(),
  );
  if (same?.name === name) return { status: 200, body: bodyOf(principals, same) };
  if (same !== undefined) {
    throw new ArmError(409, 'RoleAssignmentExists', 'The role assignment already exists.');
  }
  if (roleAssignments.some((known) => known.name === name)) {
    const message = 'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.';
    throw new ArmError(400, 'RoleAssignmentUpdateNotPermitted', message);
  }
  const at = new Date(context.nowMs()).toISOString();
  const created: RoleAssignmentState = { name, scope, roleId, principalId, createdAt: at, updatedAt: at };
  roleAssignments.push(created);
  context.changed();
  return { status: 201, body: bodyOf(principals, created) };
}

function deleteAssignment(context: ArmContext, request: ArmRequest): ArmAnswer {
  const { principals, roleAssignments } = context.state;
  const assignment = find(roleAssignments, request);
  if (assignment === undefined) return { status: 204 };
  roleAssignments.splice(roleAssignments.indexOf(assignment), 1);
  context.changed();
  return { status: 200, body: bodyOf(principals, assignment) };
}

function find(
  assignments: readonly RoleAssignmentState[],
  request: ArmRequest,
): RoleAssignmentState | undefined {
  const wanted = request.params['assignment']?.toLowerCase();
  const scope = scopeOf(request).toLowerCase();
  return assignments.find((known) => known.name === wanted && known.scope.toLowerCase() === scope);
}

/** @throws ArmError 400 BadRequestFormat, 404 RoleDefinitionDoesNotExist */
function readProperties(body: unknown): { roleId: string; principalId: string } {
  const { properties } = (body ?? {}) as {
    properties?: { roleDefinitionId?: unknown; principalId?: unknown };
  };
  const { roleDefinitionId, principalId } = properties ?? {};
  if (typeof roleDefinitionId !== 'string' || typeof principalId !== 'string' || !GUID.test(principalId)) {
    throw new ArmError(400, 'BadRequestFormat', 'The request was incorrectly formatted.');
  }
  return { roleId: roleOfDefinitionId(roleDefinitionId).id, principalId: principalId.toLowerCase() };
}

function bodyOf(principals: readonly PrincipalState[], assignment: RoleAssignmentState): object {
  const { name, scope, roleId, principalId, createdAt, updatedAt } = assignment;
  const principal = principals.find(({ objectId }) => objectId === principalId);
  return {
    properties: {
      ...{ roleDefinitionId: definitionId(scope, roleId), principalId },
      // A managed identity is a service principal to everybody but itself.
      principalType: principal?.type === 'User' ? 'User' : 'ServicePrincipal',
      ...{ scope, condition: null, conditionVersion: null },
      ...{ createdOn: createdAt, updatedOn: updatedAt, createdBy: null, updatedBy: null },
      ...{ delegatedManagedIdentityResourceId: null, description: null },
    },
    ...{ id: `${scope}/providers/${TYPE}/${name}`, type: TYPE, name },
  };
}
