import assert from 'node:assert/strict';
import {
  connectionId,
  connectionPath,
  isConnection,
  namespacePath,
  ownerName,
  parseResourceId,
  sameId,
} from '../../../../src/lib/arm/references.ts';

const NAMESPACE = { subscriptionId: 's', resourceGroup: 'my group', name: 'ns' };
const CONNECTION = { ...NAMESPACE, connection: 'a/b' };
const RELAY = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/ns';

describe('references', () => {
  it('become paths with everything escaped that a URL needs escaped', () => {
    assert.equal(
      namespacePath(NAMESPACE),
      '/subscriptions/s/resourceGroups/my%20group/providers/Microsoft.Relay/namespaces/ns',
    );
    assert.match(connectionPath(CONNECTION), /\/namespaces\/ns\/hybridConnections\/a%2Fb$/);
  });

  it('are read from ids, in whatever case Azure has today', () => {
    const id = parseResourceId(
      '/subscriptions/s/resourcegroups/G/providers/Microsoft.Relay/Namespaces/ns/hybridconnections/db',
    );
    assert.deepEqual(id, {
      ...{ subscriptionId: 's', resourceGroup: 'G', names: ['ns', 'db'] },
      type: 'Microsoft.Relay/Namespaces/hybridconnections',
    });
    const site = parseResourceId(
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app/slots/staging',
    );
    assert.deepEqual(site?.names, ['app', 'staging']);
  });

  it('know slashes in the name of a connection, plain or escaped', () => {
    for (const name of ['a/b', 'a%2Fb']) {
      assert.deepEqual(parseResourceId(`${RELAY}/hybridConnections/${name}`)?.names, ['ns', 'a/b'], name);
    }
    const rule = parseResourceId(`${RELAY}/hybridConnections/a/b/authorizationRules/r`);
    assert.deepEqual(rule?.names, ['ns', 'a/b', 'r']);
  });

  it('are no ids: anything else', () => {
    for (const text of [
      '',
      'ns/db',
      '/subscriptions/s',
      '/subscriptions/s/resourceGroups/g',
      'https://x/y',
    ]) {
      assert.equal(parseResourceId(text), undefined, text);
    }
  });

  it('compare without case, escapes and a slash at the end', () => {
    assert.ok(sameId(`${RELAY.toUpperCase()}/`, RELAY));
    assert.ok(sameId(connectionId(CONNECTION), connectionPath(CONNECTION)));
    assert.ok(!sameId(RELAY, `${RELAY}2`));
  });

  it('have the names that people type', () => {
    assert.deepEqual([ownerName(NAMESPACE), ownerName(CONNECTION)], ['ns', 'ns/a/b']);
    assert.deepEqual([isConnection(NAMESPACE), isConnection(CONNECTION)], [false, true]);
  });
});
