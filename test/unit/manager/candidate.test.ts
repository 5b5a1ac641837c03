import assert from 'node:assert/strict';
import { namedTarget } from '../../../src/manager/candidate.ts';
import type { AddRequest } from '../../../src/manager/control/operations.ts';
import { accessOf } from '../../../src/manager/specs.ts';
import type { ConnectionSpec, TargetQuestions } from '../../../src/manager/tunnel.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

const STRING =
  'Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=l;SharedAccessKey=c2VjcmV0;EntityPath=db';
const REQUEST: AddRequest = {
  role: 'listener',
  connection: 'my-relay/db',
  connectionString: STRING,
  entry: {},
};

describe('a connection that is about to be added', () => {
  const clock = new FakeClock();
  const asked: ConnectionSpec[] = [];
  const answering = (read: TargetQuestions['read']) => ({
    folder: '/nowhere',
    clock,
    targets: { read, probe: () => Promise.resolve(), reach: () => Promise.resolve() },
  });
  const naming = (target: string | undefined) =>
    answering((spec) => {
      asked.push(spec);
      return Promise.resolve(target);
    });

  it('is told the target that Azure names, with the key that was typed', async () => {
    assert.equal(await namedTarget(REQUEST, naming('db.corp:5432')), 'db.corp:5432');
    const [spec] = asked;
    assert.equal(spec?.connection, 'my-relay/db');
    const access = spec && accessOf(spec);
    assert.ok(access?.kind === 'variable' && access.text === STRING);
  });

  it('is told when Azure names none, and when it does not answer', async () => {
    await assert.rejects(namedTarget(REQUEST, naming(undefined)), { code: 'HCM_TARGET_MISSING' });
    const silent = answering(
      (_spec, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          clock.advance(25_000);
        }),
    );
    await assert.rejects(namedTarget(REQUEST, silent), { code: 'HCM_CONNECT_TIMEOUT' });
  });

  it('tells bad input as that of whoever asks, and not of a file', async () => {
    const broken = { ...REQUEST, connectionString: STRING.replace('Endpoint=', '') };
    await assert.rejects(namedTarget(broken, naming('a:1')), (error: HcmError) => {
      assert.equal(error.code, 'HCM_CONNECTION_STRING_INVALID');
      return !error.message.includes('hcm.yaml');
    });
    await assert.rejects(namedTarget({ ...REQUEST, role: 'forward' }, naming('a:1')), { code: 'HCM_USAGE' });
    await namedTarget({ role: 'listener', connection: 'my-relay/db', entry: {} }, naming('a:1'));
    assert.equal(asked.at(-1)?.source, 'store', 'the way to a key is hcm add');
  });

  it('reads no file for whoever asks, and gives the relay its word', async () => {
    const reaching = { ...REQUEST, entry: { connectionStringFile: '/etc/shadow' } };
    await assert.rejects(namedTarget(reaching, naming('a:1')), { code: 'HCM_USAGE' });
    const refusing = answering(() => Promise.reject(new HcmError('HCM_TOKEN_SIGNATURE', 'no')));
    await assert.rejects(namedTarget(REQUEST, refusing), { message: 'no' });
  });
});
