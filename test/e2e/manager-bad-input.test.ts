// What the manager does with a store, a file, a socket and orders that make no sense: a clear error, nothing lost, and it
// starts when it can.
import assert from 'node:assert/strict';
import {
  chmodSync,
  readlinkSync,
  symlinkSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { HcmHome, type HcmProcess } from './hcm-process.ts';
import { portOf } from './relay-home.ts';

type Json = Record<string, unknown>;

const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0ISE=';
const OTHER_KEY = 'b3RoZXIhLW90aGVyIS1vdGhlciEtb3RoZXIhISE=';
/** Nobody listens there: what is added waits, and that is enough. */
const stringOf = (name: string, key = KEY) =>
  `Endpoint=sb://localhost:1/;SharedAccessKeyName=r;SharedAccessKey=${key};EntityPath=${name}`;
const STORED = {
  role: 'listener',
  connection: 'localhost/db',
  addedAt: '2026-01-01',
  entry: { target: 'db:1' },
};
const STORE = (...connections: object[]) =>
  JSON.stringify({ version: 1, connections, keys: { 'listener localhost/db': 'file' } });
const SECRETS = JSON.stringify({ version: 1, secrets: { 'listener localhost/db': stringOf('db') } });

describe('the manager and bad input', () => {
  let home: HcmHome;
  const said: string[] = [];

  beforeEach(() => {
    home = new HcmHome();
    mkdirSync(file(''), { recursive: true, mode: 0o700 });
  });
  afterEach(async () => {
    for (const text of said.splice(0)) assert.ok(!text.includes(KEY) && !text.includes(OTHER_KEY), text);
    await home.remove();
  });

  const file = (name: string) => join(home.directory, 'state/hcm/manager', name);
  const put = (name: string, text: string) => writeFileSync(file(name), text, { mode: 0o600 });

  async function startManager(args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<HcmProcess> {
    const manager = home.start(['service', 'run', '--no-http', '--json', ...args], env);
    await manager.event('ready');
    return manager;
  }

  async function hcm(args: string[], wanted = 0, env: NodeJS.ProcessEnv = {}): Promise<Json> {
    const { status, stdout, stderr } = await home.run([...args, '--json'], { env });
    said.push(stdout, stderr);
    assert.equal(status, wanted, stderr + stdout);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Json;
  }

  async function problems(): Promise<string[]> {
    const { manager } = await hcm(['status']);
    return ((manager as Json)['problems'] as Json[]).map(({ code }) => String(code));
  }

  /** Asked again while it tries: then it has none. */
  const reasonOf = async (name: string): Promise<unknown> => {
    const { state, reason } = await hcm(['show', name]);
    return state === 'connecting' ? reasonOf(name) : (reason as Json | undefined)?.['code'];
  };

  /** How it ends that must not start. */
  async function refused(
    args: string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ status: number; code: string }> {
    const { status, stdout, stderr } = await home.run(['service', 'run', '--no-http', '--json', ...args], {
      env,
    });
    said.push(stdout, stderr);
    const { error } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { error: Json };
    assert.ok(String(error['next']).length > 5);
    return { status: status ?? -1, code: String(error['code']) };
  }

  describe('in its folder', () => {
    for (const [what, prepare, expected] of [
      [
        'a store of a newer version',
        () => put('connections.json', '{"version":9}'),
        [2, 'HCM_STATE_CORRUPT'],
      ],
      ['a store that is no file', () => mkdirSync(file('connections.json')), [2, 'HCM_FILE_UNREADABLE']],
      [
        'a file in the place of the folder',
        () => {
          rmSync(file(''), { recursive: true });
          writeFileSync(file('').replace(/\/$/, ''), '');
        },
        [1, 'HCM_STATE_UNWRITABLE'],
      ],
      ['a file in the place of its socket', () => put('control.sock', 'mine'), [2, 'HCM_BIND_FAILED']],
    ] as const) {
      it(`${what} keeps it from starting, and stays as it is`, async function () {
        if (process.platform === 'win32') return;
        prepare();
        const isFolder = statSync(home.path('state/hcm/manager')).isDirectory();
        const before = isFolder ? readdirSync(file('')) : [];
        const { status, code } = await refused();
        assert.deepEqual([status, code], expected);
        for (const name of before) assert.ok(existsSync(file(name)), name);
        if (before.includes('control.sock')) assert.equal(readFileSync(file('control.sock'), 'utf8'), 'mine');
        if (before.includes('connections.json') && statSync(file('connections.json')).isFile())
          assert.equal(readFileSync(file('connections.json'), 'utf8'), '{"version":9}');
      });
    }

    if (process.platform !== 'win32') {
      it('a store that cannot be read keeps it from starting', async () => {
        // Nobody can: not even root, who may read everything.
        symlinkSync('connections.json', file('connections.json'));
        assert.deepEqual(await refused(), { status: 2, code: 'HCM_FILE_UNREADABLE' });
        assert.equal(readlinkSync(file('connections.json')), 'connections.json');
      });
    }

    const DAMAGED: [what: string, text: string][] = [
      ['half-written', '{"version":1,"connections":[{"role":"lis'],
      ['of wrong types', '{"version":1,"connections":{"a":1}}'],
      ['no object', '7'],
      ['empty', ''],
      ['binary', '\u0000\u0001'],
    ];
    for (const [what, text] of DAMAGED) {
      it(`a store that is ${what} is put aside and told`, async () => {
        put('connections.json', text);
        await startManager();
        assert.deepEqual(await problems(), ['HCM_STATE_CORRUPT']);
        const aside = readdirSync(file('')).find((name) => name.startsWith('connections.json.corrupt-'));
        assert.equal(readFileSync(file(aside ?? ''), 'utf8'), text);
      });
    }

    it('a store that is huge is put aside unread', async () => {
      put('connections.json', '');
      truncateSync(file('connections.json'), 17 * 1024 * 1024);
      await startManager();
      assert.deepEqual(await problems(), ['HCM_STATE_CORRUPT']);
    });

    it('an entry that makes no sense keeps none of the others from running', async () => {
      const nonsense = [
        { ...STORED, role: 'boss' },
        { ...STORED, connection: 'localhost/web', pinnedTarget: 'nowhere' },
        { ...STORED, connection: 'localhost/mail', entry: { target: 'no port' } },
        STORED,
        STORED,
      ];
      put('connections.json', STORE(...nonsense));
      put('secrets.json', SECRETS);
      await startManager();
      const list = (await hcm(['list'])) as unknown as Json[];
      assert.deepEqual(
        list.map(({ id }) => id),
        ['listen localhost/db'],
      );
      assert.deepEqual(await problems(), ['HCM_STATE_CORRUPT', 'HCM_CONFIG_INVALID']);
      assert.ok(readdirSync(file('')).some((name) => name.startsWith('connections.json.corrupt-')));
    });

    for (const [what, text, code, reason] of [
      ['damaged', '{"version":1,"secr', 'HCM_STATE_CORRUPT', 'HCM_SECRET_MISSING'],
      ['of a newer version', '{"version":9}', 'HCM_STATE_CORRUPT', 'HCM_STATE_CORRUPT'],
    ] as const) {
      it(`keys that are ${what}: only the connection that needs one waits, and says why`, async () => {
        put('connections.json', STORE(STORED));
        put('secrets.json', text);
        const manager = await startManager();
        await manager.event('state', (line) => line['state'] === 'waiting');
        assert.deepEqual(await problems(), [code]);
        assert.equal(await reasonOf('localhost/db'), reason);
        const kept = readdirSync(file('')).filter((name) => name.startsWith('secrets.json'));
        assert.ok(kept.some((name) => readFileSync(file(name), 'utf8') === text));
      });
    }

    it('keys that others may read are closed, and that is told', async function () {
      if (process.platform === 'win32') return;
      put('connections.json', STORE(STORED));
      put('secrets.json', SECRETS);
      chmodSync(file('secrets.json'), 0o644);
      await startManager();
      assert.deepEqual(await problems(), ['HCM_SECRET_EXPOSED']);
      assert.equal(statSync(file('secrets.json')).mode & 0o777, 0o600);
    });

    it('a key that has gone is a reason, and adding it again mends it', async () => {
      put('connections.json', STORE(STORED));
      const manager = await startManager();
      await manager.event('state', (line) => line['state'] === 'waiting');
      assert.equal(await reasonOf('localhost/db'), 'HCM_SECRET_MISSING');
      writeFileSync(home.path('db.txt'), stringOf('db'), { mode: 0o600 });
      const added = await hcm(['add', '--connection-string-file', 'db.txt', '--target', 'db:1']);
      assert.deepEqual([added['changed'], added['replaced']], [true, true]);
      await manager.event(
        'reconnecting',
        (line) => (line['error'] as Json)['code'] === 'HCM_CONNECT_REFUSED',
      );
    });
  });

  describe('as its hcm.yaml', () => {
    for (const [what, text, code] of [
      ['missing', undefined, 'HCM_FILE_UNREADABLE'],
      ['empty', '', 'HCM_CONFIG_INVALID'],
      ['broken', 'manager: {listeners: [', 'HCM_CONFIG_INVALID'],
      ['without its section', 'azure: {}\n', 'HCM_CONFIG_INVALID'],
    ] as const) {
      it(`a file that is ${what} is told; what was added runs`, async () => {
        put('connections.json', STORE(STORED));
        put('secrets.json', SECRETS);
        if (text !== undefined) writeFileSync(home.path('hcm.yaml'), text);
        await startManager(['--file', 'hcm.yaml']);
        assert.deepEqual(await problems(), [code]);
        assert.equal(((await hcm(['list'])) as unknown as Json[]).length, 1);
      });
    }
  });

  describe('at its socket', () => {
    it('a folder that others may write to is refused, and used once it is closed to them', async function () {
      if (process.platform === 'win32') return;
      chmodSync(file(''), 0o777);
      const { status, stdout } = await home.run(['service', 'run', '--no-http', '--json']);
      assert.equal(status, 3, stdout);
      const { error } = JSON.parse(stdout.trim()) as { error: Json };
      assert.equal(error['code'], 'HCM_FORBIDDEN');
      assert.match(String(error['next']), /chmod go-w /);
      chmodSync(file(''), 0o755);
      await startManager();
    });

    it('a second manager of the same folder is refused, at another socket, too', async function () {
      if (process.platform === 'win32') return;
      const first = await startManager();
      assert.deepEqual(await refused(), { status: 2, code: 'HCM_STATE_LOCKED' });
      const elsewhere = { HCM_CONTROL_SOCKET: home.path('other.sock') };
      assert.deepEqual(await refused([], elsewhere), { status: 2, code: 'HCM_STATE_LOCKED' });
      await first.interrupt();
      await startManager([], elsewhere);
      assert.deepEqual(await refused(), { status: 2, code: 'HCM_STATE_LOCKED' });
    });

    it('another program that answers there is not taken for a manager', async function () {
      if (process.platform === 'win32') return;
      const env = { HCM_CONTROL_SOCKET: home.path('other.sock') };
      for (const answer of ['SSH-2.0-other\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello']) {
        const open = new Set<Socket>();
        const other = createServer((socket) => {
          open.add(socket);
          socket.on('error', () => undefined);
          socket.end(answer);
        });
        await new Promise<void>((resolve) => other.listen(env.HCM_CONTROL_SOCKET, resolve));
        assert.deepEqual(await refused([], env), { status: 2, code: 'HCM_STATE_LOCKED' });
        const { error } = await hcm(['list'], 7, env);
        const wanted = answer.startsWith('HTTP') ? 'HCM_MANAGER_VERSION' : 'HCM_NOT_RUNNING';
        assert.equal((error as Json)['code'], wanted);
        for (const socket of open) socket.destroy();
        await new Promise((resolve) => other.close(resolve));
      }
    });
  });

  describe('in hcm add', () => {
    let taken: Server;

    beforeEach(async () => {
      taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      await startManager();
    });
    afterEach(() => void taken.close());

    const add = (string: string | undefined, args: string[], wanted = 0) => {
      const env = string === undefined ? {} : { HCM_CONNECTION_STRING: string };
      return hcm(['add', ...args], wanted, env);
    };

    it('the same again is success and says so, another key replaces and says so', async () => {
      const target = ['--target', 'db:1'];
      const first = await add(stringOf('db'), target);
      const again = await add(stringOf('db'), target);
      const other = await add(stringOf('DB', OTHER_KEY), target);
      assert.deepEqual(
        [first, again, other].map(({ changed, replaced }) => [changed, replaced]),
        [
          [true, false],
          [false, false],
          [true, true],
        ],
      );
      const { stdout } = await home.run(['add', ...target], {
        env: { HCM_CONNECTION_STRING: stringOf('db') },
      });
      assert.match(stdout, /^Replaced localhost\/db, which /);
      assert.equal(((await hcm(['list'])) as unknown as Json[]).length, 1);
      assert.ok(!readFileSync(file('secrets.json'), 'utf8').includes(OTHER_KEY));
    });

    const NONSENSE: [
      what: string,
      string: string | undefined,
      args: string[],
      status: number,
      code: string,
    ][] = [
      ['a string that is none', 'nonsense', [], 2, 'HCM_CONNECTION_STRING_INVALID'],
      ['a string without an entity', stringOf('db').replace(/;E.*/, ''), [], 2, 'HCM_CONNECTION_INVALID'],
      [
        'an entity name with a space',
        stringOf('a b'),
        ['--target', 'a:1'],
        2,
        'HCM_CONNECTION_STRING_INVALID',
      ],
      [
        'control characters in a name',
        undefined,
        ['ns/a\u001b[2J', '--target', 'a:1'],
        2,
        'HCM_CONNECTION_INVALID',
      ],
      [
        'control characters in a namespace',
        undefined,
        ['n\u0007s/a', '--target', 'a:1'],
        2,
        'HCM_CONNECTION_INVALID',
      ],
      [
        'a very long name',
        undefined,
        [`ns/${'a'.repeat(300)}`, '--target', 'a:1'],
        2,
        'HCM_CONNECTION_INVALID',
      ],
      ['a name without a namespace', undefined, ['db', '--target', 'a:1'], 2, 'HCM_CONNECTION_INVALID'],
      ['no name at all', undefined, ['--target', 'a:1'], 2, 'HCM_USAGE'],
      [
        'an IPv6 target without brackets',
        stringOf('db'),
        ['--target', 'fd00::1:5432'],
        2,
        'HCM_TARGET_INVALID',
      ],
      ['a target without a port', stringOf('db'), ['--target', 'db'], 2, 'HCM_TARGET_INVALID'],
      ['control characters in a target', stringOf('db'), ['--target', 'd\u001bb:1'], 2, 'HCM_TARGET_INVALID'],
      [
        'a rule that allows nothing readable',
        stringOf('db'),
        ['--target', 'a:1', '--allow', 'x'],
        2,
        'HCM_ALLOW_INVALID',
      ],
      ['a local port that is none', stringOf('db'), ['--bind', 'nonsense'], 2, 'HCM_BIND_INVALID'],
      ['a target for a forward', stringOf('db'), ['--bind', '0', '--target', 'a:1'], 2, 'HCM_USAGE'],
    ];
    for (const [what, string, args, status, code] of NONSENSE) {
      it(`${what} is ${code}, and nothing is stored`, async () => {
        const { error } = await add(string, args, status);
        assert.equal((error as Json)['code'], code, String((error as Json)['message']));

        assert.doesNotMatch(String((error as Json)['message']), /[\u0000-\u0008\u000b-\u001f]/);
        assert.ok(!existsSync(file('connections.json')) && !existsSync(file('secrets.json')));
      });
    }

    it('names with slashes, an IPv6 target in brackets, and the longest name are taken', async () => {
      const longest = 'a'.repeat(260);
      await add(stringOf('a/b.c/d_e-f'), ['--target', '[fd00::1]:5432']);
      await add(stringOf(longest), ['--target', 'a:1']);
      const list = (await hcm(['list'])) as unknown as Json[];
      assert.deepEqual(
        list.map(({ connection }) => connection),
        ['localhost/a/b.c/d_e-f', `localhost/${longest}`],
      );
      await hcm(['remove', `localhost/${longest}`]);
    });

    it('a local port in use waits and says which; two that want the same port keep each other from nothing else', async () => {
      const bind = `127.0.0.1:${portOf(taken)}`;
      const told = await add(stringOf('one'), ['--bind', bind]);
      assert.deepEqual([told['state'], (told['reason'] as Json)['code']], ['waiting', 'HCM_PORT_IN_USE']);
      const { status, stdout } = await home.run(['add', '--bind', bind], {
        env: { HCM_CONNECTION_STRING: stringOf('two') },
      });
      assert.equal(status, 0);
      assert.match(
        stdout,
        /^Added localhost\/two, but it does not work yet; it is waiting: .*\(HCM_PORT_IN_USE\)\n$/,
      );
      await add(stringOf('three'), ['--target', 'a:1']);
      for (const name of ['one', 'two']) {
        const { state, reason } = (await hcm(['show', `localhost/${name}`])) as {
          state: string;
          reason: Json;
        };
        assert.deepEqual([state, reason['code']], ['waiting', 'HCM_PORT_IN_USE']);
        assert.ok(String(reason['message']).includes(String(portOf(taken))));
      }
      assert.equal(((await hcm(['list'])) as unknown as Json[]).length, 3);
      assert.deepEqual(await problems(), []);
    });
  });
});
