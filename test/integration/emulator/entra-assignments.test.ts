// Roles through Resource Manager: who may do what, and how that is changed.
import { deepEqual, equal, match } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { findRole, type RoleName } from '../../../src/emulator/entra/roles.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { at, errorIn, useArm, type ArmUnderTest } from './arm-under-test.ts';

const OTHER = '33333333-3333-3333-3333-333333333333';
const SECRET = 'secret';
const VERSION = 'api-version=2022-04-01';
const GROUPS = 'api-version=2021-04-01';

describe("role assignments of the emulator's Resource Manager", () => {
  expectNothingLeft();
  const startArm = useArm();

  const start = async (...roles: RoleName[]) => {
    const arm = await startArm({ principals: [{ clientId: OTHER, clientSecret: SECRET, roles }] });
    const principal = arm.emulator.state.principals.find(({ clientId }) => clientId === OTHER);
    return { ...arm, principalId: principal?.objectId ?? '', other: await arm.tokenOf(OTHER, SECRET) };
  };
  const pathOf = (scope: string, name = randomUUID() as string) =>
    `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}?${VERSION}`;
  const bodyOf = ({ subscription }: ArmUnderTest, role: RoleName, principalId: string) => ({
    properties: {
      roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${findRole(role)?.id}`,
      principalId,
    },
  });
  const listOf = async ({ ask }: ArmUnderTest, scope: string, filter = '') => {
    const query = filter === '' ? '' : `&$filter=${encodeURIComponent(filter)}`;
    const path = `${scope}/providers/Microsoft.Authorization/roleAssignments?${VERSION}${query}`;
    return at(await ask('GET', path), 'value') as { id: string; properties: { principalId: string } }[];
  };

  it('let in at once, and take away at once', async () => {
    const arm = await start();
    const { ask, subscription, principalId, other } = arm;
    const group = `${subscription}/resourceGroups/local`;
    const read = () => ask('GET', `${group}?${GROUPS}`, undefined, { token: other });
    const refused = await read();
    equal(refused.status, 403);
    match(
      errorIn(refused).message,
      new RegExp(`with object id '${principalId}' does not have authorization`),
    );
    const path = pathOf(group);
    const created = await ask('PUT', path, bodyOf(arm, 'Reader', principalId));
    equal(created.status, 201);
    deepEqual(
      ['type', 'properties.scope', 'properties.principalType'].map((name) => at(created, name)),
      ['Microsoft.Authorization/roleAssignments', group, 'ServicePrincipal'],
    );
    equal((await read()).status, 200);
    equal((await ask('DELETE', path)).status, 200);
    equal((await ask('DELETE', path)).status, 204);
    equal((await ask('GET', path)).status, 404);
    equal((await read()).status, 403);
  });

  it('of Reader read only, of Contributor all but roles', async () => {
    for (const [role, statuses] of [
      ['Reader', [200, 403, 403]],
      ['Contributor', [200, 201, 403]],
      ['Owner', [200, 201, 201]],
    ] as const) {
      const arm = await start(role);
      const { ask, subscription, other: token, principalId } = arm;
      const made = `${subscription}/resourceGroups/made?${GROUPS}`;
      const answers = [
        await ask('GET', `${subscription}/resourceGroups/local?${GROUPS}`, undefined, { token }),
        await ask('PUT', made, { location: 'westeurope' }, { token }),
        await ask('PUT', pathOf(subscription), bodyOf(arm, 'Azure Relay Sender', principalId), { token }),
      ];
      deepEqual(
        answers.map(({ status }) => status),
        statuses,
        role,
      );
    }
  });

  it('made twice: the same name is content, another is told so', async () => {
    const arm = await start();
    const { ask, subscription, principalId } = arm;
    const path = pathOf(subscription);
    const body = bodyOf(arm, 'Reader', principalId);
    equal((await ask('PUT', path, body)).status, 201);
    equal((await ask('PUT', path, body)).status, 200);
    const second = await ask('PUT', pathOf(subscription), body);
    deepEqual([second.status, errorIn(second).code], [409, 'RoleAssignmentExists']);
    const changed = await ask('PUT', path, bodyOf(arm, 'Owner', principalId));
    deepEqual([changed.status, errorIn(changed).code], [400, 'RoleAssignmentUpdateNotPermitted']);
  });

  it('are refused for what does not exist', async () => {
    const arm = await start();
    const { ask, subscription, principalId } = arm;
    const codeOf = async (path: string, body: unknown) => errorIn(await ask('PUT', path, body)).code;
    const good = bodyOf(arm, 'Reader', principalId);
    equal(await codeOf(pathOf(subscription, 'no-guid'), good), 'InvalidRoleAssignmentId');
    equal(await codeOf(pathOf(subscription), bodyOf(arm, 'Reader', randomUUID())), 'PrincipalNotFound');
    equal(await codeOf(pathOf(subscription), { properties: {} }), 'BadRequestFormat');
    const role = { properties: { ...good.properties, roleDefinitionId: `x/${randomUUID()}` } };
    equal(await codeOf(pathOf(subscription), role), 'RoleDefinitionDoesNotExist');
  });

  it('are listed from above, here and below, or as the filter says', async () => {
    const arm = await start();
    const { ask, subscription, relay, principalId } = arm;
    const namespace = `${relay}/namespaces/local-relay`;
    await ask('PUT', pathOf(`${namespace}/hybridConnections/a%2Fb`), bodyOf(arm, 'Reader', principalId));
    const seeded = (await listOf(arm, subscription, 'atScope()')).length;
    equal((await listOf(arm, subscription)).length, seeded + 1);
    equal((await listOf(arm, namespace)).length, seeded + 1);
    equal((await listOf(arm, namespace, 'atScope()')).length, seeded);
    for (const filter of [`principalId eq '${principalId}'`, `assignedTo('${principalId}')`]) {
      const [mine, ...others] = await listOf(arm, subscription, filter);
      deepEqual([mine?.properties.principalId, others.length], [principalId, 0]);
      match(
        mine?.id ?? '',
        /\/hybridConnections\/a\/b\/providers\/Microsoft\.Authorization\/roleAssignments\//,
      );
    }
  });

  it('name roles by the real ids, which can be looked up', async () => {
    const { ask, subscription } = await start();
    const path = `${subscription}/providers/Microsoft.Authorization/roleDefinitions`;
    const filter = encodeURIComponent("roleName eq 'Azure Relay Listener'");
    const found = await ask('GET', `${path}?${VERSION}&$filter=${filter}`);
    const [role, ...others] = at(found, 'value') as { id: string; name: string; properties: object }[];
    deepEqual([role?.name, others.length], ['26e0b698-aa6d-4085-9386-aadae190014d', 0]);
    const one = await ask('GET', `${role?.id}?${VERSION}`);
    deepEqual(at(one, 'properties.permissions.0.dataActions'), ['Microsoft.Relay/*/listen/action']);
    equal((await ask('GET', `${path}/${randomUUID()}?${VERSION}`)).status, 404);
  });

  it('tell a caller what it may do', async () => {
    const { ask, subscription, other: token } = await start('Reader');
    const path = `${subscription}/resourceGroups/local/providers/Microsoft.Authorization/permissions?${VERSION}`;
    const mine = await ask('GET', path, undefined, { token });
    deepEqual(at(mine, 'value'), [
      { actions: ['*/read'], notActions: [], dataActions: [], notDataActions: [] },
    ]);
  });
});
