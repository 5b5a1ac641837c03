import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { interruptSignal } from '../../../../src/lib/cli/azure-session.ts';
import { canOpenBrowser, isUnattended } from '../../../../src/lib/cli/terminal.ts';
import { HcmError } from '../../../../src/protocol/errors.ts';

describe('work with Azure', () => {
  it('is aborted by the first Ctrl-C, and the second ends the program at once', () => {
    const signals = new EventEmitter();
    const statuses: number[] = [];
    const aborted = interruptSignal({ signals, exit: (status) => void statuses.push(status) });
    assert.equal(aborted.aborted, false);
    signals.emit('SIGINT', 'SIGINT');
    assert.ok(aborted.reason instanceof HcmError);
    assert.deepEqual([aborted.reason.code, aborted.reason.details['signal']], ['HCM_INTERRUPTED', 'SIGINT']);
    assert.deepEqual(statuses, []);
    signals.emit('SIGTERM', 'SIGTERM');
    assert.deepEqual(statuses, [143]);
  });

  it('asks nobody in CI or with --no-input', () => {
    assert.deepEqual(
      [isUnattended(true, {}), isUnattended(false, { CI: 'true' }), isUnattended(false, { CI: 'false' })],
      [true, true, false],
    );
  });

  it('opens a browser where there is a display and a program for it', () => {
    assert.equal(canOpenBrowser({ PATH: '/nowhere', DISPLAY: ':0' }, 'linux'), false);
    assert.equal(canOpenBrowser({ PATH: '/usr/bin:/bin' }, 'linux'), false);
    assert.equal(canOpenBrowser({}, 'darwin'), true);
  });
});
