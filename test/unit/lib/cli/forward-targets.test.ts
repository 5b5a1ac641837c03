// What --bind and its friends of `forward` mean, what --port of `connect` means, and what does not go together.
import assert from 'node:assert/strict';
import { logicalPortOf } from '../../../../src/lib/cli/dialect-flags.ts';
import {
  parseForwardArguments,
  readForwards,
  readLogicalBinds,
  type ForwardFlags,
} from '../../../../src/lib/cli/forward-targets.ts';
import { Output } from '../../../../src/lib/cli/output.ts';
import { toUserError } from '../../../../src/lib/cli/to-user-error.ts';
import { formatBind } from '../../../../src/protocol/target.ts';

const output = new Output({ quiet: true });
const azbridge = (...bind: string[]): Partial<ForwardFlags> => ({ dialect: 'azbridge', bind });

async function failure(flags: Partial<ForwardFlags>, names: readonly string[] = ['my-relay/a']) {
  const error = await readForwards({ flags: { entra: true, ...flags }, names, output }).then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  return toUserError(error);
}

describe('the local ports of forward', () => {
  it('may be any free port for several connections', () => {
    assert.deepEqual(
      parseForwardArguments(['r/a=0', 'r/b=0'], undefined).map(({ bind }) => formatBind(bind)),
      ['127.0.0.1:0', '127.0.0.1:0'],
    );
  });

  it('have logical ports, by name or by themselves', () => {
    const texts = ['db=127.0.0.1:1', 'dns=udp:5353', '80', 'udp:[::1]:53', 's=/tmp/a=b.sock', 'db=0'];
    assert.deepEqual(
      readLogicalBinds(texts).map(({ name, bind }) => [name, formatBind(bind)]),
      [
        ['db', '127.0.0.1:1'],
        ['dns', 'udp:127.0.0.1:5353'],
        ['80', '127.0.0.1:80'],
        ['53U', 'udp:[::1]:53'],
        ['s', 'unix:/tmp/a=b.sock'],
        ['db', '127.0.0.1:0'],
      ],
    );
  });

  for (const [what, flags, names, code, message, next] of [
    [
      'two binds with raw',
      { bind: ['1', '2'] },
      ['r/a'],
      'HCM_USAGE',
      /--bind goes with one CONNECTION/,
      /A=127/,
    ],
    [
      'a name with raw',
      { bind: ['db=1'] },
      ['r/a'],
      'HCM_USAGE',
      /--bind db=1 names a logical port/,
      /^Write --bind 1, or add --dialect azbridge$/,
    ],
    [
      'UDP with raw',
      { bind: ['udp:1'] },
      ['r/a'],
      'HCM_USAGE',
      /no datagrams/,
      /--dialect azbridge to --bind udp:1/,
    ],
    [
      'one address for two connections',
      {},
      ['r/a=127.0.0.1:80', 'r/b=80'],
      'HCM_USAGE',
      /^127\.0\.0\.1:80 stands there twice, for r\/a and for r\/b\.$/,
      /an address of its own/,
    ],
    [
      'azbridge without a port',
      azbridge(),
      ['r/a'],
      'HCM_USAGE',
      /which logical ports are opened/,
      /--bind db=127/,
    ],
    [
      'azbridge with an address beside the name',
      azbridge('db=1'),
      ['r/a=1'],
      'HCM_USAGE',
      /addresses stand in --bind/,
      /--bind db=/,
    ],
    [
      'azbridge for two connections',
      azbridge('db=1'),
      ['r/a', 'r/b'],
      'HCM_USAGE',
      /takes one CONNECTION/,
      /hcm forward --file hcm\.yaml/,
    ],
    [
      'azbridge over HTTP',
      { ...azbridge('db=1'), http: true },
      ['r/a'],
      'HCM_USAGE',
      /--http goes with the dialect raw/,
      /Leave out/,
    ],
    [
      'a free port without a name',
      azbridge('0'),
      ['r/a'],
      'HCM_USAGE',
      /no port to be named after/,
      /--bind NAME=0/,
    ],
    [
      'a socket without a name',
      azbridge('unix:/s'),
      ['r/a'],
      'HCM_USAGE',
      /no port to be named after/,
      /--bind NAME=unix:\/s/,
    ],
    [
      'a name with a space',
      azbridge('my db=1'),
      ['r/a'],
      'HCM_USAGE',
      /"my db" cannot be the name/,
      /--bind NAME=1/,
    ],
    ['no address behind the name', azbridge('db='), ['r/a'], 'HCM_BIND_INVALID', /it is empty/, /--bind/],
  ] as const) {
    it(`are refused: ${what}`, async () => {
      const error = await failure(flags, names);
      assert.deepEqual([error.code, error.exitStatus], [code, 2]);
      assert.match(error.message, message);
      assert.match(error.next, next);
    });
  }
});

describe('the logical port of connect', () => {
  it('stands in --port', () => {
    assert.equal(logicalPortOf({ dialect: 'azbridge', port: 'ssh' }), 'ssh');
    assert.equal(logicalPortOf({}), undefined);
  });

  for (const [flags, message] of [
    [{ port: 'ssh' }, /the dialect raw has none/],
    [{ port: 'ssh', dialect: 'raw' }, /the dialect raw has none/],
    [{ dialect: 'azbridge' }, /--port says which/],
    [{ dialect: 'azbridge', port: 'a b' }, /"a b" cannot be the name/],
  ] as const) {
    it(`is refused: ${JSON.stringify(flags)}`, () => assert.throws(() => logicalPortOf(flags), message));
  }
});
