// hcm firewall as a user runs it. What Azure's DNS tells is a matter of the unit tests; here no name resolves but loopback.
import assert from 'node:assert/strict';
import { RelayHome } from './relay-home.ts';

describe('hcm firewall', () => {
  const home = new RelayHome();
  before(() => home.startEmulator('db'));
  after(() => home.remove());

  const port = () => Number(/:(\d+)\//.exec(String(home.ready['endpoint']))?.[1]);

  it('for the emulator, prints its one port and says that nothing is needed', async () => {
    const { status, stdout, stderr } = await home.run([
      'firewall',
      '--connection-string-file',
      'db-listen.txt',
    ]);
    assert.deepEqual([status, stdout], [0, `localhost ${port()}\n`]);
    assert.match(stderr, /no firewall need let anything out/);
  });

  it('--test connects to it, TLS included', async () => {
    const { status, stdout } = await home.run(['firewall', `localhost:${port()}/db`, '--test']);
    assert.deepEqual([status, stdout], [0, `localhost ${port()} ok\n`]);
  });

  it('--test has the status of what cannot be reached, and names it', async () => {
    const { status, stdout, stderr } = await home.run(['firewall', 'localhost:1', '--test']);
    assert.deepEqual([status, stdout], [4, 'localhost 1 HCM_CONNECT_REFUSED\n']);
    assert.match(stderr, /Blocked: localhost:1: localhost:1 refused the connection/);
  });

  it('--json is one document', async () => {
    const { status, stdout } = await home.run(['firewall', `localhost:${port()}`, '--test', '--json']);
    const { host, local, relay, azure, exitStatus } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([status, exitStatus, host, local, azure], [0, 0, 'localhost', true, []]);
    const [first] = relay as Record<string, unknown>[];
    assert.deepEqual(
      [first?.['host'], first?.['port'], first?.['purpose'], first?.['test']],
      ['localhost', String(port()), 'namespace', 'ok'],
    );
  });

  it('a namespace whose gateways DNS does not tell gets the wildcard, and its own cloud’s hosts', async () => {
    const { status, stdout, stderr } = await home.run([
      'firewall',
      'no-such-relay.servicebus.chinacloudapi.cn/db',
    ]);
    assert.equal(status, 0);
    assert.deepEqual(stdout.split('\n'), [
      'no-such-relay.servicebus.chinacloudapi.cn 443',
      '',
      'login.chinacloudapi.cn 443',
      'management.chinacloudapi.cn 443',
      '',
    ]);
    assert.match(stderr, /Let out \*\.servicebus\.chinacloudapi\.cn 443/);
  });

  it('a connection string on the command line is refused without being repeated', async () => {
    const { status, stdout, stderr } = await home.run([
      'firewall',
      'Endpoint=sb://x/;SharedAccessKey=c2VjcmV0',
    ]);
    assert.deepEqual([status, stdout], [2, '']);
    assert.doesNotMatch(stderr, /c2VjcmV0/);
  });

  it('without a namespace it says what to type', async () => {
    const { status, stderr } = await home.run(['firewall']);
    assert.equal(status, 2);
    assert.match(stderr, /hcm firewall NAMESPACE/);
  });
});
