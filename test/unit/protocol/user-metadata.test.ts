import assert from 'node:assert/strict';
import { HcmError } from '../../../src/protocol/errors.ts';
import { targetFromUserMetadata, withTarget } from '../../../src/protocol/user-metadata.ts';

const APP_SERVICE = '[{"key":"endpoint","value":"db.corp:5432"}]';

function faultOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof HcmError);
    return `${error.code} ${String(error.details['reason'])}`;
  }
  return 'none';
}

describe('targetFromUserMetadata', () => {
  it('reads what App Service writes, keys in any case', () => {
    assert.deepEqual(targetFromUserMetadata(APP_SERVICE), { host: 'db.corp', port: 5432 });
    assert.deepEqual(targetFromUserMetadata('[{"Key":"x"},1,null,{"key":" EndPoint ","value":"[::1]:80"}]'), {
      host: '::1',
      port: 80,
    });
  });

  it('finds none where none is named', () => {
    for (const text of [
      undefined,
      '',
      '  ',
      '[]',
      '[{"key":"other","value":"a:1"}]',
      '[{"__proto__":{"key":"endpoint"}}]',
    ]) {
      assert.equal(targetFromUserMetadata(text), undefined, text);
    }
  });

  it('says what is wrong with the text', () => {
    const fault = (text: string): string => faultOf(() => targetFromUserMetadata(text));
    assert.equal(fault('db.corp:5432'), 'HCM_TARGET_MISSING not-json');
    assert.equal(fault('{"key":"endpoint","value":"a:1"}'), 'HCM_TARGET_MISSING not-a-list');
    assert.equal(fault('null'), 'HCM_TARGET_MISSING not-a-list');
    assert.equal(fault('[{"key":"endpoint"}]'), 'HCM_TARGET_INVALID value');
    assert.equal(fault('[{"key":"endpoint","value":5}]'), 'HCM_TARGET_INVALID value');
    assert.equal(fault('[{"key":"endpoint","value":"db.corp"}]'), 'HCM_TARGET_INVALID port-missing');
    assert.equal(fault('[{"key":"endpoint","value":"::1:5432"}]'), 'HCM_TARGET_INVALID ipv6-brackets');
  });
});

describe('withTarget', () => {
  it('writes what App Service writes', () => {
    assert.equal(withTarget(undefined, { host: 'db.corp', port: 5432 }), APP_SERVICE);
    assert.equal(withTarget('', { host: '::1', port: 80 }), '[{"key":"endpoint","value":"[::1]:80"}]');
  });

  it("keeps other people's entries and the place of the endpoint, and leaves one endpoint", () => {
    const text =
      '[{"key":"a","value":"b"},{"key":"Endpoint","value":"x:1","note":7},"odd",{"key":"endpoint","value":"y:2"}]';
    assert.equal(
      withTarget(text, { host: 'new', port: 3 }),
      '[{"key":"a","value":"b"},{"key":"Endpoint","value":"new:3","note":7},"odd"]',
    );
  });

  it('refuses to overwrite a text that is no list, and a result that the service would refuse', () => {
    assert.equal(
      faultOf(() => withTarget('notes of the owner', { host: 'a', port: 1 })),
      'HCM_TARGET_MISSING not-json',
    );
    const long = JSON.stringify([{ key: 'a', value: 'x'.repeat(1000) }]);
    assert.equal(
      faultOf(() => withTarget(long, { host: 'a', port: 1 })),
      'HCM_TARGET_INVALID too-long',
    );
  });
});
