// The wizard where nobody sits: the program with every flag, with too few, and stopped.
import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { answerReversed, portOf, RelayHome, startServer } from './relay-home.ts';

const LOCAL = { HCM_CLOUD: 'local' };

describe('hcm setup without a terminal', () => {
  const home = new RelayHome();
  let server: Server;
  let target: string;

  before(async () => {
    server = await startServer(answerReversed);
    target = `127.0.0.1:${portOf(server)}`;
    home.emulator = home.start(['emulator', 'start', '--port', '0', '--ephemeral', '--register', '--json']);
    home.ready = await home.emulator.event('ready');
  });
  after(async () => {
    server.close();
    await home.remove();
  });

  it('with every flag it attaches, listens, and stops in peace', async () => {
    const place = ['--namespace', 'local-relay', '--name', 'db', '--listen', '--yes'];
    const setup = home.start(['setup', '--app', 'local-app', '--target', target, ...place], LOCAL);
    await setup.answers('local-app reaches');
    await setup.says('online local-relay.servicebus.localhost/db');
    const asked = await home.run(['connect', 'local-relay/db'], { env: LOCAL, stdin: 'abc' });
    assert.equal(asked.stdout, 'cba', asked.stderr);
    const { status, stdout, stderr } = await setup.interrupt();
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `local-app reaches ${target} through local-relay/db.\n`);
  });

  it('with too few it asks nothing, changes nothing, and names the flag', async () => {
    const { status, stdout } = await home.run(['setup', '--no-app', '--json'], { env: LOCAL });
    const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
    assert.deepEqual(
      [status, error['code'], error['next']],
      [2, 'HCM_INPUT_NEEDED', 'Add --target HOST:PORT'],
    );
    const args = ['setup', '--no-app', '--target', target, '--namespace', 'local-relay', '--no-input'];
    const ended = await home.run(args, { env: LOCAL });
    assert.equal(ended.status, 2);
    assert.match(ended.stderr, /What will be done[^]+Next: +Add --yes/);
  });

  it('Ctrl-C while it looks around ends it at once, with nothing changed', async () => {
    home.emulator.kill('SIGSTOP');
    try {
      const setup = home.start(['setup', '--app', 'local-app'], LOCAL);
      await setup.says('looking whether you are signed in');
      const { status, stderr } = await setup.interrupt();
      assert.equal(status, 130, stderr);
      assert.match(stderr, /The wizard was left, and nothing was changed/);
    } finally {
      home.emulator.kill('SIGCONT');
    }
  });

  it('--json is one document, so it does not listen', async () => {
    const { status, stdout } = await home.run(['setup', '--json', '--listen'], { env: LOCAL });
    const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
    assert.deepEqual([status, error['code']], [2, 'HCM_USAGE']);
  });
});
