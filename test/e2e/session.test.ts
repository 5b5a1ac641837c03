// A whole session as somebody types it, against a local Azure that one command starts: from signing in to bytes that flow,
// and until nothing of it is left.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { ask, portOf, RelayHome, startServer } from './relay-home.ts';

type Json = Record<string, unknown>;

const CONNECTION = 'session-relay/db';
/** Roughly twice what it takes on a slow machine. */
const TIMEOUT_MS = 60_000;

describe('a session with hcm', function () {
  this.timeout(TIMEOUT_MS);
  const home = new RelayHome();
  let target: Server = createServer();

  before(async () => {
    target = await startServer((socket: Socket) => void socket.pipe(socket));
  });
  after(async () => {
    target.close();
    await home.remove();
  });

  /** Runs it with --json to its end, with status 0, and gives the one document on stdout. */
  async function json<T = Json>(line: string, env: Record<string, string> = {}): Promise<T> {
    const { status, stdout, stderr } = await home.run([...line.split(' '), '--json'], {
      env: { HCM_CLOUD: 'local', ...env },
    });
    assert.equal(status, 0, `hcm ${line}: ${stderr}${stdout}`);
    assert.equal(stdout.indexOf('\n'), stdout.length - 1, `hcm ${line} prints one document`);
    return JSON.parse(stdout) as T;
  }

  /** How many requests have asked the emulator's Resource Manager to change something. */
  const writes = () => home.emulator.lines.filter(({ event, write }) => event === 'arm' && write).length;

  it('goes from login to bytes that flow, and to destroy', async () => {
    const startedAtMs = performance.now();
    home.emulator = home.start(['emulator', 'start', '--port', '0', '--json']);
    const ready = await home.emulator.event('ready');
    const login = await json('login --service-principal', {
      AZURE_TENANT_ID: String(ready['tenantId']),
      AZURE_CLIENT_ID: String(ready['clientId']),
      AZURE_CLIENT_SECRET: String(ready['clientSecret']),
    });
    assert.deepEqual([login['method'], login['subscriptionName']], ['service-principal', 'Local']);

    const made = await json('namespace create session-relay --resource-group local');
    assert.deepEqual([made['changed'], made['ready']], [true, true]);
    const at = `127.0.0.1:${portOf(target)}`;
    await json(`connection create ${CONNECTION} --target ${at}`);
    assert.equal((await json(`app attach local-app ${CONNECTION}`))['changed'], true);

    const cloud = { HCM_CLOUD: 'local' };
    const listener = home.start(['listen', CONNECTION, '--json'], cloud);
    await listener.event('online');
    const forward = home.start(['forward', CONNECTION, '--json'], cloud);
    const { bind } = await forward.event('ready');
    const port = Number(String(bind).split(':').at(-1));
    assert.equal(String(await ask(port, 'there and back')), 'there and back');

    const shown = await json<{ listenerCount: number; target: string; apps: Json[] }>(
      `connection show ${CONNECTION}`,
    );
    assert.deepEqual([shown.listenerCount, shown.target], [1, at]);
    assert.deepEqual(
      shown.apps.map(({ name, sendKey }) => [name, sendKey]),
      [['local-app', 'primary']],
    );

    const rotated = await json<{ steps: Json[] }>(`key rotate ${CONNECTION} --rule defaultSender --yes`);
    assert.deepEqual(
      rotated.steps.map(({ step }) => step),
      ['move', 'regenerate'],
    );
    assert.equal(String(await ask(port, 'with a new key')), 'with a new key');

    writeFileSync(
      home.path('hcm.yaml'),
      `azure:
  resourceGroup: local
  namespaces:
    session-relay:
      connections:
        db: { target: '${at}', apps: [local-app] }
        web: { target: 'web.corp.local:443' }
`,
    );
    const applied = await json<{ actions: { name: string }[]; changed: number; applied: number }>('apply');
    assert.equal(applied.applied, applied.changed);
    assert.ok(applied.changed > 0);
    assert.doesNotMatch(JSON.stringify(applied.actions), /session-relay\/db/);
    const written = writes();
    const again = await json<typeof applied>('apply');
    assert.deepEqual([again.actions, again.changed, again.applied], [[], 0, 0]);
    assert.equal(writes(), written);

    const ends = await Promise.all([forward.interrupt(), listener.interrupt()]);
    assert.deepEqual(
      ends.map(({ status }) => status),
      [0, 0],
    );
    assert.deepEqual((await json<{ kept: unknown[] }>('destroy --yes')).kept, []);
    const left = await json<Json[]>('namespace list');
    assert.deepEqual(
      left.map(({ name }) => name),
      ['local-relay'],
    );
    assert.equal((await home.emulator.interrupt()).status, 0);
    console.log(`      it took ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`);
  });
});
