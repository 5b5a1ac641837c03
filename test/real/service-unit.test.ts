// What `hcm service install` would write, judged by systemd's own tools; and the command of that unit run as an account
// without rights, with the environment that systemd gives, its notifications received by a real datagram socket.
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentialsOf, pollUntil, startProcess, type ServerProcess } from './servers/process.ts';
import { runCommand, tryCommand } from './servers/run-command.ts';

const SOURCE = fileURLToPath(new URL('../..', import.meta.url));
/** What is in the installed package. */
const PACKAGE = ['bin', 'dist', 'package.json', 'oclif.manifest.json'];
const TEST_USER = 'hcm-test';
/** Of 10, as systemd-analyze counts; less is better. The network alone is 0.8. */
const EXPOSURE_MAX = 1.5;
/** Prints each message on a line of its own; those who send wait until it has closed what they sent along. */
const RECEIVER = `
import socket, sys, os
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
print('bound', flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(receiver, 65536, 16)
    for fd in fds: os.close(fd)
    print(data.decode().strip().replace(chr(10), ' '), flush=True)
`;

interface Plan {
  files: { path: string; text: string; mode: string }[];
}

describe('the unit that hcm service install writes', () => {
  let folder: string;
  const texts = new Map<string, string>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-unit-'));
    // Where the test user can read it, wherever this checkout is.
    const program = join(folder, 'hcm', 'bin', 'run.js');
    await mkdir(join(folder, 'hcm'));
    await runCommand('cp', ['-R', ...PACKAGE.map((name) => join(SOURCE, name)), join(folder, 'hcm')]);
    await runCommand('chmod', ['-R', 'a+rX', folder]);
    for (const [scope, ...flags] of [
      ['system', '--root', join(folder, 'image')],
      ['user', '--user'],
    ] as const) {
      const args = [program, 'service', 'install', '--dry-run', '--json', ...flags];
      const { stdout } = await runCommand(process.execPath, args);
      const { files } = JSON.parse(stdout) as Plan;
      const unit = files.find(({ path }) => path.endsWith('/hcm.service'));
      texts.set(scope, unit?.text ?? '');
      await mkdir(join(folder, scope));
      await writeFile(join(folder, scope, 'hcm.service'), unit?.text ?? '');
      const accounts = files.find(({ path }) => path.includes('sysusers.d'));
      if (accounts) await writeFile(join(folder, 'hcm.conf'), accounts.text);
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is understood by systemd without a word', async () => {
    const env = { ...process.env, XDG_RUNTIME_DIR: folder };
    for (const scope of ['system', 'user']) {
      const args = [
        'verify',
        '--man=no',
        ...(scope === 'user' ? ['--user'] : []),
        join(folder, scope, 'hcm.service'),
      ];
      const { status, stdout, stderr } = await tryCommand('systemd-analyze', args, { env });
      const about = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('hcm.service'));
      assert.deepEqual([status, about], [0, []], stderr);
    }
  });

  it('exposes little', async () => {
    const limit = `--threshold=${EXPOSURE_MAX * 10}`;
    const unit = join(folder, 'system', 'hcm.service');
    const { stdout } = await runCommand('systemd-analyze', ['security', '--offline=true', limit, unit]);
    assert.match(stdout, /Overall exposure level for hcm.service: (?:0|1\.[0-5])/);
  });

  it('declares an account that systemd-sysusers makes', async () => {
    const root = join(folder, 'accounts');
    await mkdir(join(root, 'etc'), { recursive: true });
    await runCommand('systemd-sysusers', [`--root=${root}`, '--inline', 'g hcm -']);
    await runCommand('systemd-sysusers', [`--root=${root}`, join(folder, 'hcm.conf')]);
    const { stdout } = await runCommand('cat', [join(root, 'etc/passwd'), join(root, 'etc/group')]);
    assert.match(
      stdout,
      /^hcm:x:\d+:\d+:Hybrid Connection Manager \(hcm\):\/var\/lib\/hcm:\/usr\/sbin\/nologin$/m,
    );
    assert.match(stdout, /^hcm:x:\d+:$/m);
  });

  describe('its command, as an account without rights', () => {
    const running: ServerProcess[] = [];
    const messages: string[] = [];

    afterEach(async () => {
      await Promise.all(running.splice(0).map((process) => process.stop()));
      messages.length = 0;
    });

    async function start(): Promise<ServerProcess> {
      const base = await mkdtemp(join(folder, 'run-'));
      await chmod(base, 0o755);
      const { uid, gid } = credentialsOf(TEST_USER) ?? {
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
      };
      const place = async (name: string, mode: number) => {
        await mkdir(join(base, name), { mode });
        await chown(join(base, name), uid, gid);
        return join(base, name);
      };
      const socket = join(base, 'notify');
      running.push(
        await startProcess({
          command: 'python3',
          args: ['-c', RECEIVER, socket],
          onLine: (line) => messages.push(line),
          isReady: () => Promise.resolve(messages.includes('bound')),
        }),
      );
      // As systemd starts it: an environment of its own, and its folders.
      const env = {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
        STATE_DIRECTORY: await place('state', 0o700),
        RUNTIME_DIRECTORY: await place('run', 0o750),
        LOGS_DIRECTORY: await place('log', 0o750),
        NOTIFY_SOCKET: socket,
        WATCHDOG_USEC: '1000000',
      };
      const [, line = ''] = /^ExecStart=(.*)$/m.exec(texts.get('system') ?? '') ?? [];
      assert.doesNotMatch(line, /["\\$%]/, 'a path that needs a shell');
      const service = await startProcess({
        command: 'setpriv',
        args: [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', ...line.split(' ')],
        env,
        isReady: () => Promise.resolve(messages.some((message) => message.startsWith('READY=1'))),
      });
      running.push(service);
      const modes = await runCommand('stat', [
        '-c',
        '%a %U',
        join(base, 'run/control.sock'),
        join(base, 'state/manager'),
        join(base, 'log/manager.log'),
      ]);
      assert.deepEqual(modes.stdout.trim().split('\n'), [
        `660 ${TEST_USER}`,
        `700 ${TEST_USER}`,
        `600 ${TEST_USER}`,
      ]);
      return service;
    }

    const told = (start: string) =>
      pollUntil(() => messages.some((message) => message.startsWith(start)), {
        what: () => `${start}; so far: ${messages.join(', ')}`,
      });

    it('is ready, gives signs of life, reloads, and says that it stops', async () => {
      const service = await start();
      assert.equal(messages[1], 'READY=1 STATUS=0 of 0 connections online, 0 streams open');
      await told('WATCHDOG=1 STATUS=0 of 0 connections online');
      process.kill(service.pid, 'SIGHUP');
      await told('RELOADING=1 MONOTONIC_USEC=');
      process.kill(service.pid, 'SIGTERM');
      assert.equal(await service.exited, 0, service.output());
      await told('STOPPING=1');
    });
  });
});
