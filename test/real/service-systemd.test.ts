// `hcm service` on a machine with a real systemd: installed, started, watched, stopped, removed. The unit runs there with
// all that it forbids. The machine is made for this, see servers/systemd-machine.ts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pollUntil, startProcess, type ServerProcess } from './servers/process.ts';
import { MACHINE_ENV, SystemdMachine } from './servers/systemd-machine.ts';

const SOURCE = fileURLToPath(new URL('../..', import.meta.url));
/** What is in the installed package. */
const PACKAGE = ['bin', 'dist', 'package.json', 'oclif.manifest.json'];
/** An honest path for a unit file: spaces, specifiers, variables, quotes. */
const HOME = '/opt/my $HOME "of" 100%h';
const PROGRAM = `${HOME}/bin/run.js`;
const PRIME = `
  useradd --system primer && userdel primer
  mkdir -p /etc/sysusers.d /etc/systemd/system/multi-user.target.wants
  touch /etc/systemd/system/multi-user.target.wants/primer && rm /etc/systemd/system/multi-user.target.wants/primer
`;
/** Of the machine of these tests (systemd-creds(1)). */
const HOST_KEY = '/var/lib/systemd/credential.secret';
const ANSWER = 'behind the service';
/** Of one long answer: sent at once, and sent when it is told to go on. */
const HALVES = [1_000_000, 4_000_000] as const;
const TARGET = `
let goOn = () => undefined;
require('http').createServer((asked, answer) => {
  if (asked.url === '/go-on') return goOn(), answer.end();
  if (asked.url !== '/long') return answer.end('${ANSWER}');
  answer.write(Buffer.alloc(${HALVES[0]}, 'a'));
  goOn = () => answer.end(Buffer.alloc(${HALVES[1]}, 'b'));
}).listen(8080, '127.0.0.1');
`;

interface Status {
  running: boolean;
  service: {
    state: string;
    pid?: number;
    restarts: number;
    enabled: boolean;
    since?: string;
    installed: boolean;
  };
  manager: {
    pid: number;
    folder: string;
    problems: { message: string }[];
    keys: { added: string; because?: string; held: object };
  } | null;
  connections: { id: string; state: string }[];
}

interface Ready {
  event: string;
  caFile: string;
  connections: { listenerConnectionString: string; senderConnectionString: string }[];
}

function readyOf(line: string): Ready | undefined {
  const event = JSON.parse(line) as Ready;
  return event.event === 'ready' ? event : undefined;
}

