/** What the path of a request to Resource Manager says, and which permission it needs. */
import { deepEqual, equal } from 'node:assert/strict';
import { actionOf, isWrite, readArmPath } from '../../../../src/emulator/arm/arm-path.ts';
import { segmentsOf } from '../../../../src/emulator/arm/router.ts';

const read = (method: string, path: string) => readArmPath(method, segmentsOf(path));
const GROUP = '/subscriptions/S/resourceGroups/G';
const NAMESPACE = `${GROUP}/providers/Microsoft.Relay/namespaces/N`;

describe('paths of Resource Manager', () => {
  it('name subscription, group, provider, types and names', () => {
    const path = read('GET', `/${NAMESPACE}//HybridConnections/a%2Fb`);
    deepEqual(
      [path.subscriptionId, path.resourceGroup, path.namespace, path.type, path.names, path.action],
      ['S', 'G', 'Microsoft.Relay', 'namespaces/HybridConnections', ['N', 'a/b'], undefined],
    );
  });

  it('mean the innermost provider where a resource extends another', () => {
    const path = read('PUT', `${NAMESPACE}/providers/Microsoft.Authorization/roleAssignments/x`);
    deepEqual([path.namespace, path.type, path.names], ['Microsoft.Authorization', 'roleAssignments', ['x']]);
  });

  const permissions: [string, string, string, string][] = [
    ['GET', '/subscriptions', 'Microsoft.Resources/subscriptions/read', '/subscriptions'],
    ['GET', '/subscriptions/S', 'Microsoft.Resources/subscriptions/read', '/subscriptions/S'],
    ['HEAD', GROUP, 'Microsoft.Resources/subscriptions/resourceGroups/read', GROUP],
    ['PUT', GROUP, 'Microsoft.Resources/subscriptions/resourceGroups/write', GROUP],
    [
      'GET',
      `${GROUP}/providers/Microsoft.Relay/namespaces`,
      'Microsoft.Relay/namespaces/read',
      `${GROUP}/providers/Microsoft.Relay`,
    ],
    ['PATCH', NAMESPACE, 'Microsoft.Relay/namespaces/write', NAMESPACE],
    ['DELETE', NAMESPACE, 'Microsoft.Relay/namespaces/delete', NAMESPACE],
    ['GET', `${NAMESPACE}/hybridConnections`, 'Microsoft.Relay/namespaces/hybridConnections/read', NAMESPACE],
    [
      ...(['POST', `${NAMESPACE}/authorizationRules/R/listKeys`] as const),
      'Microsoft.Relay/namespaces/authorizationRules/listKeys/action',
      `${NAMESPACE}/authorizationRules/R`,
    ],
    [
      ...(['POST', '/subscriptions/S/providers/Microsoft.Relay/checkNameAvailability'] as const),
      'Microsoft.Relay/checkNameAvailability/action',
      '/subscriptions/S/providers/Microsoft.Relay',
    ],
  ];
  for (const [method, path, action, scope] of permissions) {
    it(`${method} ${path} needs ${action}`, () => {
      const parsed = read(method, path);
      deepEqual([actionOf(method, parsed), parsed.scope], [action, scope]);
    });
  }

  it('ask for a change, unless they read or are a POST that only tells', () => {
    const writes = (method: string, path: string) => isWrite(method, read(method, path));
    for (const method of ['PUT', 'PATCH', 'DELETE']) equal(writes(method, NAMESPACE), true);
    equal(writes('POST', `${NAMESPACE}/authorizationRules/R/regenerateKeys`), true);
    for (const action of ['listKeys', 'checkNameAvailability'])
      equal(writes('POST', `${NAMESPACE}/x/${action}`), false);
    for (const method of ['GET', 'HEAD']) equal(writes(method, NAMESPACE), false);
  });
});
