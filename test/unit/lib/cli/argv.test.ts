import assert from 'node:assert/strict';
import {
  findId,
  leadingWords,
  splitCommandLine,
  wantsHelp,
  writeOutFlags,
} from '../../../../src/lib/cli/argv.ts';

describe('the command line before oclif', () => {
  it('is split at the first --, and the rest is kept to the letter', () => {
    assert.deepEqual(splitCommandLine(['forward', 'a', '--', 'b', '--', 'a', '--json']), {
      own: ['forward', 'a'],
      command: ['b', '--', 'a', '--json'],
    });
    assert.deepEqual(splitCommandLine(['listen']), { own: ['listen'], command: undefined });
  });

  it('finds the longest id', () => {
    const known = new Set(['emulator:start', 'listen']);
    const find = (...argv: string[]) => findId(argv, (id) => known.has(id));
    assert.deepEqual(find('emulator', 'start', '--port', '0'), { id: 'emulator:start', words: 2 });
    assert.deepEqual(find('listen', 'db'), { id: 'listen', words: 1 });
    assert.equal(find('emulator'), undefined);
    assert.equal(find('--json', 'listen'), undefined);
  });

  it('takes nothing for a word of a command that may be a value or a secret', () => {
    assert.deepEqual(leadingWords(['listen', 'ns/db', 'x']), ['listen']);
    assert.deepEqual(leadingWords(['Endpoint=sb://x']), []);
  });

  it('asks for help by --help or -h', () => {
    assert.deepEqual([['listen', '--help'], ['-h'], ['listen']].map(wantsHelp), [true, true, false]);
  });

  for (const command of ['add', 'remove', 'show', 'restart']) {
    it(`writes out the flags of Microsoft's hcm ${command}`, () => {
      const typed = ['-s', 'sub', '-rg', 'group', '-ns=relay', '-n', 'db', '--json'];
      assert.deepEqual(writeOutFlags(command, typed), [
        ...['--subscription', 'sub', '--resource-group', 'group', '--namespace=relay', '-n', 'db', '--json'],
      ]);
    });
  }

  it('leaves the flags of all other commands, and words that only look alike', () => {
    const typed = ['-ns', 'relay', '-s', 'x', '-rg', 'y'];
    assert.deepEqual(writeOutFlags('listen', typed), typed);
    assert.deepEqual(writeOutFlags('connection:show', typed), typed);
    assert.deepEqual(writeOutFlags('show', ['ns/a-ns', '-nsx', '--ns']), ['ns/a-ns', '-nsx', '--ns']);
  });
});
