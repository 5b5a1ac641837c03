import assert from 'node:assert/strict';
import {
  entityPrefix,
  joinPath,
  prefixLocation,
  stripPrefix,
  unprefixLocation,
} from '../../../src/protocol/http-path.ts';

describe('stripPrefix', () => {
  const vectors: [target: string, entity: string, prefix: string, rest: string][] = [
    ['/hyco1/foo?x=1', 'hyco1', '/hyco1', '/foo?x=1'],
    ['/hyco1', 'hyco1', '/hyco1', '/'],
    ['/hyco1/', 'hyco1', '/hyco1', '/'],
    ['/hyco1?x', 'hyco1', '/hyco1', '/?x'],
    ['/HYCO1/Foo', 'hyco1', '/HYCO1', '/Foo'],
    ['/hyco1/hyco1/a', 'hyco1', '/hyco1', '/hyco1/a'],
    ['/team/hyco-1/a%2Fb%20c', 'team/hyco-1', '/team/hyco-1', '/a%2Fb%20c'],
    ['/team%2fhyco%2D1%2fa', 'team/hyco-1', '/team%2fhyco%2D1', '/a'],
    ['//hyco1//a//b', 'hyco1', '//hyco1', '//a//b'],
    ['/hyco1//evil.example/x', 'hyco1', '/hyco1', '//evil.example/x'],
    ['/a.b/x', 'a.b', '/a.b', '/x'],
  ];
  for (const [target, entity, prefix, rest] of vectors) {
    it(`cuts ${entity} from ${target}`, () => {
      assert.deepEqual(stripPrefix(target, entity), { prefix, target: rest });
    });
  }

  it('cuts whole segments only, and takes no character of a name for a pattern', () => {
    for (const target of ['/hyco10/foo', '/hyco', '/', '/other/hyco1', '', '*', '/hyco1x?y']) {
      assert.equal(stripPrefix(target, 'hyco1'), undefined, target);
    }
    assert.equal(stripPrefix('/axb/x', 'a.b'), undefined);
  });
});

describe('joinPath', () => {
  const vectors: [base: string, target: string, joined: string][] = [
    ['', '/a?b', '/a?b'],
    ['/', '/a', '/a'],
    ['/base', '/', '/base/'],
    ['/base/', '/a//b%2Fc?d=/../e', '/base/a//b%2Fc?d=/../e'],
    ['/base', '/../secret', '/base/secret'],
    ['/base', '/a/../../../secret?x', '/base/secret?x'],
    ['/base', '/%2e%2E/secret', '/base/secret'],
    ['/base', '/.%2e/.', '/base/'],
    ['/base', '/a/./b/..', '/base/a/'],
    ['/base', '/..', '/base/'],
    ['/base', '/...', '/base/...'],
    ['/base', '/.well-known/x..y', '/base/.well-known/x..y'],
    ['/base', '?x', '/base/?x'],
  ];
  for (const [base, target, joined] of vectors) {
    it(`puts "${base}" in front of ${target}`, () => assert.equal(joinPath(base, target), joined));
  }

  it('puts the name of a connection in front', () => {
    assert.equal(joinPath(entityPrefix('team/hyco-1'), '/x'), '/team/hyco-1/x');
  });
});

