// `hcm add`: what is typed either reaches the manager, is for this command alone and says so, or is refused.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import Add from '../../../../../src/commands/add.ts';
import { addConnection, type AddFlags } from '../../../../../src/lib/cli/manager/run-add.ts';
import { Output } from '../../../../../src/lib/cli/output.ts';
import type { ControlClient } from '../../../../../src/manager/control/control-client.ts';
import type { AddRequest } from '../../../../../src/manager/control/operations.ts';
import { written } from '../../../../helpers/written.ts';

const STRING = 'Endpoint=sb://localhost:1/;SharedAccessKeyName=l;SharedAccessKey=a2V5';

describe('hcm add', () => {
  async function add(
    argument: string | undefined,
    flags: Partial<AddFlags>,
    typed: readonly string[] = [],
    env: Record<string, string> = {},
  ) {
    const stderr = new PassThrough();
    const sent: AddRequest[] = [];
    const client = {
      describe: () => Promise.resolve({}),
      add: (request: AddRequest) => {
        sent.push(request);
        return Promise.resolve({ changed: true, replaced: false, connection: {} });
      },
    } as unknown as ControlClient;
    await addConnection({
      ...{ client, argument, typed, network: {}, env },
      flags: { entra: false, ...flags },
      output: new Output({ stdout: new PassThrough(), stderr, env: {} }),
    });
    return { sent: sent[0], stderr: written(stderr) };
  }

  it('stores the idle timeout of a listener and of a forward', async () => {
    const listener = await add('my-relay/db', { target: 'db:1', 'idle-timeout': '5m' });
    assert.deepEqual(listener.sent?.entry, { target: 'db:1', idleTimeout: '5m' });
    const forward = await add('my-relay/db', { bind: '0', 'idle-timeout': '1h' });
    assert.deepEqual(forward.sent?.entry, { bind: '0', idleTimeout: '1h' });
    const wrong = { target: 'db:1', 'idle-timeout': '5' };
    await assert.rejects(add('my-relay/db', wrong), { code: 'HCM_USAGE', message: /not a duration/ });
  });

  it('has no flag of a tunnel that the manager would not go by', () => {
    const names = Object.keys(Add.flags);
    for (const gone of ['keepalive', 'grace-period']) assert.ok(!names.includes(gone), gone);
    const own = ['cloud', 'auth', 'tenant', 'subscription', 'resource-group', 'proxy', 'proxy-password-file'];
    const flags = Object.entries(Add.flags) as [string, { helpGroup?: string }][];
    assert.deepEqual(
      flags.flatMap(([name, { helpGroup }]) => (helpGroup === 'TARGET LOOK-UP' ? [name] : [])).sort(),
      [...own, 'ca-file', 'connect-timeout'].sort(),
    );
  });

  it("says so where a flag is for nothing; a variable and Microsoft's flags are no such matter", async () => {
    const flags = { target: 'db:1', cloud: 'usgov', proxy: 'off', subscription: 'one' };
    const { stderr } = await add('my-relay/db', flags, ['target', 'cloud', 'proxy', 'subscription']);
    assert.match(stderr, /--cloud, --proxy: not needed here/);
    assert.equal((await add('my-relay/db', flags, ['target', 'subscription'])).stderr, '');
  });

  it('calls a namespace by its first label, and by its host where that is typed', async () => {
    const string = STRING.replace('localhost:1', 'my-relay.servicebus.chinacloudapi.cn').concat(
      ';EntityPath=db',
    );
    const flags = { target: 'db:1' };
    const named = async (argument?: string) =>
      (await add(argument, flags, [], { HCM_CONNECTION_STRING: string })).sent?.connection;
    assert.equal(await named(), 'my-relay/db');
    assert.equal(await named('my-relay/db'), 'my-relay/db');
    assert.equal(
      await named('My-Relay.servicebus.chinacloudapi.cn/db'),
      'my-relay.servicebus.chinacloudapi.cn/db',
    );
    for (const wrong of ['other-relay/db', 'my-relay.servicebus.windows.net/db'])
      await assert.rejects(named(wrong), {
        code: 'HCM_CONNECTION_INVALID',
        message: /is for my-relay\.servicebus\.chinacloudapi\.cn, but the namespace "[\w.-]+" was asked for/,
      });
  });

  it('takes a name once', async () => {
    const bind = { bind: '0' };
    const same = [
      add('my-relay/db', bind),
      add('db', { ...bind, namespace: 'my-relay' }),
      add(undefined, { ...bind, namespace: 'my-relay', name: 'db' }),
    ];
    for (const { sent } of await Promise.all(same)) assert.equal(sent?.connection, 'my-relay/db');
    for (const twice of [{ name: 'x' }, { name: 'x', namespace: 'my-relay' }]) {
      const wanted = { code: 'HCM_USAGE', message: /not clear/ };
      await assert.rejects(add('my-relay/db', { ...bind, ...twice }), wanted);
    }
  });

  it('takes the name of a flag beside the connection string of a namespace', async () => {
    const { sent } = await add(STRING, { bind: '0', name: 'db' });
    assert.deepEqual([sent?.connection, sent?.connectionString], ['localhost/db', STRING]);
    const other = add(`${STRING};EntityPath=web`, { bind: '0', name: 'db' });
    await assert.rejects(other, { code: 'HCM_CONNECTION_INVALID' });
  });

  it("keeps the name that was typed beside an emulator's connection string, which any namespace may have", async () => {
    const env = { HCM_CONNECTION_STRING: `${STRING};EntityPath=db` };
    const typed = await add('local-relay/db', { bind: '0' }, [], env);
    assert.equal(typed.sent?.connection, 'local-relay/db');
    const untyped = await add(undefined, { bind: '0' }, [], env);
    assert.equal(untyped.sent?.connection, 'localhost/db');
  });
});
