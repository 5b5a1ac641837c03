import assert from 'node:assert/strict';
import { usageError } from '../../../../src/lib/cli/usage-error.ts';

describe('errors of the parser', () => {
  it('say what is missing, without the frame around it', () => {
    const message =
      'The following error occurred:\n  Missing required flag endpoint\nSee more help with --help';
    const error = usageError(Object.assign(new Error(message), { oclif: {} }), {
      ...{ id: 'cloud:add', flagNames: [] },
    });
    assert.ok(error instanceof Error);
    assert.equal(error.message, 'Missing required flag endpoint');
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
