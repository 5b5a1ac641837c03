// The manager has a cloud and a sign-in of its own: where they fail, it says which.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { openManaged, signedInHost } from '../../../../../src/lib/cli/manager/open-managed.ts';
import { Output } from '../../../../../src/lib/cli/output.ts';
import { HcmError, type ErrorCode } from '../../../../../src/protocol/errors.ts';
import { specOf } from '../../../../helpers/fake-tunnels.ts';

const STRING =
  'Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=l;SharedAccessKey=a2V5;EntityPath=db';

describe('how the manager proves who it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hcm-open-'));
  after(() => rmSync(folder, { recursive: true }));

  const open = (secret: string | undefined, failsWith?: ErrorCode) =>
    openManaged(specOf('listen my-relay/db', { source: 'store' }), {
      flags: { entra: false, cloud: 'usgov' },
      output: new Output({ stdout: new PassThrough(), stderr: new PassThrough(), env: {} }),
      store: { secret: () => Promise.resolve(secret) },
      file: undefined,
      env: { HCM_STATE_DIR: folder },
      ...(failsWith && { open: () => Promise.reject(new HcmError(failsWith, 'Nobody is signed in.')) }),
    });

  it('by the key that it keeps, and asks nobody then', async () => {
    const { path, tokens } = await open(STRING);
    assert.equal(path, 'db');
    assert.ok(tokens);
  });

  it('names the cloud that it asked in vain, and a remedy for that cloud', async () => {
    for (const code of ['HCM_TOKEN_MISSING', 'HCM_SIGN_IN_REQUIRED'] as const) {
      const next =
        "hcm add my-relay/db … --connection-string-file FILE; or sign in as the manager's user: hcm login --cloud usgov, then hcm restart my-relay/db";
      await assert.rejects(open(undefined, code), (error: HcmError) => {
        assert.deepEqual([error.code, error.details['next']], [code, next]);
        assert.equal(error.message, 'Nobody is signed in. The manager asks the cloud "usgov".');
        return true;
      });
    }
  });

  it('blames no cloud for a key that it has, or for what is no matter of signing in', async () => {
    await assert.rejects(open(STRING, 'HCM_TOKEN_MISSING'), { message: 'Nobody is signed in.' });
    await assert.rejects(open(undefined, 'HCM_DNS_FAILED'), { message: 'Nobody is signed in.' });
  });

  it('blames no file for a key that it keeps', async () => {
    await assert.rejects(open(STRING.replace('//my-', '//other-')), {
      message:
        'The connection string is for other-relay.servicebus.windows.net, but the namespace "my-relay" was asked for.',
    });
  });

  it('knows the relay of a connection without a key by its own cloud', async () => {
    const hostOf = (connection: string, cloud: string) =>
      signedInHost(connection, { flags: { entra: false, cloud }, env: { HCM_STATE_DIR: folder } });
    assert.equal(await hostOf('My-Relay/db', 'usgov'), 'my-relay.servicebus.usgovcloudapi.net');
    assert.equal(
      await hostOf('my-relay.servicebus.windows.net:443/db', 'usgov'),
      'my-relay.servicebus.windows.net',
    );
    assert.equal(await hostOf('my-relay/db', 'nowhere'), undefined);
  });
});
