/**
 * The directory's part of the state document: who can sign in, and which roles they have where. Types, the seeds of a
 * fresh document, and what a test says to add somebody.
 */
import { randomUUID } from 'node:crypto';
import { HcmError } from '../protocol/errors.ts';
import { findRole, type RoleName } from './entra/roles.ts';
import { asRecord, checkList, checkTexts } from './state-fields.ts';

/** An application, a managed identity, or a person, of the made-up tenant. */
export interface PrincipalState {
  type: 'ServicePrincipal' | 'ManagedIdentity' | 'User';
  objectId: string;
  displayName: string;
  /** Of applications and managed identities. */
  clientId?: string;
  /** The emulator's own client has none here: its secret is `clientSecret` of the document. */
  clientSecret?: string;
  /** PEM; a client assertion signed with the key of one of them is good. */
  certificates?: string[];
  /** Subjects (`sub`) of federated tokens that may sign in as this application. Undefined: any. */
  federatedSubjects?: string[];
  /** Of people. */
  userPrincipalName?: string;
}

export interface RoleAssignmentState {
  /** A GUID: the last segment of the assignment's id. */
  name: string;
  scope: string;
  /** The role's GUID. */
  roleId: string;
  principalId: string;
  createdAt: string;
  updatedAt: string;
}

/** An RS256 private key as a JWK (RFC 7518, 6.3). */
export type SigningKeyState = Record<
  'kty' | 'alg' | 'kid' | 'n' | 'e' | 'd' | 'p' | 'q' | 'dp' | 'dq' | 'qi',
  string
>;

/** What the directory needs of the state document. */
export interface DirectoryState {
  tenantId: string;
  subscriptionId: string;
  clientId: string;
  clientSecret: string;
  principals: PrincipalState[];
  roleAssignments: RoleAssignmentState[];
  /** Made on first use. */
  signingKey?: SigningKeyState;
}

/** Somebody to have. */
export interface PrincipalSpec {
  clientId: string;
  clientSecret?: string | undefined;
  name?: string | undefined;
  certificates?: readonly string[] | undefined;
  federatedSubjects?: readonly string[] | undefined;
  /** A name alone means the default subscription. */
  roles?: readonly (RoleName | { role: RoleName; scope: string })[] | undefined;
}

/** What every seeded principal has on the default subscription: Owner alone may neither listen nor send. */
const SEEDED_PRINCIPALS = 3;
const SEEDED_ROLES: readonly RoleName[] = ['Owner', 'Azure Relay Owner'];

/** The emulator's own client, a managed identity and a person, each with all rights on the default subscription. */
export function seedEntra(
  { clientId, subscriptionId }: { clientId: string; subscriptionId: string },
  nowMs = Date.now(),
): Pick<DirectoryState, 'principals' | 'roleAssignments'> {
  const principals: PrincipalState[] = [
    { type: 'ServicePrincipal', objectId: randomUUID(), displayName: 'local-client', clientId },
    {
      ...{ type: 'ManagedIdentity', objectId: randomUUID(), displayName: 'local-identity' },
      clientId: randomUUID(),
    },
    {
      ...{ type: 'User', objectId: randomUUID(), displayName: 'Local Developer' },
      userPrincipalName: 'developer@local.localhost',
    },
  ];
  const directory: Pick<DirectoryState, 'principals' | 'roleAssignments'> = {
    principals,
    roleAssignments: [],
  };
  seedRoles(directory, subscriptionId, nowMs);
  return directory;
}

/** Gives the seeded principals all rights on one more subscription. */
export function seedRoles(
  state: Pick<DirectoryState, 'principals' | 'roleAssignments'>,
  subscriptionId: string,
  nowMs = Date.now(),
): void {
  for (const { objectId } of state.principals.slice(0, SEEDED_PRINCIPALS)) {
    for (const role of SEEDED_ROLES) {
      assignRole(state, objectId, role, `/subscriptions/${subscriptionId}`, nowMs);
    }
  }
}

/** @throws HcmError HCM_STATE_CORRUPT */
export function checkEntra(document: Record<string, unknown>): void {
  for (const item of checkList(document.principals, 'principals')) {
    checkTexts(asRecord(item, 'principals[]'), 'principals[].', 'type', 'objectId', 'displayName');
  }
  for (const item of checkList(document.roleAssignments, 'roleAssignments')) {
    const assignment = asRecord(item, 'roleAssignments[]');
    checkTexts(assignment, 'roleAssignments[].', 'name', 'scope', 'roleId', 'principalId', 'createdAt');
  }
  if (document.signingKey !== undefined) {
    checkTexts(asRecord(document.signingKey, 'signingKey'), 'signingKey.', 'kty', 'kid', 'n', 'e', 'd');
  }
}

/** Adds an application, or brings one that is there up to the spec. Roles are added, none is taken. */
export function putPrincipal(state: DirectoryState, spec: PrincipalSpec, nowMs: number): PrincipalState {
  const principal = findClient(state, spec.clientId) ?? {
    ...{ type: 'ServicePrincipal', objectId: randomUUID(), clientId: spec.clientId },
    displayName: spec.name ?? spec.clientId,
  };
  if (!state.principals.includes(principal)) state.principals.push(principal);
  if (spec.name !== undefined) principal.displayName = spec.name;
  if (spec.clientSecret !== undefined) principal.clientSecret = spec.clientSecret;
  if (spec.certificates !== undefined) principal.certificates = [...spec.certificates];
  if (spec.federatedSubjects !== undefined) principal.federatedSubjects = [...spec.federatedSubjects];
  for (const entry of spec.roles ?? []) {
    const { role, scope } =
      typeof entry === 'string' ? { role: entry, scope: `/subscriptions/${state.subscriptionId}` } : entry;
    assignRole(state, principal.objectId, role, scope, nowMs);
  }
  return principal;
}

/** Gives a role, unless the principal has it at this scope. */
function assignRole(
  { roleAssignments }: Pick<DirectoryState, 'roleAssignments'>,
  principalId: string,
  roleName: RoleName,
  scope: string,
  nowMs: number,
): void {
  const roleId = findRole(roleName)?.id;
  if (roleId === undefined) throw new HcmError('HCM_USAGE', `There is no role "${roleName}".`);
  const isThere = roleAssignments.some(
    (known) =>
      known.principalId === principalId &&
      known.roleId === roleId &&
      known.scope.toLowerCase() === scope.toLowerCase(),
  );
  if (isThere) return;
  const at = new Date(nowMs).toISOString();
  roleAssignments.push({ name: randomUUID(), scope, roleId, principalId, createdAt: at, updatedAt: at });
}

/** The application or managed identity with this client id. */
export function findClient(
  { principals }: Pick<DirectoryState, 'principals'>,
  clientId: string,
): PrincipalState | undefined {
  return principals.find((principal) => principal.clientId?.toLowerCase() === clientId.toLowerCase());
}

/** The secret that this application signs in with; undefined when it has none. */
export function secretOf(state: DirectoryState, principal: PrincipalState): string | undefined {
  return principal.clientId === state.clientId ? state.clientSecret : principal.clientSecret;
}
