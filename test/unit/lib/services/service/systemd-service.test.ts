// Installing for systemd, below a folder that stands for the machine, with systemctl and its like as they answer.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type {
  InstallOptions,
  Ran,
  ServiceMachine,
} from '../../../../../src/lib/services/service/service-host.ts';
import { SystemdService } from '../../../../../src/lib/services/service/systemd-service.ts';

const SHOWN = `LoadState=loaded
ActiveState=active
UnitFileState=enabled
MainPID=4711
ActiveEnterTimestamp=Mon 2026-11-23 00:18:42 UTC
NRestarts=2
Result=success
`;

describe('the manager as a service of systemd', () => {
  let folder: string;
  let ran: string[];
  /** What a command line that begins so answers; others end well and say nothing. */
  let answers: Map<string, Partial<Ran>>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hcm-service-'));
    ran = [];
    answers = new Map([['systemctl --user --no-ask-password show', { stdout: SHOWN }]]);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function machine(more: Partial<ServiceMachine> = {}): ServiceMachine {
    return {
      platform: 'linux',
      userId: 1000,
      env: { USER: 'me' },
      home: join(folder, 'home'),
      root: '',
      exists: () => Promise.resolve(true),
      run: (command, args) => {
        const line = [command, ...args].join(' ');
        ran.push(line);
        const [, answer = {}] = [...answers].find(([start]) => line.startsWith(start)) ?? [];
        return Promise.resolve({ status: 0, stdout: '', stderr: '', ...answer });
      },
      ...more,
    };
  }

  /** A program in its own folder that everybody may read. */
  function options(more: Partial<InstallOptions['command']> = {}): InstallOptions {
    const program = join(folder, 'hcm', 'bin', 'run.js');
    const main = join(folder, 'hcm', 'dist', 'lib', 'cli', 'main.js');
    for (const path of [program, main]) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '');
    }
    return {
      command: { node: process.execPath, program, graceMs: 10_000, ...more },
      start: true,
      stateDirectory: join(folder, 'state'),
    };
  }

  const files = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes(join(folder, 'hcm')))
      .map(({ name, parentPath }) => join(parentPath, name).slice(folder.length))
      .sort();

  describe('of one user', () => {
    const service = () => new SystemdService(machine(), 'user');
    const stateDirectory = () => join(folder, 'state');

    it('is written, enabled and started', async () => {
      answers.set('systemctl --user --no-ask-password show', {
        stdout: SHOWN.replace('=active', '=inactive').replace('=enabled', '=disabled'),
      });
      const installed = await service().install(options());
      assert.deepEqual([installed.process, installed.changed], ['started', true]);
      assert.deepEqual(files(), ['/home/.config/systemd/user/hcm.service']);
      assert.deepEqual(
        ran.filter((line) => !line.includes(' show ')).map((line) => line.split(' ').slice(3).join(' ')),
        ['daemon-reload', 'enable hcm.service', 'restart hcm.service'],
      );
    });

    it('changes nothing when it is there exactly so', async () => {
      await service().install(options());
      ran = [];
      const installed = await service().install(options());
      assert.deepEqual([installed.changed, installed.process], [false, 'left']);
      assert.deepEqual(
        installed.files.map(({ change }) => change),
        ['unchanged'],
      );
      assert.ok(
        ran.every((line) => line.includes(' show ')),
        ran.join('\n'),
      );
    });

    it('is written anew and started anew with other flags', async () => {
      await service().install(options());
      const installed = await service().install(options({ graceMs: 20_000 }));
      assert.deepEqual([installed.changed, installed.process], [true, 'restarted']);
      assert.equal(ran.at(-1), 'systemctl --user --no-ask-password restart hcm.service');
    });

    it('is started where it does not run, and only then', async () => {
      await service().install(options());
      for (const [state, last] of [
        ['inactive', 'start'],
        ['active', 'show'],
      ] as const) {
        answers.set('systemctl --user --no-ask-password show', {
          stdout: SHOWN.replace('=active', `=${state}`),
        });
        await service().install(options());
        assert.equal(ran.at(-1)?.split(' ')[3], last);
      }
    });

    it('does not go on with its old unit where it is just starting again', async () => {
      await service().install(options());
      answers.set('systemctl --user --no-ask-password show', {
        stdout: SHOWN.replace('=active', '=activating'),
      });
      await service().install(options({ graceMs: 20_000 }));
      assert.equal(ran.at(-1), 'systemctl --user --no-ask-password restart hcm.service');
    });

    it('is told with the words of systemctl when that fails', async () => {
      answers.set('systemctl --user --no-ask-password daemon-reload', {
        status: 1,
        stderr: 'Failed to connect to bus: No medium found\n',
      });
      await assert.rejects(service().install(options()), {
        code: 'HCM_SERVICE_FAILED',
        message:
          '"systemctl --user --no-ask-password daemon-reload" ended with status 1: Failed to connect to bus: No medium found',
      });
    });

    it('is gone after uninstall, and gone already the second time', async () => {
      await service().install(options());
      const gone = await service().uninstall({ purge: false, stateDirectory: stateDirectory() });
      assert.deepEqual([gone.changed, gone.kept, files()], [true, [], []]);
      assert.equal(
        (await service().uninstall({ purge: false, stateDirectory: stateDirectory() })).changed,
        false,
      );
    });

    it('names the connections and keys that stay, and takes them along with purge; no other state', async () => {
      const [manager, other] = ['manager', 'session'].map((name) => join(stateDirectory(), name));
      for (const path of [manager, other]) mkdirSync(path ?? '', { recursive: true });
      writeFileSync(join(manager ?? '', 'connections.json'), '{"connections":[1]}');
      const kept = await service().uninstall({ purge: false, stateDirectory: stateDirectory() });
      assert.equal(kept.kept[0]?.path, manager);
      assert.match(kept.kept[0]?.why ?? '', /connections\.json\); --purge removes them/);
      const gone = await service().uninstall({ purge: true, stateDirectory: stateDirectory() });
      assert.deepEqual([gone.changed, gone.removedFolders, gone.kept], [true, [manager], []]);
      assert.deepEqual(readdirSync(stateDirectory()), ['session']);
    });

    it('says since when it runs, as whom, and how often it was started anew', async () => {
      const { since, pid, restarts, running, enabled, state } = await service().state();
      assert.deepEqual(
        [since, pid, restarts, running, enabled, state],
        ['2026-11-23T00:18:42.000Z', 4711, 2, true, true, 'active'],
      );
    });

    it('that is about to start again is stopped, too', async () => {
      answers.set('systemctl --user --no-ask-password show', {
        stdout: SHOWN.replace('=active', '=activating'),
      });
      assert.equal((await service().state()).running, false);
      assert.deepEqual(await service().stop(), { changed: true });
    });

    it('that is not installed cannot be started', async () => {
      answers.set('systemctl --user --no-ask-password show', {
        stdout: 'LoadState=not-found\nActiveState=inactive\n',
      });
      await assert.rejects(service().start(), { code: 'HCM_NOT_RUNNING', message: /not installed/ });
    });
  });

  describe('of the machine', () => {
    it('is refused without root, with both ways on', async () => {
      await assert.rejects(new SystemdService(machine(), 'system').install(options()), {
        code: 'HCM_FORBIDDEN',
        details: { next: 'sudo hcm service install, or without root: hcm service install --user' },
      });
      assert.deepEqual([ran, files()], [[], []]);
    });

    it('is refused where no systemd runs', async () => {
      const bare = machine({ userId: 0, exists: () => Promise.resolve(false) });
      await assert.rejects(new SystemdService(bare, 'system').install(options()), {
        code: 'HCM_SERVICE_UNSUPPORTED',
      });
      await assert.rejects(new SystemdService(bare, 'system').state(), { code: 'HCM_SERVICE_UNSUPPORTED' });
    });

    it('is refused when its account could not read the program, with the folder that is in the way', async () => {
      const wanted = options();
      chmodSync(join(folder, 'hcm'), 0o700);
      const root = machine({ userId: 0 });
      // The temporary folder is never seen by a service, so the check speaks of that first.
      await assert.rejects(new SystemdService(root, 'system').install(wanted), {
        code: 'HCM_FILE_UNREADABLE',
        message: /cannot (?:see|read)/,
      });
      assert.deepEqual(files(), []);
    });
  });
});
