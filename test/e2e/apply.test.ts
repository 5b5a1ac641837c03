// hcm.yaml applied by the program, killed and interrupted in the middle, and destroyed. The emulator runs in this
// process, so that the end comes exactly at a write.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createEmulator, type Emulator, type EmulatorEvent } from '../../src/emulator/create-emulator.ts';
import { registerLocalCloud } from '../../src/lib/auth/local-cloud.ts';
import { statePaths } from '../../src/lib/config/paths.ts';
import { HcmHome, type HcmProcess } from './hcm-process.ts';

const FILE = `
azure:
  resourceGroup: local
  namespaces:
    my-relay:
      connections:
        sql:
          target: \${DB_HOST}:1433
          apps: [local-app]
`;

describe('hcm apply, diff and destroy', () => {
  const home = new HcmHome();
  const env = { HCM_CLOUD: 'local', DB_HOST: 'db.corp.local' };
  let emulator: Emulator;
  let onWrite: () => void = () => undefined;

  before(async () => {
    emulator = await createEmulator({
      behaviour: { provisioningMs: 0, removalMs: 0 },
      onEvent: (event: EmulatorEvent) => {
        if (event.event === 'arm' && event.write) onWrite();
      },
    });
    const { directory, caDirectory } = statePaths(home.env);
    mkdirSync(caDirectory, { recursive: true });
    writeFileSync(`${caDirectory}/ca.pem`, emulator.caPem);
    await registerLocalCloud(directory, { ...emulator.state, port: emulator.port });
    writeFileSync(home.path('hcm.yaml'), FILE);
  });
  after(async () => {
    await home.remove();
    await emulator.stop();
  });

  /** Starts it, and does this at its write of this number. */
  function start(args: readonly string[], write: number, act: (running: HcmProcess) => void): HcmProcess {
    const running = home.start(args, env);
    let seen = 0;
    onWrite = () => {
      seen += 1;
      if (seen === write) act(running);
    };
    return running;
  }

  /** Runs to its end; resolves with its status and the one document on stdout. */
  async function json(
    ...args: string[]
  ): Promise<{ status: number | null; document: Record<string, unknown> }> {
    onWrite = () => undefined;
    const { status, stdout } = await home.run([...args, '--json'], { env });
    return { status, document: JSON.parse(stdout) as Record<string, unknown> };
  }

  const namespace = () => emulator.state.namespaces.find(({ name }) => name === 'my-relay');

  it('apply goes on where it was killed, and where Ctrl-C ended it', async () => {
    const killed = start(['apply'], 2, (running) => running.kill('SIGKILL'));
    assert.equal((await killed.ended).signal, 'SIGKILL');
    assert.equal(namespace()?.connections.length, 1);

    const interrupted = start(['apply'], 1, (running) => running.kill('SIGINT'));
    const { status, stderr } = await interrupted.ended;
    assert.equal(status, 130);
    assert.match(stderr, /Interrupted at: create .* The same command goes on from there\./);
    assert.match(stderr, /^HCM_INTERRUPTED, see/m);

    const { status: done, document } = await json('apply');
    assert.equal(done, 0);
    assert.deepEqual(document['changed'], document['applied']);
    const connection = namespace()?.connections[0];
    assert.equal(connection?.userMetadata, '[{"key":"endpoint","value":"db.corp.local:1433"}]');
    assert.deepEqual(
      connection.rules.map(({ name }) => name),
      ['defaultListener', 'defaultSender'],
    );
    const writes = emulator.armWrites;
    assert.deepEqual((await json('apply')).document, { actions: [], changed: 0, applied: 0, warnings: [] });
    assert.equal(emulator.armWrites, writes);
  });

  it('diff shows what differs, and ends with status 5 when that is asked for', async () => {
    writeFileSync(home.path('other.yaml'), FILE.replace('1433', '5432'));
    const { status, stdout } = await home.run(['diff', '--file', 'other.yaml', '--exit-code'], { env });
    assert.equal(status, 5);
    assert.match(
      stdout,
      /^~ attachment {2}local-app to my-relay\/sql {2}target db\.corp\.local:1433 -> db\.corp\.local:5432$/m,
    );
  });

  it('destroy wants a yes, and leaves nothing', async () => {
    const { status, document } = await json('destroy');
    assert.equal(status, 2);
    assert.equal((document['error'] as { code: string }).code, 'HCM_CONFIRMATION_NEEDED');
    const done = await json('destroy', '--yes');
    assert.equal(done.status, 0);
    assert.deepEqual([done.document['applied'], done.document['kept']], [3, []]);
    assert.equal(namespace(), undefined);
  });

  it('a file from stdin that wants a variable which is missing is refused with its place', async () => {
    const options = { env: { HCM_CLOUD: 'local' }, stdin: FILE };
    const { status, stderr } = await home.run(['apply', '--file', '-'], options);
    assert.equal(status, 2);
    assert.match(stderr, /^Error: stdin:8:19: DB_HOST is not set in the environment, or is empty\.$/m);
  });
});
