// The program behind an outbound proxy, as in a company: the relay has a name that only the proxy knows and a
// certificate of a private authority, and all of it is said by flags or by the usual variables.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { createEmulator, type Emulator } from '../../src/emulator/create-emulator.ts';
import type { Proxy } from '../../src/tunnel/options.ts';
import { TestProxy } from '../helpers/proxies.ts';
import { makeCertificate } from '../helpers/tls-certificate.ts';
import { HcmPath } from './hcm-path.ts';
import { tryCommand } from './servers/run-command.ts';

const RELAY = 'relay.corp.example';
const LOGIN = { username: 'us:er', password: 'pä ss' };

describe('a proxy', () => {
  let path: HcmPath;
  let emulator: Emulator;
  let front: tls.Server;
  let echo: Server;
  let proxy: TestProxy;
  const sockets = new Set<Socket>();

  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  const file = (name: string) => join(path.directory, name);
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined));
    return socket;
  };

  before(async () => {
    path = await HcmPath.create();
    emulator = await createEmulator({ connections: [{ name: 'db' }], insecure: true });
    const { ca, cert, key } = await makeCertificate(RELAY);
    front = tls.createServer({ cert, key, allowHalfOpen: true }, (socket) => {
      const onward = connect({ port: emulator.port, host: '127.0.0.1', allowHalfOpen: true });
      keep(socket).pipe(keep(onward)).pipe(socket);
    });
    front.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
    echo = createServer({ allowHalfOpen: true }, (socket) => void keep(socket).pipe(socket));
    echo.listen(0, '127.0.0.1');
    await Promise.all([once(front, 'listening'), once(echo, 'listening')]);
    const [db] = emulator.connections;
    const elsewhere = (text = '') => text.replace(/sb:\/\/[^;]*/, `sb://${RELAY}/`);
    await writeFile(file('ca.pem'), ca);
    await writeFile(file('listen.txt'), elsewhere(db?.listenerConnectionString), { mode: 0o600 });
    await writeFile(file('send.txt'), elsewhere(db?.senderConnectionString), { mode: 0o600 });
    await writeFile(file('password'), `${LOGIN.password}\n`, { mode: 0o600 });
  });
  after(async () => {
    await path.stop();
    for (const socket of sockets) socket.destroy();
    front.close();
    echo.close();
    await emulator.stop();
  });
  afterEach(() => proxy.stop());

  /** A user and no password: that comes from elsewhere. */
  async function startProxy(kind: Proxy['kind']): Promise<string> {
    proxy = await TestProxy.start(kind, { toPort: portOf(front), ...LOGIN });
    return `${kind}://${encodeURIComponent(LOGIN.username)}@127.0.0.1:${proxy.address().port}`;
  }

  const withEnv =
    (variables: readonly string[]) =>
    (command: string, args: readonly string[]): [string, string[]] => [
      'env',
      [...variables, command, ...args],
    ];

  /** Sends a text through `hcm listen` and `hcm connect`. */
  async function roundTrip(flags: readonly string[], variables: readonly string[]) {
    const wrap = withEnv(variables);
    const target = `127.0.0.1:${portOf(echo)}`;
    const listen = ['listen', '--connection-string-file', file('listen.txt'), '--target', target];
    const listener = await path.run([...listen, ...flags], 'online', wrap);
    const sent = await send(flags, variables);
    await listener.stop();
    return sent;
  }

  function send(flags: readonly string[], variables: readonly string[]) {
    const args = ['connect', '--connection-string-file', file('send.txt'), '--json', ...flags];
    const [command, rest] = withEnv(variables)(...path.commandLine(args));
    return tryCommand(command, rest, { env: path.env, input: 'through the proxy' });
  }

  /** Listener, sender and rendezvous, each by the name that nobody else knows. */
  function assertAllAsked(): void {
    const names = proxy.asked.map((asked) => asked.replace(/:\d+$/, ''));
    assert.deepEqual(names, [RELAY, RELAY, RELAY]);
  }

  it('for HTTP CONNECT is said by --proxy, its password by a file, the authority by --ca-file', async () => {
    const flags = ['--proxy', await startProxy('http'), '--proxy-password-file', file('password')];
    const { status, stdout, stderr } = await roundTrip([...flags, '--ca-file', file('ca.pem')], []);
    assert.deepEqual([status, stdout], [0, 'through the proxy'], stderr);
    assertAllAsked();
  });

  for (const [kind, name] of [
    ['http', 'HTTPS_PROXY'],
    ['socks5', 'ALL_PROXY'],
  ] as const) {
    it(`for ${kind} is said by ${name}, its password and the authority by variables of ours`, async () => {
      const variables = [
        `${name}=${await startProxy(kind)}`,
        `HCM_PROXY_PASSWORD=${LOGIN.password}`,
        `HCM_CA_FILE=${file('ca.pem')}`,
      ];
      const { status, stdout, stderr } = await roundTrip([], variables);
      assert.deepEqual([status, stdout], [0, 'through the proxy'], stderr);
      assertAllAsked();
    });
  }

  it('is not asked for what NO_PROXY names, nor with --proxy off', async () => {
    const variables = [`HTTPS_PROXY=${await startProxy('http')}`, `HCM_CA_FILE=${file('ca.pem')}`];
    for (const [flags, more] of [
      [[], ['NO_PROXY=.corp.example']],
      [['--proxy', 'off'], []],
    ] as const) {
      const { status, stderr } = await send(flags, [...variables, ...more]);
      assert.equal(status, 4, stderr);
      assert.match(stderr, /"code":"HCM_DNS_FAILED"/);
    }
    assert.deepEqual(proxy.asked, []);
  });

  for (const kind of ['http', 'socks5'] as const) {
    it(`for ${kind} that takes another password is 4, and the wrong one is not repeated`, async () => {
      const flags = ['--proxy', await startProxy(kind), '--ca-file', file('ca.pem')];
      const { status, stderr } = await send(flags, ['HCM_PROXY_PASSWORD=mistaken']);
      assert.equal(status, 4, stderr);
      assert.match(stderr, /"code":"HCM_PROXY_AUTH_REQUIRED"/);
      assert.ok(!stderr.includes('mistaken'), stderr);
    });
  }

  it('does not lend trust: without the authority, the relay behind it is 4', async () => {
    const flags = ['--proxy', await startProxy('http'), '--proxy-password-file', file('password')];
    const { status, stderr } = await send(flags, []);
    assert.equal(status, 4, stderr);
    assert.match(stderr, /"code":"HCM_TLS_UNTRUSTED"/);
  });
});
