import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { Output } from '../../../../src/lib/cli/output.ts';
import { written } from '../../../helpers/written.ts';

function captured(terminal: boolean, quiet = false) {
  const stderr = Object.assign(new PassThrough(), { isTTY: terminal, columns: 40 });
  const stdout = new PassThrough();
  const output = new Output({ stdout, stderr, env: {}, quiet });
  return { output, stderr: () => written(stderr), stdout: () => written(stdout) };
}

const WIPE = '\r\u001b[2K';

describe('progress', () => {
  it('without a terminal is a line for each new message', () => {
    const { output, stderr } = captured(false);
    for (const text of ['creating a', 'creating a', 'creating b']) output.progress(text);
    assert.equal(stderr(), 'creating a ...\ncreating b ...\n');
  });

  it('on a terminal is one line, wiped before anything else is written', () => {
    const { output, stderr, stdout } = captured(true);
    output.progress('creating a');
    output.progress('creating b');
    output.answer('done');
    assert.equal(stderr(), `${WIPE}creating a ...${WIPE}${WIPE}creating b ...${WIPE}`);
    assert.equal(stdout(), 'done\n');
    output.say('more');
    assert.equal(stderr(), 'more\n', 'there is nothing left to wipe');
  });

  it('never wraps: a long line could not be wiped', () => {
    const { output, stderr } = captured(true);
    output.progress('x'.repeat(200));
    output.wipeProgress();
    assert.ok(stderr().replaceAll(WIPE, '').length < 40);
  });

  it('hides secrets, and is silent with --quiet', () => {
    const { output, stderr } = captured(false);
    output.progress('SharedAccessKey=c2VjcmV0');
    assert.ok(!stderr().includes('c2Vj'));
    const silent = captured(false, true);
    silent.output.progress('creating a');
    assert.equal(silent.stderr(), '');
  });
});
