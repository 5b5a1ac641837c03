import { deepEqual, equal, ok } from 'node:assert/strict';
import { allows, findRole, scopeCovers, type RoleName } from '../../../src/emulator/entra/roles.ts';

const SUBSCRIPTION = '/subscriptions/11111111-1111-1111-1111-111111111111';
const NAMESPACE = `${SUBSCRIPTION}/resourceGroups/local/providers/Microsoft.Relay/namespaces/local-relay`;
const CONNECTION = `${NAMESPACE}/hybridConnections/one`;

const grant = (role: RoleName, scope: string) => [{ roleId: findRole(role)?.id ?? '', scope }];

describe('scopeCovers', () => {
  for (const [outer, inner, covers] of [
    [SUBSCRIPTION, CONNECTION, true],
    [CONNECTION, CONNECTION, true],
    [`${NAMESPACE.toUpperCase()}/`, CONNECTION, true],
    ['/', SUBSCRIPTION, true],
    [CONNECTION, NAMESPACE, false],
    [CONNECTION, `${CONNECTION}-two`, false],
  ] as const) {
    it(`${outer} ${covers ? 'covers' : 'does not cover'} ${inner}`, () => {
      equal(scopeCovers(outer, inner), covers);
    });
  }
});

describe('roles', () => {
  const WRITE = 'Microsoft.Relay/namespaces/write';
  const ASSIGN = 'Microsoft.Authorization/roleAssignments/write';
  const KEYS = 'Microsoft.Relay/namespaces/authorizationRules/listKeys/action';

  for (const [role, actions] of [
    ['Owner', [true, true, true, true]],
    ['Contributor', [true, true, false, true]],
    ['Reader', [true, false, false, false]],
    ['User Access Administrator', [true, false, true, false]],
    ['Azure Relay Owner', [true, true, false, true]],
    ['Azure Relay Listener', [false, false, false, false]],
  ] as const) {
    it(`${role}: reads, writes, assigns roles, lists keys: ${actions.join()}`, () => {
      const grants = grant(role, SUBSCRIPTION);
      const asked = ['Microsoft.Relay/namespaces/read', WRITE, ASSIGN, KEYS];
      deepEqual(
        asked.map((action) => allows(grants, action, NAMESPACE)),
        actions,
      );
    });
  }

  for (const [role, listens, sends] of [
    ['Owner', false, false],
    ['Azure Relay Owner', true, true],
    ['Azure Relay Listener', true, false],
    ['Azure Relay Sender', false, true],
  ] as const) {
    it(`${role} listens: ${listens}, sends: ${sends}`, () => {
      const grants = grant(role, NAMESPACE);
      const may = (verb: string) =>
        allows(grants, `Microsoft.Relay/namespaces/hybridConnections/${verb}/action`, CONNECTION, 'data');
      deepEqual([may('listen'), may('send')], [listens, sends]);
    });
  }

  it('count where they were given and below, nowhere else', () => {
    const grants = grant('Owner', CONNECTION);
    ok(allows(grants, WRITE, `${CONNECTION}/authorizationRules/rule`));
    ok(!allows(grants, WRITE, NAMESPACE));
    ok(!allows(grants, WRITE, `${CONNECTION}er`));
  });

  it('a listener of one connection may read it, whatever the case', () => {
    const grants = grant('Azure Relay Listener', CONNECTION);
    ok(allows(grants, 'microsoft.relay/namespaces/hybridconnections/READ', CONNECTION.toLowerCase()));
  });
});
