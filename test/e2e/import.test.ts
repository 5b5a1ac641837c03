// `hcm import azbridge`: from azbridge's file to bytes that flow; and what is in its way.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { answerReversed, ask, portOf, RelayHome, startServer } from './relay-home.ts';

describe('hcm import azbridge', () => {
  const home = new RelayHome();
  let reversing: Server;
  let key: string;

  before(async () => {
    reversing = await startServer(answerReversed);
    await home.startEmulator('bridge');
    key = /SharedAccessKey=([^;]+)/.exec(String(home.ready['connectionString']))?.[1] ?? '';
    writeFileSync(
      home.path('azbridge.yml'),
      `# azbridge
AzureRelayConnectionString : ${String(home.ready['connectionString'])}
ConnectTimeout : 5
RemoteForward :
  - RelayName: bridge
    Bindings:
      - {Host: 127.0.0.1, HostPort: ${portOf(reversing)}, PortName: back}
      - {LocalSocket: app.sock, PortName: sock}
LocalForward :
  - {RelayName: bridge, BindLocalSocket: back.sock, PortName: back}
`,
    );
  });
  after(async () => {
    reversing.close();
    await home.remove();
  });

  const run = (...args: string[]) => home.run(['import', 'azbridge', ...args]);

  it('writes a file that hcm listen and hcm forward run, and the key into one of its own', async function () {
    if (process.platform === 'win32') return;
    const { status, stdout, stderr } = await run('azbridge.yml', '--out', 'moved/hcm.yaml');
    assert.equal(status, 0, stderr);
    const secret = home.path(
      'moved/localhost-' + String(home.ready['endpoint']).replace(/\D/g, '') + '.connection-string',
    );
    assert.equal(stdout.trim(), `Wrote moved/hcm.yaml, ${secret.slice(home.directory.length + 1)}.`);
    assert.match(stderr, /^Warning: azbridge\.yml:3:1: ConnectTimeout: /m);
    const [service, listen, forwards] = ['service run', 'listen', 'forward'].map(
      (command) => `hcm ${command} --file moved/hcm.yaml`,
    );
    assert.ok(stderr.includes(`Next: ${service}, or ${listen} and ${forwards}\n`), stderr);
    assert.equal(statSync(secret).mode & 0o777, 0o600);
    assert.ok(readFileSync(secret, 'utf8').includes(key));
    assert.ok(!(readFileSync(home.path('moved/hcm.yaml'), 'utf8') + stdout + stderr).includes(key));

    const listener = home.start(['listen', '--file', 'moved/hcm.yaml', '--json']);
    await listener.event('online');
    const forward = home.start(['forward', '--file', 'moved/hcm.yaml', '--json']);
    assert.equal((await forward.event('ready'))['bind'], `unix:${home.path('moved/back.sock')}`);
    assert.equal(String(await askSocket(home.path('moved/back.sock'), 'abc')), 'cba');
    const ended = await Promise.all([forward.interrupt(), listener.interrupt()]);
    assert.deepEqual(
      ended.map(({ status: code }) => code),
      [0, 0],
    );
  });

  it('without --out has the section on stdout, and names the variable that the key belongs into', async () => {
    const { status, stdout, stderr } = await run('azbridge.yml');
    assert.equal(status, 0, stderr);
    const [, variable = ''] = /connectionString: \$\{(\w+)\}/.exec(stdout) ?? [];
    assert.match(variable, /^HCM_CONNECTION_STRING_LOCALHOST_\d+$/);
    assert.ok(stderr.includes(`Set ${variable} to the connection string of localhost:`));
    assert.ok(!(stdout + stderr).includes(key));
    writeFileSync(home.path('stdout.yaml'), stdout);
    const listener = home.start(['listen', '--file', 'stdout.yaml', '--json'], {
      [variable]: String(home.ready['connectionString']),
    });
    await listener.event('online');
    await listener.interrupt();
  });

  it('with --json prints one document with the section and the warnings', async () => {
    const { status, stdout, stderr } = await home.run(['import', 'azbridge', '-', '--json'], {
      stdin: readFileSync(home.path('azbridge.yml'), 'utf8'),
    });
    assert.deepEqual([status, stderr], [0, '']);
    const document = JSON.parse(stdout) as {
      manager: { listeners: unknown[]; forwards: unknown[] };
      variables: string[];
      warnings: { line: number; column: number; key: string; message: string }[];
    };
    assert.deepEqual(
      [document.manager.listeners.length, document.manager.forwards.length, document.variables.length],
      [1, 1, 1],
    );
    const [{ line, column, key: first }] = document.warnings as [(typeof document.warnings)[0]];
    assert.deepEqual([line, column, first], [3, 1, 'ConnectTimeout']);
  });

  it('writes over nothing without --force, and over no section azure even with it', async () => {
    writeFileSync(home.path('taken.yaml'), 'manager: {}\n');
    writeFileSync(home.path('azure.yaml'), 'azure: {namespaces: {}}\nmanager: {}\n');
    writeFileSync(home.path('text.yaml'), 'my shopping list\n');
    const refused = await run('azbridge.yml', '--out', 'taken.yaml');
    assert.equal(refused.status, 2);
    assert.match(
      refused.stderr,
      /The file taken\.yaml exists already[^]*--out imported.taken\.yaml; or give --force/,
    );
    for (const [file, what] of [
      ['azure.yaml', /a section "azure:", which would be lost[^]*copy its section "manager:" into this file/],
      ['text.yaml', /which would be lost/],
    ] as const) {
      const text = readFileSync(home.path(file), 'utf8');
      const { status, stderr } = await run('azbridge.yml', '--out', file, '--force');
      assert.equal(status, 2);
      assert.match(stderr, what);
      assert.equal(readFileSync(home.path(file), 'utf8'), text);
    }
    assert.ok(!existsSync(home.path('bridge.connection-string')));
    assert.equal((await run('azbridge.yml', '--out', 'taken.yaml', '--force')).status, 0);
    assert.match(readFileSync(home.path('taken.yaml'), 'utf8'), /dialect: azbridge/);
  });

  it('points to the chapter about azbridge when its file has a mistake', async () => {
    writeFileSync(home.path('bad.yml'), '{');
    const { status, stderr } = await run('bad.yml');
    assert.equal(status, 2);
    assert.match(stderr, /^Next: {2}See docs\/migrate\.md, "From azbridge"$/m);
  });

  it('does not write over a connection string, either', async () => {
    const name = `localhost-${String(home.ready['endpoint']).replace(/\D/g, '')}.connection-string`;
    writeFileSync(home.path(name), 'mine');
    const { status, stderr } = await run('azbridge.yml', '--out', 'fresh.yaml');
    assert.equal(status, 2);
    assert.ok(stderr.includes(`The file ${name} exists already.`), stderr);
    assert.deepEqual(
      [readFileSync(home.path(name), 'utf8'), existsSync(home.path('fresh.yaml'))],
      ['mine', false],
    );
  });

  for (const [what, args, text, code] of [
    ['no such file', ['none.yml'], '', 'HCM_FILE_UNREADABLE'],
    ['nothing to import', ['bad.yml'], 'LogLevel: INFO\n', 'HCM_CONFIG_INVALID'],
    ['no relay', ['bad.yml'], 'RemoteForward: [{RelayName: a, HostPort: 1}]\n', 'HCM_CONFIG_INVALID'],
    ['no YAML', ['bad.yml'], '{', 'HCM_CONFIG_INVALID'],
    ['a namespace that is none', ['azbridge.yml', '--namespace', 'a b'], '', 'HCM_CONNECTION_INVALID'],
    ['--force without --out', ['azbridge.yml', '--force'], '', 'HCM_USAGE'],
    ['no file', [], '', 'HCM_USAGE'],
  ] as const) {
    it(`bad input: ${what} is status 2, ${code}`, async () => {
      writeFileSync(home.path('bad.yml'), text);
      const { status, stdout } = await run(...args, '--json');
      const { error } = JSON.parse(stdout) as { error: { code: string } };
      assert.deepEqual([status, error.code], [2, code], stdout);
    });
  }
});

