// What --target and its friends of `listen` mean, and what of them does not go together.
import assert from 'node:assert/strict';
import { readListenTargets, type ListenTargetFlags } from '../../../../src/lib/cli/listen-targets.ts';
import { toUserError } from '../../../../src/lib/cli/to-user-error.ts';
import { formatTargetAddress } from '../../../../src/protocol/target-address.ts';

const azbridge = (...target: string[]): ListenTargetFlags => ({ dialect: 'azbridge', target });

function read(flags: ListenTargetFlags): unknown {
  const targets = readListenTargets(flags);
  if (targets.dialect === 'raw') return targets.target && formatTargetAddress(targets.target);
  return Object.fromEntries([...targets.ports].map(([name, port]) => [name, formatTargetAddress(port)]));
}

function failure(flags: ListenTargetFlags) {
  try {
    readListenTargets(flags);
  } catch (error) {
    return toUserError(error);
  }
  return assert.fail('it was accepted');
}

describe('the targets of listen', () => {
  for (const [what, flags, wanted] of [
    ['none: what the connection says', {}, undefined],
    ['TCP', { target: ['db:5432'] }, 'db:5432'],
    ['a socket', { target: ['/run/a=b.sock'] }, 'unix:/run/a=b.sock'],
    ['HTTP', { target: ['http://h/a=b'], 'keep-path': true, 'host-header': 'x' }, 'http://h/a=b'],
    ['raw, said so', { target: ['db:5432'], dialect: 'raw' }, 'db:5432'],
    [
      'named ports',
      azbridge('db=h:1', 'dns=udp:h:53', 's=unix:/s', 'http=http://h/'),
      { db: 'h:1', dns: 'udp:h:53', s: 'unix:/s', http: 'http://h' },
    ],
    [
      'ports that are named after themselves',
      azbridge('h:5432', 'udp:h:53', 'https://h'),
      { 5432: 'h:5432', '53U': 'udp:h:53', https: 'https://h' },
    ],
  ] as const) {
    it(what, () => assert.deepEqual(read(flags), wanted));
  }

  for (const [what, flags, code, message, next] of [
    [
      'two targets',
      { target: ['a:1', 'b:2'] },
      'HCM_USAGE',
      /one target, and --target stands there 2 times/,
      /--dialect azbridge/,
    ],
    [
      'a name with raw',
      { target: ['db=a:1'] },
      'HCM_USAGE',
      /db=a:1 names a logical port/,
      /^Write --target a:1, or add --dialect azbridge$/,
    ],
    ['UDP with raw', { target: ['udp:a:1'] }, 'HCM_USAGE', /no datagrams/, /--dialect azbridge/],
    [
      'a target without a port',
      { target: ['db'] },
      'HCM_TARGET_INVALID',
      /it has no port/,
      /--target HOST:PORT/,
    ],
    [
      'azbridge without a target',
      { dialect: 'azbridge' },
      'HCM_USAGE',
      /each logical port needs its target/,
      /--target db=db\.corp\.local:5432/,
    ],
    [
      'a socket without a name',
      azbridge('unix:/s'),
      'HCM_USAGE',
      /no port to be named after/,
      /--target NAME=unix:\/s/,
    ],
    [
      'a name with a space',
      azbridge('my db=a:1'),
      'HCM_USAGE',
      /"my db" cannot be the name/,
      /--target NAME=a:1/,
    ],
    ['a name twice', azbridge('a:1', '1=b:2'), 'HCM_USAGE', /"1" has two targets/, /--target NAME=b:2/],
    [
      'HTTP under another name',
      azbridge('web=http://a'),
      'HCM_USAGE',
      /name http or https/,
      /--target http=http:\/\/a/,
    ],
    [
      'two HTTP targets',
      azbridge('http://a', 'https://b'),
      'HCM_USAGE',
      /one HTTP target/,
      /another hybrid connection/,
    ],
    ['a logical port without a target', azbridge('db='), 'HCM_TARGET_INVALID', /it is empty/, /--target/],
    [
      '--keep-path without HTTP',
      { target: ['a:1'], 'keep-path': true },
      'HCM_USAGE',
      /--keep-path goes with an HTTP target/,
      /http:\/\/HOST:PORT --keep-path/,
    ],
    [
      'a Host that is none',
      { target: ['http://a'], 'host-header': 'a\r\nb: c' },
      'HCM_USAGE',
      /expected original, HOST or HOST:PORT/,
      /--host-header intranet/,
    ],
    [
      '--host-header without HTTP',
      { ...azbridge('a:1'), 'host-header': 'x' },
      'HCM_USAGE',
      /--host-header goes with an HTTP target/,
      /http:/,
    ],
  ] as const) {
    it(`are refused: ${what}`, () => {
      const error = failure(flags);
      assert.deepEqual([error.code, error.exitStatus], [code, 2]);
      assert.match(error.message, message);
      assert.match(error.next, next);
    });
  }
});
