// `hcm listen --file` and `hcm forward --file`: section manager of a hcm.yaml in the foreground, all of it in one process.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { answerReversed, ask, portOf, RelayHome, startServer } from './relay-home.ts';

interface OpenBind {
  connection: string;
  bind: string;
  port?: string;
}

describe('hcm listen --file and hcm forward --file', () => {
  const home = new RelayHome();
  let reversing: Server;
  let greeting: Server;

  before(async () => {
    reversing = await startServer(answerReversed);
    greeting = await startServer((socket) => socket.end('hello'));
    await home.startEmulator('raw', 'bridge', 'web');
    writeFileSync(home.path('hcm.yaml'), file());
  });
  after(async () => {
    reversing.close();
    greeting.close();
    await home.remove();
  });

  /** The variable is the namespace's string, as a pipeline has it. */
  const env = () => ({ RELAY: String(home.ready['connectionString']) });

  function file(): string {
    const [back, hi] = [portOf(reversing), portOf(greeting)];
    return `
azure:
  namespaces:
    local-relay: {connections: {raw: {target: "\${NOT_SET}"}}}
manager:
  listeners:
    - connection: local-relay/raw
      connectionStringFile: raw-listen.txt
      target: 127.0.0.1:${back}
      maxStreams: 7
    - connection: local-relay/bridge
      connectionString: \${RELAY}
      dialect: azbridge
      ports: {back: "127.0.0.1:${back}", hi: "127.0.0.1:${hi}"}
  forwards:
    - connection: local-relay/raw
      connectionStringFile: raw-send.txt
    - connection: local-relay/bridge
      connectionString: \${RELAY}
      dialect: azbridge
      ports: {back: "0", hi: "127.0.0.1:0"}
`;
  }

  it('run all entries in one process, each with its own dialect and key', async () => {
    const listener = home.start(['listen', '--file', 'hcm.yaml', '--json'], env());
    const ready = await listener.event('ready');
    assert.deepEqual(ready['connections'], ['localhost/raw', 'localhost/bridge']);
    await listener.event('online', ({ connection }) => connection === 'localhost/raw');
    await listener.event('online', ({ connection }) => connection === 'localhost/bridge');
    const forward = home.start(['forward', '-f', 'hcm.yaml', '--json'], env());
    const { binds } = (await forward.event('ready')) as unknown as { binds: OpenBind[] };
    assert.deepEqual(
      binds.map(({ connection, port }) => [connection, port]),
      [
        ['localhost/raw', undefined],
        ['localhost/bridge', 'back'],
        ['localhost/bridge', 'hi'],
      ],
    );
    const answers = await Promise.all(binds.map(({ bind }) => ask(Number(bind.split(':')[1]), 'abc')));
    assert.deepEqual(answers.map(String), ['cba', 'cba', 'hello']);
    const ended = await Promise.all([forward.interrupt(), listener.interrupt()]);
    assert.deepEqual(
      ended.map(({ status, stderr }) => [status, stderr]),
      [
        [0, ''],
        [0, ''],
      ],
    );
  });

  it('an HTTP target and an HTTP port pass requests on', async () => {
    const web = createServer((request, response) => response.end(`${request.method} ${request.url}`));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const entry = 'connection: local-relay/web, connectionString: "${RELAY}"';
    writeFileSync(
      home.path('web.yaml'),
      `manager:
  listeners: [{${entry}, target: "http://127.0.0.1:${portOf(web)}/base"}]
  forwards: [{${entry}, http: true}]
`,
    );
    const listener = home.start(['listen', '--file', 'web.yaml', '--json'], env());
    await listener.event('online');
    const forward = home.start(['forward', '--file', 'web.yaml', '--json'], env());
    const { url } = await forward.event('ready');
    const answer = await fetch(`${String(url)}a?b=c`);
    assert.deepEqual([answer.status, await answer.text()], [200, 'GET /base/a?b=c']);
    await Promise.all([forward.interrupt(), listener.interrupt()]);
    web.close();
  });

  it('paths in it begin at its own folder, not at ours', async () => {
    const args = ['forward', '--file', home.path('hcm.yaml'), '--json', '--', process.execPath, '-e'];
    const script =
      'console.log(Object.keys(process.env).filter((name) => name.startsWith("HCM_PORT_")).join())';
    const { status, stdout, stderr } = await home.run([...args, script], { env: env() });
    assert.deepEqual([status, stdout], [0, 'HCM_PORT_RAW,HCM_PORT_BACK,HCM_PORT_HI\n'], stderr);
  });

  it('it may come from stdin', async () => {
    const listener = home.start(['listen', '--file', '-', '--json'], env());
    listener.child.stdin.end(file());
    await listener.event('online', ({ connection }) => connection === 'localhost/bridge');
    assert.equal((await listener.interrupt()).status, 0);
  });

  it('section manager is no concern of diff, nor a mistake in it', async () => {
    writeFileSync(
      home.path('both.yaml'),
      'azure: {namespaces: {}}\nmanager: {listeners: [{conection: "${NOT_SET}"}]}\n',
    );
    const { status, stdout, stderr } = await home.run([
      'diff',
      '--file',
      'both.yaml',
      '--cloud',
      'local',
      '--json',
    ]);
    // No emulator is registered as the cloud "local" here: it is the cloud that is missing, not the file.
    assert.match(stdout, /"code":"HCM_(?:NOT_RUNNING|CLOUD_UNKNOWN)"/, stderr);
    assert.notEqual(status, 0);
  });

  const BAD: [string, string[], string, string, RegExp][] = [
    ['no such file', ['listen', '--file', 'none.yaml'], '', 'HCM_FILE_UNREADABLE', /none\.yaml/],
    [
      'no listeners',
      ['listen', '--file', 'bad.yaml'],
      'manager: {forwards: [{connection: a/b}]}\n',
      'HCM_CONFIG_INVALID',
      /has no listeners/,
    ],
    [
      'no forwards',
      ['forward', '--file', 'bad.yaml'],
      'manager: {listeners: [{connection: a/b}]}\n',
      'HCM_CONFIG_INVALID',
      /has no forwards/,
    ],
    [
      'no section',
      ['forward', '--file', 'bad.yaml'],
      'azure: {namespaces: {}}\n',
      'HCM_CONFIG_INVALID',
      /no section \\"manager:\\"/,
    ],
    [
      'a missing variable',
      ['listen', '--file', 'bad.yaml'],
      'manager: {listeners: [{connection: a/b, connectionString: "${NONE}"}]}\n',
      'HCM_VARIABLE_MISSING',
      /bad\.yaml:1:\d+: NONE/,
    ],
    [
      'a name beside it',
      ['listen', 'a/b', '--file', 'hcm.yaml'],
      '',
      'HCM_USAGE',
      /give no CONNECTION with --file/,
    ],
    ['a target beside it', ['listen', '--target', 'a:1', '--file', 'hcm.yaml'], '', 'HCM_USAGE', /--target/],
    ['a bind beside it', ['forward', '--bind', '1', '--file', 'hcm.yaml'], '', 'HCM_USAGE', /--bind/],
    [
      'two targets',
      ['listen', 'a/b', '--target', 'a:1', '--target', 'b:1'],
      '',
      'HCM_USAGE',
      /--dialect azbridge/,
    ],
    [
      'a logical port with raw',
      ['listen', 'a/b', '--target', 'db=a:1'],
      '',
      'HCM_USAGE',
      /add --dialect azbridge/,
    ],
    ['another dialect', ['listen', 'a/b', '--dialect', 'aztunnel'], '', 'HCM_USAGE', /raw, azbridge/],
    ['another PROXY version', ['listen', 'a/b', '--proxy-protocol', 'v1'], '', 'HCM_USAGE', /v2/],
    ['connect without a port', ['connect', 'a/b', '--dialect', 'azbridge'], '', 'HCM_USAGE', /--port NAME/],
  ];
  for (const [what, args, text, code, says] of BAD) {
    it(`bad input: ${what} is status 2, ${code}`, async () => {
      writeFileSync(home.path('bad.yaml'), text);
      const { status, stdout, stderr } = await home.run([...args, '--json'], { env: env() });
      const told = args[0] === 'connect' ? stderr : stdout;
      assert.equal(status, 2, told);
      const { error } = JSON.parse(told.trim().split('\n').at(-1) ?? '') as {
        error: { code: string; next: string };
      };
      assert.equal(error.code, code);
      assert.match(told, says);
      assert.notEqual(error.next, '');
    });
  }
});
