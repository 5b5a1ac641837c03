// What is said where no command was found: which one was meant, or what is missing behind a noun.
import assert from 'node:assert/strict';
import { unknownCommand } from '../../../../src/lib/cli/unknown-command.ts';

const commands = ['listen', 'connect', 'connection:create', 'connection:list', 'emulator:start', 'list'].map(
  (id) => ({ id, summary: '', hidden: false, longRunning: false }),
);
const said = (...argv: string[]) => {
  const { message, details } = unknownCommand(argv, commands);
  return [message, details['next']];
};

describe('a command that is not there', () => {
  it('may be a noun that is spelled wrong', () => {
    assert.deepEqual(said('conection'), [
      'There is no command "hcm conection". Did you mean "hcm connection"?',
      'hcm connection --help',
    ]);
    assert.match(String(said('conection', 'list')[0]), /Did you mean "hcm connection list"\?$/);
  });

  it('may be a noun with no verb: it names the verbs', () => {
    const missing = ['"hcm connection" needs one of: create, list.', 'hcm connection --help'];
    assert.deepEqual(said('connection', '--json'), missing);
    assert.deepEqual(said('connection', 'My-Relay/db'), missing);
  });

  it('may be one in capitals', () => {
    assert.match(
      String(said('LISTEN')[0]),
      /^There is no command "hcm LISTEN". Did you mean "hcm listen"\?$/,
    );
    assert.match(String(said('Emulator', 'Start')[0]), /Did you mean "hcm emulator start"\?$/);
  });

  it('is not repeated where it may be a secret', () => {
    assert.deepEqual(said('Endpoint=sb://r/;SharedAccessKey=abc'), ['No command is named.', undefined]);
  });
});
