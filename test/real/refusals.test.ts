// What a user can get wrong, or meet, on the whole path: each is told by the program with its code, its documented
// status, what was seen and what to do; and nothing that runs is disturbed by it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { parseConnectionString } from '../../src/protocol/connection-string.ts';
import { token } from '../contract/tokens.ts';
import { HcmPath } from './hcm-path.ts';
import { startBlackHole } from './servers/black-hole.ts';
import { pollUntil } from './servers/process.ts';
import { tryCommand } from './servers/run-command.ts';

const MINUTE_MS = 60_000;

describe('what cannot be, on the whole path', () => {
  let path: HcmPath;
  let proxy: Server;
  let blackHole: Awaited<ReturnType<typeof startBlackHole>>;

  before(async () => {
    path = await HcmPath.create();
    await path.startEmulator(['team/db.x', 'refused', 'unresolved', 'slow']);
    blackHole = await startBlackHole();
    await path.listen('refused', '127.0.0.1:1');
    await path.listen('unresolved', 'db.invalid:5432');
    await path.listen('slow', `127.0.0.1:${blackHole.port}`, ['--dial-timeout', '1s']);
    proxy = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 403 Blocked by policy\r\nContent-Length: 0\r\n\r\n'));
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  });
  after(async () => {
    proxy?.close();
    await path?.stop();
    await blackHole?.stop();
  });

  /** The key of one side of a connection. */
  function keyOf(name: string, side: 'listener' | 'sender') {
    const connection = path.relay.connections.find((candidate) => candidate.name === name);
    const text =
      side === 'listener' ? connection?.listenerConnectionString : connection?.senderConnectionString;
    const { credential } = parseConnectionString(text ?? '');
    assert.ok(credential.kind === 'key');
    return { name: credential.keyName, key: credential.key };
  }

  async function stringFile(text: string): Promise<string> {
    const file = join(path.directory, 'other.txt');
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  /** A connection string with a token that was made elsewhere, `ageMs` after its end. */
  function expired(ageMs: number): Promise<string> {
    const sas = token('http://localhost/team/db.x/', keyOf('team/db.x', 'sender'), {
      expiresAtMs: Date.now() - ageMs,
    });
    return stringFile(`Endpoint=${path.relay.endpoint};SharedAccessSignature=${sas};EntityPath=team/db.x`);
  }

  interface Refusal {
    code: string;
    message: string;
    exitStatus: number;
    next: string;
    azure?: { status: number };
  }

  /** Runs it as a program would, and gives the error with which it ended. Its status is the error's. */
  async function refusalOf(
    args: readonly string[],
    wrap: (command: string, args: readonly string[]) => [string, string[]] = (command, rest) => [
      command,
      [...rest],
    ],
    env: NodeJS.ProcessEnv = {},
  ): Promise<Refusal> {
    const { status, stdout, stderr } = await tryCommand(...wrap(...path.commandLine([...args, '--json'])), {
      env: { ...path.env, ...env },
      timeoutMs: 30_000,
    });
    const last = `${stdout}${stderr}`.trim().split('\n').at(-1) ?? '';
    const { event, error } = JSON.parse(last) as { event: string; error: Refusal };
    assert.equal(event, 'error');
    assert.equal(status, error.exitStatus, last);
    assert.ok(error.next.length > 5);
    return error;
  }

  const connect = (file: string, ...more: string[]) => ['connect', '--connection-string-file', file, ...more];
  const listen = (file: string) => ['listen', '--connection-string-file', file, '--target', '127.0.0.1:1'];

  /** What is compared: the code, the exit status, and the relay's own status. */
  const told = ({ code, exitStatus, azure }: Refusal) => [code, exitStatus, azure?.status];

  it('a wrong key is 3', async () => {
    const { name } = keyOf('team/db.x', 'sender');
    const text = `Endpoint=${path.relay.endpoint};SharedAccessKeyName=${name};SharedAccessKey=d3Jvbmc=;EntityPath=team/db.x`;
    assert.deepEqual(told(await refusalOf(connect(await stringFile(text)))), ['HCM_TOKEN_SIGNATURE', 3, 401]);
  });

  it('an expired token is 3', async () => {
    const file = await expired(MINUTE_MS);
    assert.deepEqual(told(await refusalOf(connect(file))), ['HCM_TOKEN_EXPIRED', 3, 401]);
  });

  it('an expired token where the clock is 10 minutes behind is 3, and the clock is named as the cause', async () => {
    const file = await expired(MINUTE_MS);
    const slow = (command: string, args: readonly string[]): [string, string[]] => [
      'faketime',
      ['-f', '-10m', command, ...args],
    ];
    const error = await refusalOf(connect(file), slow, { DONT_FAKE_MONOTONIC: '1' });
    assert.deepEqual(told(error), ['HCM_CLOCK_SKEW', 3, 401]);
    assert.match(error.message, /clock of this machine is 10 minutes behind/);
  });

  it('a missing right is 3, at either end', async () => {
    const [listener, sender] = [
      await path.stringFile('team/db.x', 'listener'),
      await path.stringFile('team/db.x', 'sender'),
    ];
    for (const args of [listen(sender), connect(listener)])
      assert.deepEqual(told(await refusalOf(args)), ['HCM_RIGHT_MISSING', 3, 403]);
  });

  it('an entity that is not there is 5, at either end', async () => {
    const file = await stringFile(`${path.relay.connectionString};EntityPath=no/such`);
    for (const args of [listen(file), connect(file)])
      assert.deepEqual(told(await refusalOf(args)), ['HCM_ENTITY_NOT_FOUND', 5, 404]);
  });

  it('no listener is 4', async () => {
    const error = await refusalOf(connect(await path.stringFile('team/db.x', 'sender')));
    assert.deepEqual(told(error), ['HCM_NO_LISTENER', 4, 404]);
    assert.match(error.next, /hcm listen --connection-string-file FILE --target HOST:PORT$/);
  });

  const targets: [name: string, code: string, status: number, says: RegExp][] = [
    ['refused', 'HCM_TARGET_REFUSED', 502, /127\.0\.0\.1:1 refused the connection/],
    ['unresolved', 'HCM_TARGET_UNRESOLVED', 502, /db\.invalid could not be resolved/],
    ['slow', 'HCM_TARGET_TIMEOUT', 504, /did not answer within 1 s/],
  ];
  for (const [name, code, status, says] of targets) {
    it(`a target that is ${name} is 6, and the reason is the listener's`, async () => {
      const error = await refusalOf(connect(await path.stringFile(name, 'sender')));
      assert.deepEqual(told(error), [code, 6, status]);
      assert.match(error.message, says);
    });
  }

  it('a proxy that refuses is 4, and named with what it said', async () => {
    const { port } = proxy.address() as AddressInfo;
    const file = await stringFile(
      'Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=YWJj;EntityPath=db',
    );
    const error = await refusalOf(connect(file, '--proxy', `http://user:hush@127.0.0.1:${port}`));
    assert.deepEqual(told(error), ['HCM_PROXY_FAILED', 4, undefined]);
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port} refused .*403 Blocked by policy`));
    assert.ok(!JSON.stringify(error).includes('hush'));
  });

  it('a certificate of an unknown authority is 4', async () => {
    const HCM_STATE_DIR = join(path.directory, 'stranger');
    await mkdir(HCM_STATE_DIR);
    const file = await path.stringFile('team/db.x', 'sender');
    const error = await refusalOf(connect(file), undefined, { HCM_STATE_DIR });
    assert.deepEqual(told(error), ['HCM_TLS_UNTRUSTED', 4, undefined]);
    assert.match(error.message, /certificate of localhost:\d+ is not trusted/);
  });

  it('a name with slashes and an IPv6 target work, after all of that', async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '::1');
    await once(server, 'listening');
    const target = `[::1]:${(server.address() as AddressInfo).port}`;
    const listener = await path.listen('team/db.x', target);
    const [command, args] = path.commandLine(connect(await path.stringFile('team/db.x', 'sender')));
    const { status, stdout } = await tryCommand(command, args, { env: path.env, input: 'hello' });
    assert.deepEqual([status, stdout], [0, 'hello']);
    const accepted = () => listener.events.find(({ event }) => event === 'accepted');
    await pollUntil(() => accepted() !== undefined, { what: 'the stream at the listener' });
    assert.equal(accepted()?.['target'], target);
    server.close();
  });
});
