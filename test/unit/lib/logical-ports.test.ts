// Logical ports as people write them on the command line.
import assert from 'node:assert/strict';
import {
  httpPortNames,
  namedTargetFault,
  ownPortName,
  portNameFault,
  splitNamed,
} from '../../../src/lib/logical-ports.ts';
import { parseTargetAddress } from '../../../src/protocol/target-address.ts';
import { parseBind } from '../../../src/protocol/target.ts';

describe('a logical port', () => {
  for (const [text, name, address] of [
    ['db=host:5432', 'db', 'host:5432'],
    ['a/b.c_d-e=udp:host:53', 'a/b.c_d-e', 'udp:host:53'],
    ['http=http://host/a=b', 'http', 'http://host/a=b'],
    ['my db=host:1', 'my db', 'host:1'],
    ['db=', 'db', ''],
    ['host:5432', undefined, 'host:5432'],
    ['http://host/a=b', undefined, 'http://host/a=b'],
    ['/run/a=b.sock', undefined, '/run/a=b.sock'],
    ['unix:/run/a=b', undefined, 'unix:/run/a=b'],
    ['[fd00::1]:1=2', undefined, '[fd00::1]:1=2'],
    ['=host:1', undefined, '=host:1'],
  ] as const) {
    it(`is read in "${text}"`, () => assert.deepEqual(splitNamed(text), { name, address }));
  }

  for (const [name, fault] of [
    ['db', undefined],
    ['5432', undefined],
    ['a/b.c_d-e', undefined],
    ['x'.repeat(255), undefined],
    ['x'.repeat(256), 'it has 256 characters, and 255 are possible'],
    ['', 'it is empty'],
    ['my db', 'only letters, digits and / _ - . are allowed in it'],
    ['dé', 'only letters, digits and / _ - . are allowed in it'],
  ] as const) {
    it(`may ${fault === undefined ? '' : 'not '}be called "${name.slice(0, 12)}" (${name.length})`, () =>
      assert.equal(portNameFault(name), fault));
  }

  it('has a name by itself: its port, with a U for UDP, or its scheme', () => {
    const targets = ['h:5432', 'udp:h:53', 'http://h', 'https://h:1/x', 'unix:/s'];
    assert.deepEqual(
      targets.map((text) => ownPortName(parseTargetAddress(text))),
      ['5432', '53U', 'http', 'https', undefined],
    );
    const binds = ['1433', '0', 'udp:5353', 'udp:0', 'unix:/s'];
    assert.deepEqual(
      binds.map((text) => ownPortName(parseBind(text, { udp: true }))),
      ['1433', undefined, '5353U', undefined, undefined],
    );
  });

  it('of an HTTP target is http or https', () => {
    const http = parseTargetAddress('http://h');
    assert.equal(namedTargetFault('https', http), undefined);
    assert.equal(namedTargetFault('http', parseTargetAddress('h:80')), undefined);
    assert.match(namedTargetFault('web', http) ?? '', /name http or https/);
    assert.deepEqual(
      httpPortNames(
        new Map([
          ['db', parseTargetAddress('h:1')],
          ['http', http],
        ]),
      ),
      ['http'],
    );
  });
});
