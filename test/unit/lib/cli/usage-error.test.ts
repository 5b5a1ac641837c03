import assert from 'node:assert/strict';
import { usageError } from '../../../../src/lib/cli/usage-error.ts';

function said(text: string): string {
  const message = `The following error occurred:\n  ${text}\nSee more help with --help`;
  const error = usageError(Object.assign(new Error(message), { oclif: {} }), {
    ...{ id: 'cloud:add', flagNames: [] },
  });
  assert.ok(error instanceof Error);
  return error.message;
}

describe('errors of the parser', () => {
  it('say what is missing, without the frame around it', () => {
    assert.equal(said('Missing required flag endpoint'), 'hcm cloud add needs --endpoint.');
    assert.equal(
      said('All of the following must be provided when using --slot: --app'),
      '--slot needs --app.',
    );
  });

  it('say which flags exclude each other, and no value', () => {
    assert.equal(
      said('--bind=127.0.0.1:1 cannot also be provided when using --app'),
      '--bind and --app exclude each other.',
    );
    assert.equal(
      said('--verbose=true cannot also be provided when using --quiet'),
      '--verbose and --quiet exclude each other.',
    );
  });

  it('name the arguments that are missing as the help writes them', () => {
    const message =
      'Missing 2 required args:\napp  The app.\nconnection  NAMESPACE/NAME.\nSee more help with --help';
    const args = [{ name: 'app' }, { name: 'connection' }];
    const error = usageError(Object.assign(new Error(message), { oclif: {}, args }), {
      ...{ id: 'app:attach', flagNames: [] },
    });
    assert.ok(error instanceof Error);
    assert.equal(error.message, 'hcm app attach needs APP and CONNECTION.');
  });
});
