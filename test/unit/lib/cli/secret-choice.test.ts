import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyChoice } from '../../../../src/lib/cli/manager/secret-choice.ts';

const BUS = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus' };

describe('where a manager keeps keys', () => {
  const CASES: [
    what: string,
    env: Record<string, string>,
    NodeJS.Platform,
    userId: number,
    choice: string,
  ][] = [
    ['Linux with a session bus', BUS, 'linux', 1000, 'auto'],
    ['Linux without one', {}, 'linux', 1000, 'file'],
    ['root without a session', {}, 'linux', 0, 'file'],
    ['a service of systemd', { ...BUS, STATE_DIRECTORY: '/var/lib/hcm' }, 'linux', 1000, 'file'],
    ['macOS', {}, 'darwin', 501, 'auto'],
    ['root on macOS', {}, 'darwin', 0, 'file'],
    ['Windows', {}, 'win32', 0, 'auto'],
  ];
  for (const [what, env, platform, userId, choice] of CASES) {
    it(`${what}: auto is ${choice}`, () => {
      const found = keyChoice('auto', env, { platform, userId });
      assert.equal(found.choice, choice);
      assert.equal(found.because === undefined, choice === 'auto', 'why it is no keychain');
      for (const told of ['keychain', 'file'] as const)
        assert.deepEqual(keyChoice(told, env, { platform, userId }), { choice: told });
    });
  }

  it('a session bus that only its socket tells of counts, too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hcm-bus-'));
    const choice = () =>
      keyChoice('auto', { XDG_RUNTIME_DIR: folder }, { platform: 'linux', userId: 1000 }).choice;
    assert.equal(choice(), 'file');
    writeFileSync(join(folder, 'bus'), '');
    assert.equal(choice(), 'auto');
    rmSync(folder, { recursive: true });
  });
});
