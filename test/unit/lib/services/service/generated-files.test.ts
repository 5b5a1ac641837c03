// The files that services are started from, byte by byte: test/fixtures/service has them as they are written.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchdPlist } from '../../../../../src/lib/services/service/launchd-plist.ts';
import type { ServiceCommand } from '../../../../../src/lib/services/service/service-command.ts';
import { systemdUnit } from '../../../../../src/lib/services/service/systemd-unit.ts';
import { winswXml } from '../../../../../src/lib/services/service/winsw-xml.ts';

const FIXTURES = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'service');
const LINUX: ServiceCommand = {
  node: '/usr/bin/node',
  program: '/usr/lib/node_modules/hcm-cli/bin/run.js',
  file: '/etc/hcm/hcm.yaml',
  graceMs: 10_000,
};
const ODD = '/opt/my $HOME/100%/"quoted"\\back';

/** HCM_WRITE_GOLDEN=1 writes them anew; look at the difference before it is committed. */
function assertGolden(name: string, text: string): void {
  const path = join(FIXTURES, name);
  if (process.env['HCM_WRITE_GOLDEN'] === '1') writeFileSync(path, text);
  assert.equal(text, readFileSync(path, 'utf8'));
}

describe('the files that a service is started from', () => {
  it('systemd, for the machine', () => {
    const unit = { scope: 'system', command: LINUX, user: 'hcm', group: 'hcm', seesHomes: false } as const;
    assertGolden('hcm.service', systemdUnit(unit));
  });

  it('systemd, for one user', () => {
    const stateDirectory = '/home/me/.local/state/hcm';
    assertGolden('hcm.user.service', systemdUnit({ scope: 'user', command: LINUX, stateDirectory }));
  });

  it('launchd, for the machine', () => {
    const command = { ...LINUX, node: '/opt/homebrew/bin/node', file: '/etc/hcm/<odd> & "quoted".yaml' };
    const stateDirectory = '/Library/Application Support/hcm';
    assertGolden('launchd-daemon.plist', launchdPlist({ command, user: 'me', stateDirectory }));
  });

  it('launchd, for one user', () => {
    const command = { ...LINUX, file: undefined };
    const stateDirectory = '/Users/me/Library/Application Support/hcm';
    assertGolden('launchd-agent.plist', launchdPlist({ command, user: undefined, stateDirectory }));
  });

  it('WinSW', () => {
    const command = {
      node: 'C:\\Program Files\\nodejs\\node.exe',
      program: 'C:\\Program Files\\hcm\\bin\\run.js',
      file: 'D:\\my files\\',
      graceMs: 90_500,
    };
    const stateDirectory = 'C:\\ProgramData\\hcm';
    assertGolden('winsw.xml', winswXml({ command, stateDirectory, pipe: '\\\\.\\pipe\\hcm-service' }));
  });

  it('a path with what means something to systemd stays that path', () => {
    const command = { ...LINUX, node: `${ODD}/node`, program: `${ODD}/run.js`, file: '/etc/plain.yaml' };
    const unit = { scope: 'system', command, user: 'hcm', group: undefined, seesHomes: true } as const;
    const text = systemdUnit(unit);
    const [, line] = /^ExecStart=(.*)$/m.exec(text) ?? [];
    // The program itself is taken as it stands; in what follows, $ would begin a variable.
    assert.equal(
      line,
      String.raw`"/opt/my $HOME/100%%/\"quoted\"\\back/node" "/opt/my $$HOME/100%%/\"quoted\"\\back/run.js" service run --file /etc/plain.yaml --grace-period 10s`,
    );
    assert.match(text, /^ProtectHome=read-only$/m);
    assert.doesNotMatch(text, /^Group=/m);
  });

  it('a path that would break the line is refused', () => {
    const command = { ...LINUX, file: '/etc/hcm/a\nExecStartPre=/bin/evil' };
    assert.throws(() => systemdUnit({ scope: 'user', command, stateDirectory: '/state' }), {
      code: 'HCM_USAGE',
      message: /control character/,
    });
  });

  it('systemd waits longer for the end than the manager lets streams go on', () => {
    const command = { ...LINUX, graceMs: 120_000 };
    const text = systemdUnit({ scope: 'user', command, stateDirectory: '/state' });
    assert.match(text, /^TimeoutStopSec=140s$/m);
  });
});
