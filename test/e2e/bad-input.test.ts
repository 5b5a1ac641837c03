// Every kind of input that cannot be used: the documented status and code, once for people and once for programs, and
// no secret in either.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { HcmHome, parseLines, programFile, type Ended } from './hcm-process.ts';
import { portOf } from './relay-home.ts';

const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0ISE=';
const STRING = `Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=${KEY};EntityPath=db`;
const NAMESPACE_STRING = `Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=${KEY}`;

interface Case {
  name: string;
  args: string[];
  code: string;
  status: number;
  string?: string;
  says?: RegExp;
}

const CASES: Case[] = [
  { name: 'no connection at all', args: ['listen'], code: 'HCM_USAGE', status: 2 },
  { name: 'a name without namespace', args: ['forward', 'db'], code: 'HCM_CONNECTION_INVALID', status: 2 },
  {
    name: 'a connection without a key and without a sign-in',
    args: ['forward', 'ns/db', '--auth', 'env'],
    code: 'HCM_TOKEN_MISSING',
    status: 3,
    says: /There is no key for ns\/db, and Azure cannot be asked for one[^]*HCM_CONNECTION_STRING/,
  },
  {
    name: 'Entra ID without a sign-in',
    args: ['listen', 'ns/db', '--entra', '--auth', 'env'],
    code: 'HCM_SIGN_IN_REQUIRED',
    status: 3,
  },
  {
    name: 'an entity name with characters that Azure refuses',
    args: ['forward', 'ns/a b'],
    code: 'HCM_CONNECTION_INVALID',
    status: 2,
  },
  {
    name: 'an empty segment in the name',
    args: ['listen', 'ns/a//b'],
    code: 'HCM_CONNECTION_INVALID',
    status: 2,
  },
  {
    name: 'a connection string on the command line',
    args: ['listen', STRING],
    code: 'HCM_USAGE',
    status: 2,
    says: /--connection-string-file/,
  },
  { name: 'a connection string behind =', args: ['forward', `${STRING}`], code: 'HCM_USAGE', status: 2 },
  {
    name: 'a connection string as a flag',
    args: ['listen', `--connection-string=${STRING}`],
    code: 'HCM_USAGE',
    status: 2,
    says: /--connection-string-file/,
  },
  {
    name: 'a malformed connection string',
    args: ['listen'],
    string: `SharedAccessKey=${KEY}`,
    code: 'HCM_CONNECTION_STRING_INVALID',
    status: 2,
  },
  {
    name: 'a connection string in quotes',
    args: ['listen'],
    string: `"${STRING}"`,
    code: 'HCM_CONNECTION_STRING_INVALID',
    status: 2,
  },
  {
    name: 'a connection string with an unknown key',
    args: ['listen'],
    string: `${STRING};TransportType=x`,
    code: 'HCM_CONNECTION_STRING_INVALID',
    status: 2,
  },
  {
    name: 'a connection string with http',
    args: ['listen'],
    string: STRING.replace('sb:', 'http:'),
    code: 'HCM_CONNECTION_STRING_INVALID',
    status: 2,
  },
  {
    name: 'an EntityPath that disagrees with the name',
    args: ['listen', 'other'],
    string: STRING,
    code: 'HCM_CONNECTION_INVALID',
    status: 2,
    says: /"db".*"other"/,
  },
  {
    name: 'a namespace-level string without a name',
    args: ['listen'],
    string: NAMESPACE_STRING,
    code: 'HCM_CONNECTION_INVALID',
    status: 2,
  },
  {
    name: 'a namespace that disagrees with the string',
    args: ['listen', 'db', '--namespace', 'elsewhere'],
    string: NAMESPACE_STRING,
    code: 'HCM_CONNECTION_INVALID',
    status: 2,
  },
  {
    name: 'a listener without a key',
    args: ['listen'],
    string: 'Endpoint=sb://ns.servicebus.windows.net/;EntityPath=db',
    code: 'HCM_TOKEN_MISSING',
    status: 3,
  },
  {
    name: 'a target without a port',
    args: ['listen', '--target', 'db'],
    string: STRING,
    code: 'HCM_TARGET_INVALID',
    status: 2,
  },
  {
    name: 'an IPv6 target without brackets',
    args: ['listen', '--target', 'fd00::1:5432'],
    string: STRING,
    code: 'HCM_TARGET_INVALID',
    status: 2,
    says: /\[IPV6\]:PORT/,
  },
  {
    name: 'a target with port 0',
    args: ['listen', '--target', 'db:0'],
    string: STRING,
    code: 'HCM_TARGET_INVALID',
    status: 2,
  },
  {
    name: 'a rule that allows nothing readable',
    args: ['listen', '--allow', 'db'],
    string: STRING,
    code: 'HCM_ALLOW_INVALID',
    status: 2,
  },
  {
    name: 'an address to bind without a port',
    args: ['forward', '--bind', 'localhost'],
    string: STRING,
    code: 'HCM_BIND_INVALID',
    status: 2,
  },
  {
    name: 'an address of another machine',
    args: ['forward', '--bind', '192.0.2.1:0'],
    string: STRING,
    code: 'HCM_BIND_FAILED',
    status: 2,
  },
  {
    name: '--bind with two connections',
    args: ['forward', 'a', 'b', '--bind', '0'],
    string: NAMESPACE_STRING,
    code: 'HCM_USAGE',
    status: 2,
  },
  {
    name: 'a bad bind behind =',
    args: ['forward', 'a=nonsense'],
    string: NAMESPACE_STRING,
    code: 'HCM_BIND_INVALID',
    status: 2,
  },
  {
    name: 'a proxy with a strange scheme',
    args: ['forward', '--proxy', `ftp://user:${KEY}@proxy:1`],
    string: STRING,
    code: 'HCM_PROXY_INVALID',
    status: 2,
  },
  {
    name: 'a CA file that is not there',
    args: ['forward', '--ca-file', '/nowhere/ca.pem'],
    string: STRING,
    code: 'HCM_FILE_UNREADABLE',
    status: 2,
    says: /\/nowhere\/ca\.pem/,
  },
  {
    name: 'a CA file without a certificate',
    args: ['forward', '--ca-file', '/dev/null'],
    string: STRING,
    code: 'HCM_FILE_UNREADABLE',
    status: 2,
  },
  {
    name: 'a connection string file that is not there',
    args: ['listen', '--connection-string-file', 'none.txt'],
    code: 'HCM_FILE_UNREADABLE',
    status: 2,
    says: /none\.txt/,
  },
  {
    name: 'stdin for connect',
    args: ['connect', '--connection-string-file', '-'],
    code: 'HCM_USAGE',
    status: 2,
  },
  {
    name: 'an empty stdin',
    args: ['listen', '--connection-string-file', '-'],
    code: 'HCM_CONNECTION_STRING_INVALID',
    status: 2,
  },
  {
    name: 'an unknown flag',
    args: ['listen', '--taget', 'x:1'],
    code: 'HCM_USAGE',
    status: 2,
    says: /Did you mean --target\?/,
  },
  { name: 'a flag without its value', args: ['listen', '--target'], code: 'HCM_USAGE', status: 2 },
  { name: 'a keepalive of no kind', args: ['listen', '--keepalive', 'maybe'], code: 'HCM_USAGE', status: 2 },
  {
    name: 'a duration without unit',
    args: ['listen', '--idle-timeout', '10'],
    code: 'HCM_USAGE',
    status: 2,
    says: /10s/,
  },
  { name: 'one argument too many', args: ['connect', 'a', 'b'], code: 'HCM_USAGE', status: 2 },
  { name: 'a command where none is taken', args: ['listen', '--', 'true'], code: 'HCM_USAGE', status: 2 },
  { name: 'an empty command', args: ['forward', '--'], code: 'HCM_USAGE', status: 2 },
  {
    name: 'a port that is none',
    args: ['emulator', 'start', '--port', '70000'],
    code: 'HCM_USAGE',
    status: 2,
  },
  {
    name: 'a connection of the emulator that cannot be',
    args: ['emulator', 'start', '--ephemeral', '--port', '0', '--connection', 'a b'],
    code: 'HCM_CONNECTION_INVALID',
    status: 2,
  },
  {
    name: 'a target of the emulator that cannot be',
    args: ['emulator', 'start', '--ephemeral', '--port', '0', '--connection', 'a=b'],
    code: 'HCM_TARGET_INVALID',
    status: 2,
  },
  {
    name: '--ephemeral with --state-dir',
    args: ['emulator', 'start', '--ephemeral', '--state-dir', 'x'],
    code: 'HCM_USAGE',
    status: 2,
  },
  {
    name: 'a target of dev that cannot be',
    args: ['dev', '--target', 'here'],
    code: 'HCM_TARGET_INVALID',
    status: 2,
  },
];

