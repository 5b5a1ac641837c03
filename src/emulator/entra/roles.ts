/**
 * Azure's built-in roles that matter here, with their real ids and permissions (built-in roles page of Azure RBAC), and the
 * one question asked of them: do these grants allow this action at this scope. Pure.
 */

export interface RoleDefinition {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
}

/** A role that somebody has at a scope and everywhere below it. */
export interface Grant {
  /** As ARM writes it: `/subscriptions/ID`, `/subscriptions/ID/resourceGroups/NAME`, a resource's id. */
  readonly scope: string;
  /** The role's GUID. */
  readonly roleId: string;
}

const READ_ENTITIES = ['Microsoft.Relay/*/wcfRelays/read', 'Microsoft.Relay/*/hybridConnections/read'];

export const ROLES = [
  {
    id: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
    name: 'Owner',
    description:
      'Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.',
    ...{ actions: ['*'], notActions: [], dataActions: [] },
  },
  {
    id: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
    name: 'Contributor',
    description:
      'Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.',
    actions: ['*'],
    notActions: [
      'Microsoft.Authorization/*/Delete',
      'Microsoft.Authorization/*/Write',
      'Microsoft.Authorization/elevateAccess/Action',
    ],
    dataActions: [],
  },
  {
    id: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
    name: 'Reader',
    description: 'View all resources, but does not allow you to make any changes.',
    ...{ actions: ['*/read'], notActions: [], dataActions: [] },
  },
  {
    id: '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9',
    name: 'User Access Administrator',
    description: 'Lets you manage user access to Azure resources.',
    ...{ actions: ['*/read', 'Microsoft.Authorization/*'], notActions: [], dataActions: [] },
  },
  {
    id: '2787bf04-f1f5-4bfe-8383-c8a24483ee38',
    name: 'Azure Relay Owner',
    description: 'Allows for full access to Azure Relay resources.',
    ...{ actions: ['Microsoft.Relay/*'], notActions: [], dataActions: ['Microsoft.Relay/*'] },
  },
  {
    id: '26e0b698-aa6d-4085-9386-aadae190014d',
    name: 'Azure Relay Listener',
    description: 'Allows for listen access to Azure Relay resources.',
    ...{ actions: READ_ENTITIES, notActions: [], dataActions: ['Microsoft.Relay/*/listen/action'] },
  },
  {
    id: '26baccc8-eea7-41f1-98f4-1762cc7f685d',
    name: 'Azure Relay Sender',
    description: 'Allows for send access to Azure Relay resources.',
    ...{ actions: READ_ENTITIES, notActions: [], dataActions: ['Microsoft.Relay/*/send/action'] },
  },
] as const satisfies readonly RoleDefinition[];

export type RoleName = (typeof ROLES)[number]['name'];

/** A role by its GUID or its name, without case. */
export function findRole(idOrName: string): RoleDefinition | undefined {
  const wanted = idOrName.toLowerCase();
  return ROLES.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted);
}

/**
 * True when one of `grants` allows `action` at `scope`.
 * @param action e.g. `Microsoft.Relay/namespaces/write`; compared without case.
 * @param plane `data` for what is done with a connection (listen, send) instead of to it. Owner has none of those.
 */
export function allows(
  grants: readonly Grant[],
  action: string,
  scope: string,
  plane: 'control' | 'data' = 'control',
): boolean {
  return grants.some((grant) => {
    const role = findRole(grant.roleId);
    if (role === undefined || !scopeCovers(grant.scope, scope)) return false;
    const { actions, notActions, dataActions } = role;
    if (plane === 'data') return dataActions.some((pattern) => matches(pattern, action));
    return (
      actions.some((pattern) => matches(pattern, action)) &&
      !notActions.some((pattern) => matches(pattern, action))
    );
  });
}

/** True when `inner` is `outer` or below it. Ids are compared without case, by whole segments; `/` covers all. */
export function scopeCovers(outer: string, inner: string): boolean {
  const bare = (scope: string) => `${scope.toLowerCase().replace(/\/+$/, '')}/`;
  return bare(inner).startsWith(bare(outer));
}

function matches(pattern: string, action: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const text = action.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