describe('prefixLocation', () => {
  const mount = {
    prefix: '/hyco1',
    basePath: '/base/',
    targetHost: '10.0.0.5:8080',
    publicHost: 'ns1.servicebus.windows.net',
  };
  const vectors: [location: string, seen: string][] = [
    ['/base/login?next=/x#top', '/hyco1/login?next=/x#top'],
    ['/base', '/hyco1/'],
    ['/base?x', '/hyco1/?x'],
    ['http://10.0.0.5:8080/base/a', '/hyco1/a'],
    ['HTTP://10.0.0.5:8080/base/A%2f', '/hyco1/A%2f'],
    ['//10.0.0.5:8080/base/a', '/hyco1/a'],
    ['https://ns1.servicebus.windows.net/base/a', '/hyco1/a'],
    ['http://NS1.servicebus.windows.net/base/a', '/hyco1/a'],
    ['https://ns1.servicebus.windows.net:443/base/a', '/hyco1/a'],
  ];
  for (const [location, seen] of vectors) {
    it(`puts the prefix into ${location}`, () => assert.equal(prefixLocation(location, mount), seen));
  }

  it('leaves alone what does not point to the target, or to a place of it that nobody reaches', () => {
    for (const location of [
      ...[
        'https://login.example/base/a',
        '//login.example/base',
        'http://10.0.0.5/base/a',
        'next',
        '?page=2',
      ],
      ...['', '#x', '../up', 'mailto:a@b', 'http://user@10.0.0.5:8080/base/a', '/outside', '/basement'],
      ...['http:///base', '/\\evil.example', 'http://[::1/base'],
    ]) {
      assert.equal(prefixLocation(location, mount), location);
    }
  });

  it('leaves alone what an application that knows the prefix wrote', () => {
    const root = { ...mount, basePath: '/' };
    for (const location of ['/hyco1/a', '/HYCO1', 'https://ns1.servicebus.windows.net/hyco1/a?b']) {
      assert.equal(prefixLocation(location, root), location);
    }
    assert.equal(prefixLocation('/a', root), '/hyco1/a');
    assert.equal(prefixLocation('/hyco10', root), '/hyco1/hyco10');
    assert.equal(prefixLocation('http://10.0.0.5:8080/hyco1/a', root), '/hyco1/hyco1/a');
  });

  it('knows the port that goes without saying', () => {
    const plain = { prefix: '/h', basePath: '', targetHost: 'web:80' };
    assert.equal(prefixLocation('http://web/x', plain), '/h/x');
    assert.equal(prefixLocation('http://WEB:80/x', plain), '/h/x');
    assert.equal(prefixLocation('https://web/x', plain), 'https://web/x');
    assert.equal(prefixLocation('http://web', plain), '/h/');
    assert.equal(prefixLocation('http://[::1]:80/x', { ...plain, targetHost: '[::1]:80' }), '/h/x');
  });

  it('makes no address of another host from a path, where nothing was cut', () => {
    const kept = { prefix: '', basePath: '', targetHost: 'web:80' };
    assert.equal(prefixLocation('http://web//evil.example/x', kept), '/evil.example/x');
    assert.equal(prefixLocation('/x', kept), '/x');
  });
});

describe('unprefixLocation', () => {
  const relay = { host: 'localhost:5671', entity: 'team/hyco-1' };
  const vectors: [location: string, seen: string][] = [
    ['/team/hyco-1/a?b#c', '/a?b#c'],
    ['/team/hyco-1', '/'],
    ['/Team/Hyco-1/', '/'],
    ['https://localhost:5671/team/hyco-1/a%20b', '/a%20b'],
    ['//localhost:5671/team/hyco-1', '/'],
    ['/team/hyco-1//evil.example', '/evil.example'],
    ['/team/hyco-1/\\evil.example', '/evil.example'],
  ];
  for (const [location, seen] of vectors) {
    it(`takes the name out of ${location}`, () => assert.equal(unprefixLocation(location, relay), seen));
  }

  it('leaves other addresses alone', () => {
    for (const location of [
      ...[
        '/other',
        '/team/hyco-10',
        'https://localhost/team/hyco-1/a',
        'a',
        'https://login.example/team/hyco-1',
      ],
      ...['?x', '', 'urn:x'],
    ]) {
      assert.equal(unprefixLocation(location, relay), location);
    }
  });

  it('knows that a relay is on 443', () => {
    const azure = { host: 'ns1.servicebus.windows.net', entity: 'web' };
    assert.equal(unprefixLocation('https://ns1.servicebus.windows.net:443/web/a', azure), '/a');
    assert.equal(unprefixLocation('http://ns1.servicebus.windows.net/web/a', azure), '/a');
  });
});