describe('input that cannot be used', () => {
  const home = new HcmHome();
  let taken: Server;

  before(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    taken.close();
    await home.remove();
  });

  for (const { name, args, code, status, string, says } of CASES) {
    it(`${name} is ${code} with status ${status}`, async () => {
      const env = string === undefined ? {} : { HCM_CONNECTION_STRING: string };
      const dashes = args.indexOf('--');
      const withJson =
        dashes < 0 ? [...args, '--json'] : [...args.slice(0, dashes), '--json', ...args.slice(dashes)];
      const [human, json] = await Promise.all([home.run(args, { env }), home.run(withJson, { env })]);
      checkHuman(human, code, status);
      // Where stdout belongs to somebody else, programs read stderr.
      const taken = dashes >= 0 || args[0] === 'connect';
      checkJson(taken ? { ...json, stdout: json.stderr, stderr: '' } : json, code, status);
      if (says) assert.match(human.stderr, says);
      for (const text of [human.stdout, human.stderr, json.stdout, json.stderr])
        assert.ok(!text.includes(KEY), text);
    });
  }

  for (const args of [
    ['forward', '--bind'],
    ['dev', '--bind'],
  ]) {
    it(`a port in use is HCM_PORT_IN_USE for hcm ${args[0]}`, async () => {
      const bind = `127.0.0.1:${portOf(taken)}`;
      const { status, stderr } = await home.run([...args, bind], { env: { HCM_CONNECTION_STRING: STRING } });
      assert.equal(status, 2);
      assert.match(stderr, new RegExp(`${portOf(taken)}[^]+HCM_PORT_IN_USE`));
    });
  }

  it('a port in use is HCM_PORT_IN_USE for the emulator, which leaves no lock behind', async () => {
    const args = [
      'emulator',
      'start',
      '--port',
      String(portOf(taken)),
      '--state-dir',
      home.path('busy'),
      '--json',
    ];
    const { status, stdout } = await home.run(args);
    checkJson({ status, stdout, stderr: '', signal: null }, 'HCM_PORT_IN_USE', 2);
    const again = await home.run(args);
    checkJson(again, 'HCM_PORT_IN_USE', 2);
  });

  it('a secret file that others can read is used, with a warning', async function () {
    if (process.platform === 'win32') return;
    writeFileSync(home.path('open.txt'), 'nonsense', { mode: 0o644 });
    const { stderr } = await home.run(['listen', '--connection-string-file', 'open.txt']);
    assert.match(stderr, /Warning: .*open\.txt; run: chmod 600/);
  });

  it('a full disk under stdout is status 1 and says so, for help and for events', async function () {
    if (process.platform !== 'linux') return;
    const full = openSync('/dev/full', 'w');
    for (const args of [
      ['--version'],
      ['--help'],
      ['emulator', 'start', '--ephemeral', '--port', '0', '--json'],
    ]) {
      const child = spawn(process.execPath, [programFile, ...args], {
        env: home.env,
        stdio: ['ignore', full, 'pipe'],
      });
      let stderr = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const [status] = (await once(child, 'close')) as [number];
      assert.equal(status, 1, stderr);
      assert.match(stderr, /ENOSPC[^]+HCM_OUTPUT_FAILED/);
    }
    closeSync(full);
  });
});

function checkHuman({ status, stdout, stderr }: Ended, code: string, wanted: number): void {
  assert.equal(status, wanted, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^Error: .+$/m);
  assert.match(stderr, /^Next: {2}.+$/m);
  assert.match(stderr, new RegExp(`^${code}, see docs/errors\\.md#${code.toLowerCase()}$`, 'm'));
  assert.doesNotMatch(stderr, /^\s+at /m);
}

function checkJson({ status, stdout }: Ended, code: string, wanted: number): void {
  const last = parseLines(stdout).at(-1) as { event?: string; error: Record<string, unknown> };
  assert.equal(last.event, 'error');
  assert.deepEqual(Object.keys(last.error).sort(), ['code', 'exitStatus', 'message', 'next']);
  assert.deepEqual([last.error['code'], last.error['exitStatus'], status], [code, wanted, wanted]);
  for (const field of ['message', 'next']) assert.ok(String(last.error[field]).length > 5);
}