describe('hcm import hcm and hcm import aztunnel', () => {
  const home = new RelayHome();
  let reversing: Server;
  let key: string;

  before(async () => {
    reversing = await startServer(answerReversed);
    await home.startEmulator('db');
    const [, name = '', value = ''] =
      /SharedAccessKeyName=([^;]+);SharedAccessKey=([^;]+)/.exec(
        home.connections[0]?.listenerConnectionString ?? '',
      ) ?? [];
    key = value;
    const endpoint = String(home.ready['endpoint']);
    const entry = {
      ...{ Namespace: 'localhost', Name: 'db', Uri: `${endpoint}db`, KeyName: name, KeyValue: key },
      ...{ EndpointHost: '127.0.0.1', EndpointPort: portOf(reversing), Status: 'Connected' },
    };
    writeFileSync(home.path('connections.json'), JSON.stringify([entry]));
    const relay = endpoint.replace('sb:', 'wss:');
    writeFileSync(
      home.path('env'),
      `AZTUNNEL_RELAY_NAME=${relay}\nAZTUNNEL_HYCO_NAME=db\nAZTUNNEL_KEY_NAME=${name}\nAZTUNNEL_KEY='${key}'\n`,
    );
  });
  after(async () => {
    reversing.close();
    await home.remove();
  });

  const SOURCES: [what: string, args: string[]][] = [
    ['hcm', ['connections.json']],
    ['aztunnel', ['env', '--target']],
  ];
  for (const [what, args] of SOURCES) {
    it(`${what}: what is written is run by the manager, and the key stands in a file of its own`, async function () {
      if (process.platform === 'win32') return;
      const target = what === 'hcm' ? [] : [`127.0.0.1:${portOf(reversing)}`];
      const command = ['import', what, ...args, ...target, '--out', `${what}/hcm.yaml`];
      const { status, stdout, stderr } = await home.run(command);
      assert.equal(status, 0, stderr);
      assert.equal(stdout.trim(), `Wrote ${what}/hcm.yaml, ${what}/db.connection-string.`);
      assert.equal(statSync(home.path(`${what}/db.connection-string`)).mode & 0o777, 0o600);
      assert.ok(!(stdout + stderr + readFileSync(home.path(`${what}/hcm.yaml`), 'utf8')).includes(key));
      const again = await home.run(command);
      assert.deepEqual([again.status, /there already, exactly so/.test(again.stdout)], [0, true]);
      const manager = home.start(['service', 'run', '--no-http', '--file', `${what}/hcm.yaml`, '--json']);
      await manager.event('online');
      const { port, process: forward } = await home.forward('db', '--bind', '127.0.0.1:0');
      assert.equal(String(await ask(port, 'abc')), 'cba');
      await Promise.all([forward.interrupt(), manager.interrupt()]);
    });
  }

  it('aztunnel: from the environment, with what it means in words', async () => {
    const { status, stdout, stderr } = await home.run(['import', 'aztunnel', '--bind', '127.0.0.1:0'], {
      env: { AZTUNNEL_RELAY_NAME: 'my-relay', AZTUNNEL_HYCO_NAME: 'db' },
    });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /connection: my-relay\/db\n {6}entra: true\n {6}bind: 127\.0\.0\.1:0/);
    assert.match(stderr, /^Warning: the environment: AZTUNNEL_HYCO_NAME: aztunnel has a dialect of its own/m);
  });

  for (const [what, args, text, code] of [
    ['hcm, no such file', ['hcm', 'none.json'], '', 'HCM_FILE_UNREADABLE'],
    ['hcm, an empty list', ['hcm', 'bad'], '[]', 'HCM_CONFIG_INVALID'],
    ['hcm, something else', ['hcm', 'bad'], 'shopping', 'HCM_CONFIG_INVALID'],
    ['hcm, no file', ['hcm'], '', 'HCM_USAGE'],
    ['aztunnel, nothing set', ['aztunnel'], '', 'HCM_CONFIG_INVALID'],
    ['aztunnel, a bad target', ['aztunnel', 'env', '--target', 'x'], '', 'HCM_TARGET_INVALID'],
    ['aztunnel, a bad bind', ['aztunnel', 'env', '--bind', 'x'], '', 'HCM_BIND_INVALID'],
  ] as const) {
    it(`bad input: ${what} is status 2, ${code}`, async () => {
      writeFileSync(home.path('bad'), text);
      const { status, stdout } = await home.run(['import', ...args, '--json']);
      const { error } = JSON.parse(stdout) as { error: { code: string } };
      assert.deepEqual([status, error.code], [2, code], stdout);
    });
  }
});

/** As `ask`, through a Unix socket. */
async function askSocket(path: string, question: string): Promise<Buffer> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(question);
  return Buffer.concat((await socket.toArray()) as Buffer[]);
}
