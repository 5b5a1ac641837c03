// hcm doctor as a user runs it: one line a proof, one JSON document, the status of the first failure, the bundle, and
// no secret anywhere.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { strFromU8, unzipSync } from 'fflate';
import { TestProxy } from '../helpers/proxies.ts';
import { answerReversed, portOf, RelayHome, startServer } from './relay-home.ts';

interface Proof {
  proof: string;
  result: string;
  seen: string;
  code?: string;
  next?: string;
}
interface Report {
  connection?: string;
  result: string;
  exitStatus: number;
  failed?: string;
  bundle?: string;
  proofs: Proof[];
}

describe('hcm doctor', () => {
  const home = new RelayHome();
  let target: Server;

  before(async () => {
    target = await startServer(answerReversed);
    await home.startEmulator('up', 'nobody');
    await home.listen('up', target);
  });
  after(async () => {
    target.close();
    await home.remove();
  });

  const both = (name: string) =>
    ['listen', 'send'].flatMap((role) => ['--connection-string-file', `${name}-${role}.txt`]);
  const doctor = (...args: string[]) => home.run(['doctor', ...args]);
  const keys = () =>
    home.connections.flatMap(({ listenerConnectionString, senderConnectionString }) =>
      [listenerConnectionString, senderConnectionString].map(
        (text) => /SharedAccessKey=([^;]+)/.exec(text)?.[1] ?? 'no key',
      ),
    );

  it('has a line for each proof, goes through to the target, and ends with 0', async () => {
    const { status, stdout, stderr } = await doctor(...both('up'), '--target', `127.0.0.1:${portOf(target)}`);
    assert.equal(status, 0, stdout + stderr);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^✓ This machine +hcm \d/);
    assert.match(lines.at(-1) ?? '', /^✓ Through the relay and back +open after \d+ ms/);
    assert.match(stderr, /Nothing that was tried failed/);
  });

  it('with --json prints one document, and has the status of the first failure', async () => {
    const { status, stdout } = await doctor(...both('nobody'), '--json');
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual(
      [status, report.exitStatus, report.result, report.connection],
      [2, 2, 'failed', 'localhost/nobody'],
    );
    // It has neither a target nor a listener; the metadata is looked at first.
    const failures = report.proofs.filter(({ result }) => result === 'failed');
    assert.deepEqual(
      failures.map(({ proof, code }) => [proof, code]),
      [
        ['metadata', 'HCM_TARGET_MISSING'],
        ['listeners', 'HCM_NO_LISTENER'],
      ],
    );
    assert.match(failures[0]?.next ?? '', /^Say where it goes: --target HOST:PORT$/);
  });

  it('says on stdout and stderr what to do', async () => {
    const { status, stdout, stderr } = await doctor(
      ...both('nobody'),
      '--target',
      '127.0.0.1:1',
      '--side',
      'sender',
    );
    assert.equal(status, 4);
    assert.match(stdout, /^✗ Listeners +No listener is connected to "nobody"$/m);
    assert.match(
      stdout,
      /^ +Next: Start a listener on the private side: hcm listen --connection-string-file FILE --target/m,
    );
    assert.match(stderr, /Failed first: Listeners \(HCM_NO_LISTENER\)/);
  });

  it('without CONNECTION looks at the machine, and says how to go on', async () => {
    const { status, stdout, stderr } = await doctor();
    assert.equal(status, 0);
    assert.match(stdout, /^✓ This machine [^\n]*\n$/);
    assert.match(stderr, /Next: hcm doctor NAMESPACE\/NAME/);
  });

  it('examines the way when there is no key, and the first thing wrong is what it says', async () => {
    const { status, stdout } = await doctor(
      'no-such-relay.invalid/db',
      '--auth',
      'env',
      '--proxy',
      'off',
      '--json',
    );
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual([status, report.failed], [4, 'dns']);
  });

  it('a token that cannot be had is the first failure where the way is good', async () => {
    const { port } = new URL(String(home.ready['endpoint']).replace('sb:', 'https:'));
    const { status, stdout } = await doctor(`localhost:${port}/up`, '--auth', 'env', '--json');
    const { failed, proofs } = JSON.parse(stdout) as Report;
    const token = proofs.find(({ proof }) => proof === 'token');
    assert.deepEqual([status, failed, token?.code], [3, 'token', 'HCM_TOKEN_MISSING']);
  });

  it('the bundle is a zip for its owner alone, and holds none of the keys', async () => {
    writeFileSync(home.path('hcm.yaml'), `azure: {}\n# ${keys()[0]}\n`);
    const proxy = 'http://proxy-user:pr0xy-passw0rd@proxy.corp:3128';
    const process = home.start(['doctor', ...both('up'), '--bundle', 'support.zip'], {
      ...{ HTTPS_PROXY: proxy, AZURE_CLIENT_SECRET: 'c1ient~s3cret' },
    });
    const { status, stderr } = await process.ended;
    assert.equal(status, 2, stderr);
    assert.match(stderr, /For support, without secrets: support\.zip/);
    const path = home.path('support.zip');
    if (globalThis.process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
    const files = Object.entries(unzipSync(readFileSync(path))).map(
      ([name, bytes]) => [name, strFromU8(bytes)] as const,
    );
    assert.ok(files.length >= 6, `${files.length} files`);
    const secrets = [...keys(), 'pr0xy-passw0rd', 'proxy-user', 'c1ient~s3cret'];
    const leaks = files.flatMap(([name, text]) =>
      secrets.flatMap((secret) => (text.includes(secret) ? [name] : [])),
    );
    assert.deepEqual(leaks, []);
  });

  it('a bundle that exists is not overwritten, and nothing is tried before that is said', async () => {
    writeFileSync(home.path('mine.zip'), 'mine');
    const { status, stdout, stderr } = await doctor(...both('up'), '--bundle', 'mine.zip');
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /mine\.zip exists/);
    assert.equal(readFileSync(home.path('mine.zip'), 'utf8'), 'mine');
  });

  it('--bundle alone makes a name, whatever stands behind it', async () => {
    const { stdout } = await doctor('--bundle', '--json');
    const { bundle = '' } = JSON.parse(stdout) as Report;
    assert.match(bundle, /^hcm-doctor-[\dT-]+\.zip$/);
    assert.ok(existsSync(home.path(bundle)));
  });

  it('no key, token or password of a proxy is in anything that it prints', async () => {
    const [username, password] = ['me-myself', 'pr0xy-passw0rd'];
    const proxy = await TestProxy.start('http', { toPort: 1, username, password: 'another' });
    const { port } = proxy.address();
    const string = `Endpoint=sb://relay.corp.example/;SharedAccessKeyName=send;SharedAccessKey=c2VjcmV0LWtleQ==;EntityPath=db`;
    const process = home.start(['doctor', '--json', '--verbose'], {
      HCM_CONNECTION_STRING: string,
      HTTPS_PROXY: `http://${username}:${password}@127.0.0.1:${port}`,
    });
    const { status, stdout, stderr } = await process.ended;
    await proxy.stop();
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual([status, report.failed], [4, 'proxy']);
    assert.equal(report.proofs.find(({ proof }) => proof === 'proxy')?.code, 'HCM_PROXY_AUTH_REQUIRED');
    for (const secret of [password, 'c2VjcmV0LWtleQ', 'sig='])
      assert.ok(!(stdout + stderr).includes(secret), secret);
  });

  it('two different hybrid connections are refused', async () => {
    const files = [
      '--connection-string-file',
      'up-listen.txt',
      '--connection-string-file',
      'nobody-send.txt',
    ];
    const { status, stderr } = await doctor(...files);
    assert.equal(status, 2);
    assert.match(stderr, /different hybrid connections/);
  });

  it('Ctrl-C ends it at once with 130', async () => {
    const silent = await startServer(() => undefined);
    const string = `Endpoint=sb://localhost:${portOf(silent)}/;SharedAccessKeyName=r;SharedAccessKey=a2V5;EntityPath=db`;
    const process = home.start(['doctor'], { HCM_CONNECTION_STRING: string });
    await process.answers('This machine');
    const { status, stdout, stderr } = await process.interrupt();
    silent.close();
    assert.equal(status, 130);
    assert.doesNotMatch(stdout, /WebSocket/);
    assert.match(stderr, /HCM_INTERRUPTED/);
  });
});
