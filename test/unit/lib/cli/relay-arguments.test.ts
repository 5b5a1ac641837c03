import assert from 'node:assert/strict';
import { connectionOf, ownerOf, parseTags } from '../../../../src/lib/cli/relay-arguments.ts';
import type { HcmError } from '../../../../src/protocol/errors.ts';

const ID = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/ns/hybridConnections/a/b';

describe('arguments about relays', () => {
  it('a connection is NAMESPACE/NAME, NAME with --namespace, or an id', () => {
    assert.deepEqual(connectionOf('ns/a/b', { 'resource-group': 'g' }), {
      ...{ resourceGroup: 'g', namespace: 'ns', name: 'a/b' },
    });
    const { namespace, name } = connectionOf('a/b', { namespace: 'ns' });
    assert.deepEqual([namespace, name], ['ns', 'a/b']);
    assert.deepEqual(connectionOf(ID, { 'resource-group': 'other' }), {
      ...{ resourceGroup: 'g', subscriptionId: 's', namespace: 'ns', name: 'a/b' },
    });
    assert.throws(
      () => connectionOf('db', {}),
      (error: HcmError) => error.code === 'HCM_CONNECTION_INVALID',
    );
  });

  it('an owner of rules is a namespace or a connection', () => {
    assert.deepEqual(ownerOf('ns', { 'resource-group': 'g' }), { namespace: 'ns', resourceGroup: 'g' });
    const { namespace, name } = ownerOf('ns/db', {});
    assert.deepEqual([namespace, name], ['ns', 'db']);
    assert.equal(ownerOf(ID, {}).name, 'a/b');
  });

  it('a tag is NAME=VALUE, and its value may be empty or hold more of them', () => {
    assert.deepEqual(parseTags(['a=b', 'c=', 'd=e=f']), { a: 'b', c: '', d: 'e=f' });
    assert.deepEqual(parseTags(undefined), {});
    for (const bad of ['a', '=b']) {
      assert.throws(
        () => parseTags([bad]),
        (error: HcmError) => error.code === 'HCM_USAGE',
      );
    }
  });
});
