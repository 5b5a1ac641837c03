import assert from 'node:assert/strict';
import {
  askedSocket,
  logFolder,
  managerFolder,
  ownSocket,
  servedSocket,
  sharedWithGroup,
} from '../../../../../src/lib/cli/manager/manager-place.ts';

const SERVICE = {
  HOME: '/var/lib/hcm',
  STATE_DIRECTORY: '/var/lib/hcm',
  RUNTIME_DIRECTORY: '/run/hcm:/run/other',
  LOGS_DIRECTORY: '/var/log/hcm',
};

describe('the places of a manager that systemd has started', () => {
  it('are the folders that systemd has made', () => {
    assert.deepEqual(
      [managerFolder(SERVICE), logFolder(SERVICE), ownSocket(SERVICE)],
      ['/var/lib/hcm/manager', '/var/log/hcm', '/run/hcm/control.sock'],
    );
  });

  it('are shared with its own group, and only then', () => {
    assert.equal(sharedWithGroup(SERVICE, 995), 995);
    assert.equal(sharedWithGroup({ HOME: '/home/me' }, 1000), undefined);
    assert.equal(sharedWithGroup({ ...SERVICE, RUNTIME_DIRECTORY: '' }, 995), undefined);
  });

  it('give way to a folder and a socket that are named', () => {
    const named = { ...SERVICE, HCM_STATE_DIR: '/srv/state', HCM_CONTROL_SOCKET: '/srv/control.sock' };
    assert.equal(managerFolder(named), '/srv/state/manager');
    assert.deepEqual([askedSocket(named), servedSocket(named)], ['/srv/control.sock', '/srv/control.sock']);
  });

  it('do not give way to a socket that is named as nothing, as a line of hcm.env may do', () => {
    const unnamed = { ...SERVICE, HCM_CONTROL_SOCKET: '' };
    assert.deepEqual(
      [askedSocket(unnamed), servedSocket(unnamed)],
      ['/run/hcm/control.sock', '/run/hcm/control.sock'],
    );
  });

  it('are those of the user without systemd', () => {
    const mine = { HOME: '/home/me', HCM_STATE_DIR: '/home/me/state' };
    assert.deepEqual(
      [managerFolder(mine), logFolder(mine)],
      ['/home/me/state/manager', '/home/me/state/manager'],
    );
  });
});
