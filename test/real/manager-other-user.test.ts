// Another user of the machine and the manager of root, or of whoever runs the tests: what he can read, reach, and prepare.
// Needs root, to become that user.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { programFile, type HcmProcess } from '../e2e/hcm-process.ts';
import { RelayHome } from '../e2e/relay-home.ts';

/** Made by .ci/install-real. */
const OTHER = 'hcm-test';
const KEY = Buffer.alloc(32, 'a key ').toString('base64');
const STRING = `Endpoint=sb://localhost:1/;SharedAccessKeyName=l;SharedAccessKey=${KEY};EntityPath=db`;
/** So long that the path of its socket does not fit. */
const LONG = 'a-folder-with-a-name-of-so-many-letters-that-no-socket-can-be-below-it/'.repeat(2);

describe('another user of the machine', () => {
  const home = new RelayHome();
  const state = home.path('state/hcm/manager');
  let manager: HcmProcess;
  let web: string;

  before(async () => {
    assert.equal(process.geteuid?.(), 0, 'run as root, so that another user can be tried');
    // He may pass: what keeps him away are the manager's own rights.
    chmodSync(home.directory, 0o755);
    manager = home.start(['service', 'run', '--json']);
    web = String((await manager.event('ready'))['web']);
    const args = ['add', '-', '--target', 'db.corp.internal:5432', '--json'];
    const { status, stdout } = await home.run(args, { stdin: STRING });
    assert.equal(status, 0, stdout);
    mkdirSync(home.path('tmp'));
    chmodSync(home.path('tmp'), 0o1777);
  });
  after(() => home.remove());

  function as(user: string, ...command: string[]): { status: number | null; out: string } {
    const args = ['--reuid', user, '--regid', user, '--clear-groups', '--', ...command];
    const { status, stdout, stderr } = spawnSync('setpriv', args, { encoding: 'utf8', cwd: '/' });
    return { status, out: stdout + stderr };
  }

  it('reads nothing in the folder of the manager, and does not even see it', () => {
    for (const name of ['', 'connections.json', 'secrets.json', 'manager.log', 'manager.socket'])
      for (const command of [
        ['cat', join(state, name)],
        ['ls', join(state, name)],
      ])
        assert.notEqual(as(OTHER, ...command).status, 0, command.join(' '));
    assert.match(as(OTHER, 'cat', join(state, 'secrets.json')).out, /Permission denied/);
    assert.notEqual(as(OTHER, 'touch', join(state, 'x')).status, 0);
  });

  it('does not reach the control socket', () => {
    const asked = as(
      OTHER,
      'curl',
      '-sS',
      '--unix-socket',
      join(state, 'control.sock'),
      'http://m/v1/manager',
    );
    assert.notEqual(asked.status, 0, asked.out);
    const own = `HCM_CONTROL_SOCKET=${join(state, 'control.sock')}`;
    const listed = as(OTHER, 'env', own, 'HOME=/nonexistent', process.execPath, programFile, 'list');
    // Where Node or hcm is not for everybody, it does not even start.
    assert.notEqual(listed.status, 0, listed.out);
    assert.doesNotMatch(listed.out, /localhost\/db/);
  });

  it('reads of the environment and the arguments of the manager what is no secret', () => {
    assert.notEqual(as(OTHER, 'cat', `/proc/${manager.child.pid}/environ`).status, 0);
    assert.doesNotMatch(as(OTHER, 'cat', `/proc/${manager.child.pid}/cmdline`).out, /SharedAccess/);
  });

  it('learns names and states over the web, but no target, no address, no text, and changes nothing', () => {
    for (const path of ['healthz', 'readyz', 'metrics']) {
      const { status, out } = as(OTHER, 'curl', '-sS', `${web}/${path}`);
      assert.equal(status, 0, out);
      assert.doesNotMatch(out, /db\.corp|5432|SharedAccess|\/state\/|root/);
    }
    assert.match(as(OTHER, 'curl', '-sS', `${web}/readyz`).out, /"listen localhost\/db"/);
    for (const path of ['v1/manager', 'v1/connections', 'v1/logs', 'v1/events', 'v1/samples', 'v1/export']) {
      const { out } = as(OTHER, 'curl', '-sS', `${web}/${path}`);
      assert.match(out, /HCM_SIGN_IN_REQUIRED/, path);
      assert.doesNotMatch(out, /db\.corp|localhost\/db/);
    }
    for (const method of ['POST', 'DELETE'])
      for (const path of ['v1/dashboard', 'v1/reload', 'v1/connections/listen%20localhost%2Fdb']) {
        const { out } = as(OTHER, 'curl', '-sS', '-X', method, '-H', `Origin: ${web}`, `${web}/${path}`);
        assert.match(out, /HCM_SIGN_IN_REQUIRED/, `${method} ${path}`);
      }
  });

  it('cannot be in the temporary folder first', async () => {
    const env = { HCM_STATE_DIR: home.path(`s/${LONG}`), TMPDIR: home.path('tmp') };
    const first = home.start(['service', 'run', '--no-http', '--json'], env);
    const socket = String((await first.event('ready'))['socket']);
    assert.ok(socket.startsWith(home.path('tmp/hcm-root-')), socket);
    assert.notEqual(as(OTHER, 'ls', dirname(socket)).status, 0);
    assert.notEqual(as(OTHER, 'rm', '-rf', dirname(socket)).status, 0);
    assert.equal((await home.run(['status', '--json'], { env })).status, 0);
    await first.interrupt();

    // Once it is gone, somebody else makes it, and waits there for keys.
    spawnSync('rm', ['-rf', dirname(socket)]);
    const traps: [string, string][] = [
      ['a folder', `mkdir -m 777 "$0"`],
      ['a closed folder', `mkdir -m 711 "$0"`],
      ['a link', `mkdir -m 777 "$0-real"; ln -s "$0-real" "$0"`],
    ];
    for (const [what, make] of traps) {
      const folder = dirname(socket);
      assert.equal(as(OTHER, 'sh', '-c', make, folder).status, 0, what);
      for (const args of [['status'], ['service', 'run'], ['add', '-', '--target', 'db:1']]) {
        const { status, stdout } = await home.run([...args, '--json'], { env, stdin: STRING });
        assert.equal(status, 3, `${what}: ${args.join(' ')}: ${stdout}`);
        assert.match(stdout, /HCM_FORBIDDEN.*another user made it/);
      }
      assert.equal(existsSync(socket), false, 'nothing was opened there');
      spawnSync('rm', ['-rf', folder, `${folder}-real`]);
    }
  });

  it('finds no way in while a socket is being made', async () => {
    // The socket is asked over and over from before it is there.
    const path = home.path('early/control.sock');
    mkdirSync(home.path('early'), { mode: 0o755 });
    writeFileSync(home.path('early/x'), '');
    const env = { HCM_STATE_DIR: home.path('early-state'), HCM_CONTROL_SOCKET: path };
    const script = `n=0; while [ $n -lt 300 ]; do curl -sS -m 2 --unix-socket "$0" http://m/v1/manager 2>/dev/null && echo IN; n=$((n+1)); done`;
    const early = home.start(['service', 'run', '--no-http', '--json'], env);
    const tried = as(OTHER, 'sh', '-c', script, path);
    await early.event('ready');
    assert.doesNotMatch(tried.out, /IN|apiVersion/);
    const mine = createConnection({ path });
    await new Promise<void>((resolve, reject) => mine.once('connect', resolve).once('error', reject));
    mine.destroy();
    await early.interrupt();
  });
});
