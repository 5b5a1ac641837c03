import assert from 'node:assert/strict';
import { tunnelEnvironment, withoutSecrets } from '../../../../src/lib/cli/child-process.ts';
import { environmentOf } from '../../../../src/lib/cli/run-forward.ts';

describe('the environment of -- COMMAND', () => {
  it('has none of our secrets, and all else', () => {
    const env = {
      ...{ HCM_CONNECTION_STRING: 's', HCM_PROXY_PASSWORD: 's', HCM_CLIENT_SECRET: 's', HCM_TOKEN: 's' },
      ...{ HCM_PROXY: 'http://user:s@proxy:3128', hcm_proxy: 's', HCM_CREDENTIALS_DB: 's' },
      ...{ HCM_STATE_DIR: '/s', PATH: '/bin', DB_PASSWORD: 'its own' },
    };
    assert.deepEqual(Object.keys(withoutSecrets(env)), ['HCM_STATE_DIR', 'PATH', 'DB_PASSWORD']);
  });

  it('has the address of the first connection, and of each by name', () => {
    const env = tunnelEnvironment([
      { name: 'db', bind: '127.0.0.1:1433' },
      { name: 'a/b.c', bind: '[::1]:80' },
    ]);
    assert.deepEqual(
      [
        env['HCM_BIND'],
        env['HCM_HOST'],
        env['HCM_PORT'],
        env['HCM_PORT_DB'],
        env['HCM_HOST_A_B_C'],
        env['HCM_PORT_A_B_C'],
      ],
      ['127.0.0.1:1433', '127.0.0.1', '1433', '1433', '::1', '80'],
    );
  });

  it('has the namespace in front of the name that two connections share', () => {
    const open = (namespace: string, path: string, bind: string) => ({
      connection: { endpoint: { host: `${namespace}.servicebus.windows.net`, port: 443 }, path },
      port: { bind },
    });
    const env = environmentOf([
      open('one-relay', 'db', '127.0.0.2:1'),
      open('two', 'DB', '127.0.0.3:2'),
      open('two', 'web', '127.0.0.4:3'),
    ]);
    assert.deepEqual(
      Object.keys(env).filter((name) => name.startsWith('HCM_PORT')),
      ['HCM_PORT', 'HCM_PORT_ONE_RELAY_DB', 'HCM_PORT_TWO_DB', 'HCM_PORT_WEB'],
    );
  });

  it('has logical ports by their names, with the connection in front of a name that two have', () => {
    const open = (path: string, logicalPort: string | undefined, bind: string) => ({
      connection: { endpoint: { host: 'my-relay.servicebus.windows.net', port: 443 }, path },
      ...{ logicalPort, port: { bind } },
    });
    const env = environmentOf([
      open('one', 'db', '127.0.0.1:1'),
      open('one', 'dns', 'udp:127.0.0.1:2'),
      open('two', 'DB', '127.0.0.1:3'),
      open('web', undefined, '127.0.0.1:4'),
    ]);
    assert.deepEqual(
      Object.entries(env).filter(([name]) => name.startsWith('HCM_PORT')),
      [
        ['HCM_PORT', '1'],
        ['HCM_PORT_ONE_DB', '1'],
        ['HCM_PORT_DNS', '2'],
        ['HCM_PORT_TWO_DB', '3'],
        ['HCM_PORT_WEB', '4'],
      ],
    );
    assert.deepEqual([env['HCM_HOST_DNS'], env['HCM_BIND_DNS']], ['127.0.0.1', 'udp:127.0.0.1:2']);
  });

  it('has the path of a Unix socket, which has no port', () => {
    assert.deepEqual(tunnelEnvironment([{ name: 'db', bind: 'unix:/tmp/s' }]), {
      HCM_BIND: 'unix:/tmp/s',
      HCM_BIND_DB: 'unix:/tmp/s',
    });
  });

  it('has the URL of a port that speaks HTTP', () => {
    const env = tunnelEnvironment([{ name: 'web', bind: '127.0.0.1:8080', url: 'http://127.0.0.1:8080/' }]);
    assert.equal(env['HCM_URL'], 'http://127.0.0.1:8080/');
    assert.equal(env['HCM_URL_WEB'], 'http://127.0.0.1:8080/');
    assert.equal(env['HCM_PORT'], '8080');
  });
});
