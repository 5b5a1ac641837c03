import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { statePaths } from '../../../../src/lib/config/paths.ts';

describe('the place of the state', () => {
  it('follows XDG on Linux', () => {
    assert.equal(
      statePaths({ HOME: '/home/me' }, 'linux').directory,
      join('/home/me', '.local', 'state', 'hcm'),
    );
    assert.equal(
      statePaths({ HOME: '/home/me', XDG_STATE_HOME: '/var/state' }, 'linux').directory,
      join('/var/state', 'hcm'),
    );
  });

  it('ignores a relative XDG_STATE_HOME, as the specification asks', () => {
    const { directory } = statePaths({ HOME: '/home/me', XDG_STATE_HOME: 'state' }, 'linux');
    assert.equal(directory, join('/home/me', '.local', 'state', 'hcm'));
  });

  it('is in Application Support on macOS and in LOCALAPPDATA on Windows', () => {
    assert.equal(
      statePaths({ HOME: '/Users/me' }, 'darwin').directory,
      join('/Users/me', 'Library', 'Application Support', 'hcm'),
    );
    assert.equal(statePaths({ LOCALAPPDATA: 'C:\\Local' }, 'win32').directory, join('C:\\Local', 'hcm'));
  });

  it('is moved as a whole by HCM_STATE_DIR', () => {
    const { directory, emulatorDirectory, caDirectory } = statePaths(
      { HCM_STATE_DIR: '/s', HOME: '/home/me' },
      'linux',
    );
    assert.deepEqual(
      [directory, emulatorDirectory, caDirectory],
      ['/s', join('/s', 'emulator'), join('/s', 'ca')],
    );
  });

  it('is found without HOME, too', () => {
    assert.ok(statePaths({}, 'linux').directory.startsWith(homedir()));
  });
});
