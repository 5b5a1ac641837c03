// No text that came from elsewhere steers the terminal of whoever looks at the manager.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { logLine } from '../../../../src/lib/cli/manager/manager-presenter.ts';
import { Output } from '../../../../src/lib/cli/output.ts';
import { written } from '../../../helpers/written.ts';

const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

describe('what is written to a terminal', () => {
  it('holds no control characters, whatever a line of the log holds', () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const output = new Output({ stdout, stderr, env: {} });
    const line = logLine({
      ...{ event: 'request', time: 'now', id: 'listen a/b\u001b[2J' },
      ...{ path: '/\u001b]0;owned\u0007', remote: '\u009b31m', error: { message: 'a\u009b2J\rb' } },
    });
    output.answer(line);
    output.say(line);
    output.warn(line);
    output.complain(line);
    const text = written(stdout) + written(stderr);
    assert.doesNotMatch(text, STEERING);
    assert.equal(text.trim().split('\n').length, 4);
  });
});