describe('hcm service with a real systemd', () => {
  let machine: SystemdMachine;
  let emulator: ServerProcess;
  let clean: string[];
  let ready: Ready | undefined;

  before(async () => {
    machine = await SystemdMachine.start();
    const tar = spawnSync('tar', ['-c', '-C', SOURCE, ...PACKAGE], { maxBuffer: 2 ** 30 });
    assert.equal(tar.status, 0, String(tar.stderr));
    await machine.run('mkdir', '-p', HOME);
    await machine.feed(tar.stdout, 'tar', '-x', '--no-same-owner', '-C', HOME);
    await machine.run('chmod', '-R', 'a+rX', HOME);
    // Its target, in the same network, and the relay.
    await machine.run('systemd-run', '--unit=target', process.execPath, '-e', TARGET);
    const [command, args] = machine.commandLine(
      process.execPath,
      ...[
        PROGRAM,
        'emulator',
        'start',
        '--port',
        '0',
        '--ephemeral',
        '--connection',
        'db=127.0.0.1:8080',
        '--json',
      ],
    );
    emulator = await startProcess({
      ...{ command, args, env: MACHINE_ENV },
      onLine: (line) => (ready ??= readyOf(line)),
      isReady: () => Promise.resolve(ready !== undefined),
    });
    // Copies that useradd leaves of what it changes, and folders that are copied when something is put into them: they are
    // there from now on.
    await machine.run('bash', '-c', PRIME);
    clean = await machine.written();
  });
  after(async () => {
    await emulator?.stop();
    await machine?.stop();
  });

  const hcm = (...args: string[]) => machine.try(process.execPath, PROGRAM, ...args);

  async function json<T>(args: string[], wanted = 0): Promise<T> {
    const { status, stdout, stderr } = await hcm(...args, '--json');
    assert.equal(status, wanted, stderr + stdout);
    return JSON.parse(stdout) as T;
  }

  /** Resolves once the answer of `hcm service status` is so; meanwhile it may be anything. */
  async function shows(isIt: (status: Status) => boolean, what: string): Promise<void> {
    let last = '';
    const look = async () => {
      last = (await hcm('service', 'status', '--json')).stdout;
      return isIt(JSON.parse(last) as Status);
    };
    await pollUntil(look, { what: () => `${what}; the last answer was ${last}` });
  }

  const status = (wanted = 0) => json<Status>(['service', 'status'], wanted);

  const systemd = async (property: string) =>
    (await machine.run('systemctl', 'show', 'hcm', '--value', '--property', property)).stdout.trim();

  const becomes = (property: string, value: string) =>
    pollUntil(async () => (await systemd(property)) === value, { what: `${property} to be ${value}` });

  const write = (path: string, text: string, mode = '0644') =>
    machine.feed(
      Buffer.from(text),
      'bash',
      '-c',
      'umask 077; mkdir -p -m 755 "$(dirname "$1")"; cat > "$1"; chmod "$2" "$1"',
      'x',
      path,
      mode,
    );

  /** What is on the disk that was not, and the other way round. */
  async function changes(): Promise<string[]> {
    const now = await machine.written();
    return [
      ...now.filter((line) => !clean.includes(line)).map((line) => `+ ${line}`),
      ...clean.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ];
  }

  it('is not there: nothing runs, nothing to start, nothing to remove', async () => {
    const { running, service, manager } = await status(7);
    assert.deepEqual([running, service.installed, manager], [false, false, null]);
    await json(['service', 'start'], 7);
    assert.equal((await json<{ changed: boolean }>(['service', 'uninstall'])).changed, false);
  });

  it('is installed with one command, and ready when that ends', async () => {
    const installed = await json<{ changed: boolean; process: string }>(['service', 'install']);
    assert.deepEqual([installed.changed, installed.process], [true, 'started']);
    const { running, service, manager } = await status();
    assert.deepEqual([running, service.state, service.enabled], [true, 'active', true]);
    assert.equal(manager?.pid, service.pid);
    assert.equal(manager?.folder, '/var/lib/hcm/manager');
    assert.ok(Date.parse(service.since ?? '') > 0);
    assert.equal(await systemd('StatusText'), '0 of 0 connections online, 0 streams open');
    const user = await machine.run('ps', '-o', 'user=', '-p', String(service.pid));
    assert.equal(user.stdout.trim(), 'hcm');
  });

  it('is the same when it is installed again', async () => {
    const { service } = await status();
    assert.equal((await json<{ changed: boolean }>(['service', 'install'])).changed, false);
    assert.equal((await status()).service.pid, service.pid);
  });

  it('is open to root and its group, and to nobody else', async () => {
    const list = (group: string) =>
      machine.try(
        'setpriv',
        ...['--reuid', 'hcm-test', '--regid', group, '--clear-groups'],
        ...[process.execPath, PROGRAM, 'list', '--json'],
      );
    const modes = await machine.run(
      'stat',
      '-c',
      '%a %U %G',
      '/run/hcm',
      '/run/hcm/control.sock',
      '/var/lib/hcm',
      '/var/log/hcm',
    );
    assert.deepEqual(modes.stdout.trim().split('\n'), [
      '750 hcm hcm',
      '660 hcm hcm',
      '700 hcm hcm',
      '750 hcm hcm',
    ]);
    const refused = await list('hcm-test');
    assert.equal(refused.status, 3, refused.stdout + refused.stderr);
    assert.match(refused.stdout, /HCM_FORBIDDEN.*group hcm/);
    const member = await list('hcm');
    assert.deepEqual([member.status, member.stdout.trim()], [0, '[]']);
    assert.equal((await hcm('list', '--json')).status, 0);
  });

  it('carries bytes with a key that systemd has handed over, behind a CA of its own settings', async () => {
    const [{ listenerConnectionString = '', senderConnectionString = '' } = {}] = ready?.connections ?? [];
    await machine.run('install', '-D', '-m', '644', ready?.caFile ?? '', '/etc/hcm/ca.pem');
    await write('/etc/hcm/hcm.env', 'HCM_CA_FILE=/etc/hcm/ca.pem\n', '0600');
    await write('/etc/hcm/keys/db', listenerConnectionString, '0600');
    await write('/etc/hcm/send.txt', senderConnectionString, '0600');
    await write(
      '/etc/systemd/system/hcm.service.d/keys.conf',
      '[Service]\nLoadCredential=db:/etc/hcm/keys/db\n',
    );
    const entry =
      'connection: localhost/db, connectionStringFile: "${CREDENTIALS_DIRECTORY}/db", target: "127.0.0.1:8080"';
    await write('/etc/hcm/hcm 1.yaml', `manager: {listeners: [{${entry}}]}\n`);
    const installed = await json<{ process: string }>([
      'service',
      'install',
      '--file',
      '/etc/hcm/hcm 1.yaml',
    ]);
    assert.equal(installed.process, 'restarted');
    await shows(({ connections }) => connections[0]?.state === 'online', 'the listener');
    const asked = await hcm(
      ...['forward', '--connection-string-file', '/etc/hcm/send.txt', '--bind', '127.0.0.1:8081'],
      ...['--', 'curl', '-fsS', 'http://127.0.0.1:8081/'],
    );
    assert.match(asked.stdout + asked.stderr, new RegExp(ANSWER));
    await becomes('StatusText', '1 of 1 connections online, 0 streams open');
  });

  it('says that systemd holds its key, and that what is added goes to a file', async () => {
    assert.deepEqual((await status()).manager?.keys, {
      ...{ choice: 'auto', added: 'file', because: 'a service has no keychain' },
      held: { credential: 1 },
    });
  });

  it('takes a key that lies on the disk encrypted, for this machine alone', async () => {
    const [{ listenerConnectionString = '' } = {}] = ready?.connections ?? [];
    await machine.feed(
      Buffer.from(listenerConnectionString),
      ...['systemd-creds', 'encrypt', '--with-key=host', '--name=db', '-', '/etc/hcm/keys/db.cred'],
    );
    const kept = (await machine.run('cat', '/etc/hcm/keys/db.cred')).stdout;
    assert.ok(!kept.includes(listenerConnectionString));
    await write(
      '/etc/systemd/system/hcm.service.d/keys.conf',
      '[Service]\nLoadCredentialEncrypted=db:/etc/hcm/keys/db.cred\n',
    );
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('systemctl', 'restart', 'hcm');
    await shows(
      ({ connections, manager }) => connections[0]?.state === 'online' && manager?.keys.held !== undefined,
      'the listener',
    );
    assert.deepEqual((await status()).manager?.keys.held, { credential: 1 });
    // With the key of the machine goes what was encrypted with it.
    await machine.try('chattr', '-i', HOST_KEY);
    await machine.run('rm', HOST_KEY);
    await write(
      '/etc/systemd/system/hcm.service.d/keys.conf',
      '[Service]\nLoadCredential=db:/etc/hcm/keys/db\n',
    );
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('systemctl', 'restart', 'hcm');
  });

  it('reads its file again when systemd asks for that, and is ready again when it is broken', async () => {
    await write('/etc/hcm/hcm 1.yaml', 'manager: {nonsense');
    await machine.run('systemctl', 'reload', 'hcm');
    await shows(({ manager }) => manager?.problems.length === 1, 'the problem');
    await becomes('ActiveState', 'active');
    await write('/etc/hcm/hcm 1.yaml', 'manager: {listeners: []}\n');
    await shows(({ connections }) => connections.length === 0, 'the file without it');
  });

  it('keeps what is added to it, over a kill', async () => {
    const added = await hcm(
      'add',
      '--connection-string-file',
      '/etc/hcm/keys/db',
      '--target',
      '127.0.0.1:8080',
      '--json',
    );
    assert.equal(added.status, 0, added.stdout + added.stderr);
    const { service } = await status();
    await machine.run('kill', '-9', String(service.pid));
    await becomes('NRestarts', '1');
    await shows(({ connections }) => connections[0]?.state === 'online', 'the next one');
    assert.notEqual((await status()).service.pid, service.pid);
  });

  it('is killed and started anew when it no longer turns', async () => {
    await write(
      '/etc/systemd/system/hcm.service.d/watch.conf',
      '[Service]\nWatchdogSec=4s\nRestartSec=100ms\n',
    );
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('systemctl', 'restart', 'hcm');
    const { pid = 0, restarts } = (await status()).service;
    // Three limits of a loop that turns: it stays.
    await pollUntil(async () => Number(await systemd('WatchdogTimestampMonotonic')) > 0, {
      what: 'a sign of life',
    });
    const first = Number(await systemd('WatchdogTimestampMonotonic'));
    await pollUntil(async () => Number(await systemd('WatchdogTimestampMonotonic')) > first + 8_000_000, {
      what: 'more of them',
    });
    assert.equal((await status()).service.pid, pid);
    await machine.run('kill', '-STOP', String(pid));
    await becomes('NRestarts', String(restarts + 1));
    await shows(({ running }) => running, 'the next one');
  });

  it('finishes a stream that carries bytes, whole, when systemd stops it', async () => {
    const got = '/tmp/long';
    const asking = hcm(
      ...['forward', '--connection-string-file', '/etc/hcm/send.txt', '--bind', '127.0.0.1:8081'],
      ...['--', 'curl', '-fsSN', '-o', got, 'http://127.0.0.1:8081/long'],
    );
    const size = async () => Number((await machine.try('stat', '-c', '%s', got)).stdout);
    await pollUntil(async () => (await size()) === HALVES[0], { what: 'the first half' });
    await machine.run('systemctl', 'stop', '--no-block', 'hcm');
    await becomes('ActiveState', 'deactivating');
    await shows(({ service }) => service.state === 'deactivating', 'that it ends');
    assert.equal(await size(), HALVES[0]);
    await machine.run('curl', '-fsS', 'http://127.0.0.1:8080/go-on');
    const { status, stdout, stderr } = await asking;
    assert.equal(status, 0, stdout + stderr);
    assert.equal(await size(), HALVES[0] + HALVES[1]);
    await becomes('ActiveState', 'inactive');
    assert.deepEqual([await systemd('Result'), await systemd('ExecMainStatus')], ['success', '0']);
    await json(['service', 'start']);
  });

  it('stops in peace, and says so', async () => {
    assert.equal((await json<{ changed: boolean }>(['service', 'stop'])).changed, true);
    assert.equal(await systemd('Result'), 'success');
    assert.equal(await systemd('ExecMainStatus'), '0');
    const { service, manager } = await status(7);
    assert.deepEqual([service.state, service.installed, manager], ['inactive', true, null]);
    assert.equal((await json<{ changed: boolean }>(['service', 'stop'])).changed, false);
    assert.equal((await json<{ changed: boolean }>(['service', 'start'])).changed, true);
  });

  it('leaves connections behind for root alone, and finds them again when it comes back', async () => {
    const gone = await json<{ kept: { path: string }[] }>(['service', 'uninstall']);
    assert.deepEqual(
      gone.kept.map(({ path }) => path),
      [...['/var/lib/hcm', '/etc/hcm', '/etc/systemd/system/hcm.service.d']],
    );
    assert.equal((await machine.run('stat', '-c', '%a %u', '/var/lib/hcm')).stdout.trim(), '700 0');
    assert.equal((await machine.try('getent', 'passwd', 'hcm')).status, 2);
    assert.equal((await machine.try('getent', 'group', 'hcm')).status, 2);
    await machine.run('rm', '-r', '/etc/systemd/system/hcm.service.d');
    await json(['service', 'install']);
    await shows(({ connections }) => connections[0]?.state === 'online', 'the connection');
    assert.equal((await machine.run('stat', '-c', '%U', '/var/lib/hcm/manager')).stdout.trim(), 'hcm');
  });

  it('leaves nothing behind with --purge', async () => {
    const refused = await json<{ error: { code: string } }>(['service', 'uninstall', '--purge'], 2);
    assert.equal(refused.error.code, 'HCM_CONFIRMATION_NEEDED');
    await json(['service', 'uninstall', '--purge', '--yes']);
    await machine.run('rm', '-r', '/etc/hcm');
    assert.deepEqual(await changes(), []);
    assert.equal((await machine.try('ls', '/run/hcm')).status, 2);
  });

  it('that nothing was added to leaves nothing behind without --purge', async () => {
    await json(['service', 'install']);
    await json(['service', 'uninstall']);
    assert.deepEqual(await changes(), []);
  });

  it('leaves an account alone that was there before it', async () => {
    await machine.run('useradd', '--system', 'hcm');
    await json(['service', 'install']);
    assert.equal((await status()).running, true);
    await json(['service', 'uninstall']);
    assert.equal((await machine.try('getent', 'passwd', 'hcm')).status, 0);
    assert.equal((await machine.try('getent', 'group', 'hcm')).status, 0);
    await machine.run('userdel', 'hcm');
  });

  it('tells what keeps it from starting', async () => {
    await machine.run('chmod', '700', HOME);
    const refused = await json<{ error: { code: string; message: string } }>(['service', 'install'], 2);
    assert.equal(refused.error.code, 'HCM_FILE_UNREADABLE');
    assert.ok(
      refused.error.message.includes(`${HOME} lets others not in (mode 0700)`),
      refused.error.message,
    );
    await machine.run('chmod', '755', HOME);
    assert.deepEqual(await changes(), []);
  });

  it('of one user needs no root', async () => {
    const id = (await machine.run('id', '-u', 'hcm-test')).stdout.trim();
    await machine.run('systemctl', 'start', `user@${id}.service`);
    const mine = (...args: string[]) =>
      machine.try(
        ...(['setpriv', '--reuid', 'hcm-test', '--regid', 'hcm-test', '--init-groups', 'env'] as const),
        ...['HOME=/home/hcm-test', `XDG_RUNTIME_DIR=/run/user/${id}`, process.execPath, PROGRAM, ...args],
      );
    const refused = await mine('service', 'install');
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /sudo hcm service install, or without root: hcm service install --user/);
    const installed = await mine('service', 'install', '--user', '--json');
    assert.equal(installed.status, 0, installed.stdout + installed.stderr);
    const shown = JSON.parse((await mine('service', 'status', '--json')).stdout) as Status;
    assert.deepEqual([shown.running, shown.manager?.pid], [true, shown.service.pid]);
    assert.deepEqual((await mine('list', '--json')).stdout.trim(), '[]');
    const others = await machine.try(
      ...(['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', 'env'] as const),
      ...[
        `HCM_CONTROL_SOCKET=/home/hcm-test/.local/state/hcm/manager/control.sock`,
        process.execPath,
        PROGRAM,
        'list',
      ],
    );
    assert.equal(others.status, 3, others.stderr);
    assert.equal((await mine('service', 'uninstall')).status, 0);
    assert.equal((await mine('service', 'status')).status, 7);
  });
});
