import assert from 'node:assert/strict';
import fc from 'fast-check';
import { matchEntity, parseRelayRequest } from '../../../src/protocol/request-target.ts';

describe('parseRelayRequest', () => {
  it('reads a sender with suffix, user query, id and token', () => {
    assert.deepEqual(
      parseRelayRequest(
        '/$hc/hyco1/a%20b?x=%2f&sb-hc-action=connect&sb-hc-id=7&sb-hc-token=Shared+A%20sr%3D1%26sig%3D%2B',
      ),
      {
        kind: 'websocket',
        path: 'hyco1/a b',
        rawPath: '/hyco1/a%20b',
        action: 'connect',
        id: '7',
        token: 'Shared A sr=1&sig=+',
        statusCode: undefined,
        statusDescription: undefined,
        sasKeyName: undefined,
        sasKey: undefined,
        userQuery: 'x=%2f',
      },
    );
  });

  it('knows the prefix in any case and escaped', () => {
    for (const prefix of ['/$hc', '/$HC', '/%24hc', '/%24Hc', '/%24%68%63']) {
      const { kind, path } = parseRelayRequest(`${prefix}/db`);
      assert.deepEqual({ kind, path }, { kind: 'websocket', path: 'db' }, prefix);
    }
    assert.equal(parseRelayRequest('/$hcx/db').kind, 'http');
    assert.equal(parseRelayRequest('/db/$hc/').kind, 'http');
  });

  it('leaves the action out when there is none', () => {
    assert.equal(parseRelayRequest('/$hc/db').action, undefined);
  });

  it('folds the case of the action and passes unknown ones on', () => {
    assert.equal(parseRelayRequest('/$hc/db?SB-HC-Action=Listen').action, 'listen');
    assert.equal(parseRelayRequest('/$hc/db?sb-hc-action=dance').action, 'dance');
  });

  it("takes an escaped question mark before the relay's own parameters", () => {
    const request = parseRelayRequest('/$hc/arc/v2%3Fsb-hc-action=connect&sb-hc-id=9');
    assert.equal(request.path, 'arc/v2');
    assert.equal(request.rawPath, '/arc/v2');
    assert.equal(request.action, 'connect');
    assert.equal(request.id, '9');
    assert.equal(parseRelayRequest('/$hc/v2%3fx=1&sb-hc-id=9').userQuery, 'x=1');
  });

  it('leaves an escaped question mark that belongs to the path', () => {
    assert.equal(parseRelayRequest('/$hc/db/what%3Fnow').path, 'db/what?now');
    assert.equal(parseRelayRequest('/db/what%3Fsb-hc-id=1').path, 'db/what?sb-hc-id=1');
  });

  it('reads a rejection in both spellings, the bare one only where a listener accepts', () => {
    const proper = parseRelayRequest(
      '/$hc/db?sb-hc-action=accept&sb-hc-id=1&sb-hc-statusCode=404&sb-hc-statusDescription=not+here%21',
    );
    assert.equal(proper.statusCode, 404);
    assert.equal(proper.statusDescription, 'not here!');
    const bare = parseRelayRequest('/$hc/db?sb-hc-action=accept&statusCode=503&statusDescription=no');
    assert.equal(bare.statusCode, 503);
    assert.equal(bare.statusDescription, 'no');
    assert.equal(parseRelayRequest('/$hc/db?sb-hc-action=connect&statusCode=503').statusCode, undefined);
  });

  it('tells a rejection with a nonsense status from an acceptance', () => {
    assert.ok(Number.isNaN(parseRelayRequest('/$hc/db?sb-hc-action=accept&sb-hc-statusCode=abc').statusCode));
  });

  it('reads raw keys of undocumented senders', () => {
    const request = parseRelayRequest('/db?sb-hc-sas-key-name=send&sb-hc-sas-key=a%2Bb');
    assert.equal(request.sasKeyName, 'send');
    assert.equal(request.sasKey, 'a+b');
    assert.equal(request.userQuery, '');
  });

  it('takes the absolute form that proxies use', () => {
    const request = parseRelayRequest('https://ns1.example:443/db/x?y=1');
    assert.equal(request.kind, 'http');
    assert.equal(request.rawPath, '/db/x');
    assert.equal(request.userQuery, 'y=1');
  });

  it('never throws and never shows a reserved pair to the user', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { userQuery } = parseRelayRequest(`/$hc/${text}`);
        assert.ok(!/(?:^|&)sb-hc-[^&]*=/i.test(userQuery));
      }),
    );
  });
});

describe('matchEntity', () => {
  const names = ['db', 'Db/Sub', 'database', 'a/b/c'];

  it('takes the longest name of whole segments, in any case', () => {
    assert.deepEqual(matchEntity('DB/sub/x', names), { name: 'Db/Sub', suffix: '/x' });
    assert.deepEqual(matchEntity('/db/subx', names), { name: 'db', suffix: '/subx' });
    assert.deepEqual(matchEntity('database', names), { name: 'database', suffix: '' });
    assert.deepEqual(matchEntity('db/', names), { name: 'db', suffix: '/' });
  });

  it('finds nothing for a part of a segment or of a name', () => {
    assert.equal(matchEntity('dbx', names), undefined);
    assert.equal(matchEntity('a/b', names), undefined);
    assert.equal(matchEntity('', [...names, '']), undefined);
  });
});
