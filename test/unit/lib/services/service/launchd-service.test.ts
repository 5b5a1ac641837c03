// For launchd, below a folder that stands for the machine: nothing of the machine that this runs on is asked or touched.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LaunchdService } from '../../../../../src/lib/services/service/launchd-service.ts';
import type { ServiceMachine } from '../../../../../src/lib/services/service/service-host.ts';

const PLIST = 'Library/LaunchDaemons/io.github.hcm-cli.hcm.plist';
const STATE = 'Library/Application Support/hcm';

describe('the manager as a job of launchd, on a machine that is not started', () => {
  let root: string;
  let ran: string[];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hcm-launchd-'));
    ran = [];
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const service = () => {
    const machine: ServiceMachine = {
      ...{ platform: 'darwin', userId: 501, env: { SUDO_USER: 'me' }, home: '/Users/me', root },
      exists: () => Promise.resolve(false),
      run: (command, args) => {
        ran.push([command, ...args].join(' '));
        return Promise.resolve({ status: 0, stdout: 'state = running', stderr: '' });
      },
    };
    return new LaunchdService(machine, 'system');
  };
  const stateDirectory = '/Users/me/Library/Application Support/hcm';

  it('is written there, and removed there with what it had', async () => {
    const command = { node: '/n/node', program: '/h/run.js', graceMs: 10_000 };
    const installed = await service().install({ command, start: true, stateDirectory });
    assert.deepEqual([installed.process, installed.changed], ['left', true]);
    assert.ok(existsSync(join(root, PLIST)));
    mkdirSync(join(root, STATE, 'manager'), { recursive: true });
    writeFileSync(join(root, STATE, 'manager/connections.json'), '{"connections":[1]}');
    const kept = await service().uninstall({ purge: false, stateDirectory });
    assert.deepEqual([kept.changed, kept.kept[0]?.path], [true, `/${STATE}`]);
    const gone = await service().uninstall({ purge: true, stateDirectory });
    assert.deepEqual([gone.changed, gone.removedFolders], [true, [`/${STATE}`]]);
    assert.deepEqual([existsSync(join(root, STATE)), existsSync(join(root, PLIST))], [false, false]);
    assert.equal((await service().uninstall({ purge: true, stateDirectory })).changed, false);
    assert.deepEqual(ran, []);
  });
});
