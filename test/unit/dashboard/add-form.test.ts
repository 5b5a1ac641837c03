import assert from 'node:assert/strict';
import {
  EMPTY_FIELDS,
  fieldOf,
  readAddFields,
  type AddFields,
} from '../../../dashboard/src/model/add-form.ts';

const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const forNamespace = `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=rule;SharedAccessKey=${KEY}`;
const forOne = `${forNamespace};EntityPath=db`;

const read = (fields: Partial<AddFields>) => readAddFields({ ...EMPTY_FIELDS, ...fields });
const errorsOf = (fields: Partial<AddFields>) => {
  const result = read(fields);
  return 'errors' in result ? result.errors : {};
};

describe('the form for a new connection', () => {
  it('reads the name out of the connection string', () => {
    assert.deepEqual(read({ connectionString: ` ${forOne}\n`, target: 'db.corp:5432' }), {
      request: {
        role: 'listener',
        connection: 'my-relay/db',
        connectionString: forOne,
        entry: { target: 'db.corp:5432' },
      },
    });
  });

  it('takes a string for a whole namespace with a name, as NAME or NAMESPACE/NAME', () => {
    for (const name of ['db', 'my-relay/db', 'my-relay.servicebus.windows.net/db']) {
      const result = read({ role: 'forward', connectionString: forNamespace, name, bind: '1433' });
      assert.ok('request' in result, name);
      assert.deepEqual([result.request.connection, result.request.entry], ['my-relay/db', { bind: '1433' }]);
    }
    assert.deepEqual(Object.keys(errorsOf({ role: 'forward', connectionString: forNamespace })), ['name']);
  });

  it('signs in with Entra ID where there is no connection string', () => {
    const result = read({ role: 'forward', name: 'my-relay/db' });
    assert.deepEqual(result, {
      request: { role: 'forward', connection: 'my-relay/db', entry: { entra: true } },
    });
  });

  it('leaves the target out where none is typed: Azure is asked for it', () => {
    const result = read({ connectionString: forOne });
    assert.deepEqual('request' in result && result.request.entry, {});
  });

  it('tells each mistake at its field, all at once', () => {
    assert.deepEqual(Object.keys(errorsOf({})), ['name']);
    assert.deepEqual(Object.keys(errorsOf({ connectionString: 'Endpoint=', target: 'db' })), [
      'connectionString',
      'target',
    ]);
    assert.deepEqual(Object.keys(errorsOf({ role: 'forward', name: 'a/b', bind: 'x:99999' })), ['bind']);
    assert.deepEqual(Object.keys(errorsOf({ connectionString: forOne, name: 'other', target: 'a:1' })), [
      'name',
    ]);
  });

  it('repeats no secret in an error', () => {
    const broken = [`${forOne};EntityPath=x`, forOne.replace('Endpoint=', ''), forOne.replace(';', '')];
    for (const connectionString of broken) {
      const errors = errorsOf({ connectionString, target: 'a:1' });
      assert.ok(errors.connectionString !== undefined);
      assert.ok(!JSON.stringify(errors).includes(KEY));
    }
  });

  it('knows which field an error of the manager is about', () => {
    assert.deepEqual(['HCM_PORT_IN_USE', 'HCM_TARGET_INVALID', 'HCM_STATE_UNWRITABLE'].map(fieldOf), [
      'bind',
      'target',
      undefined,
    ]);
  });
});
