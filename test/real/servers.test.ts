// The real ring's own check: every real server starts, does one real piece of work with its own client, and goes away.
import assert from 'node:assert/strict';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptsConnections, freePort } from './servers/free-port.ts';
import { dig, startDns } from './servers/dns.ts';
import { startNetworkNamespaces, type NetworkNamespaces } from './servers/network-namespace.ts';
import { startNginx } from './servers/nginx.ts';
import { startOpenssh } from './servers/openssh.ts';
import { startPhp } from './servers/php.ts';
import { startPostgres } from './servers/postgres.ts';
import { startProcess } from './servers/process.ts';
import { startRedis } from './servers/redis.ts';
import { runCommand, tryCommand } from './servers/run-command.ts';
import type { RealServer } from './servers/server-directory.ts';
import { startWebApp } from './servers/web-app.ts';

describe('the real servers', () => {
  let workDirectory: string;
  const servers: { stop(): Promise<void> }[] = [];

  async function started<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    servers.push(server);
    return server;
  }

  beforeEach(async () => {
    workDirectory = await mkdtemp(join(tmpdir(), 'hcm-real-test-'));
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await rm(workDirectory, { recursive: true });
  });

  it('PostgreSQL answers a query', async () => {
    const postgres = await started(startPostgres());
    const query = [
      '--no-psqlrc',
      '--tuples-only',
      '--no-align',
      '--command',
      'SELECT 6 * 7; SHOW max_connections',
    ];
    const { stdout } = await runCommand(postgres.psql, query, { env: postgres.clientEnv() });
    assert.equal(stdout, `42\n${postgres.maxConnections}\n`);
  });

  it('PostgreSQL bears a pgbench run', async () => {
    const postgres = await started(startPostgres());
    const env = postgres.clientEnv();
    await runCommand(postgres.pgbench, ['--initialize', '--quiet'], { env });
    const { stdout } = await runCommand(postgres.pgbench, ['--client=5', '--transactions=10'], { env });
    assert.match(stdout, /number of transactions actually processed: 50\/50/);
  });

  it('Redis answers a ping', async () => {
    const redis = await started(startRedis());
    const { stdout } = await runCommand('redis-cli', ['-p', String(redis.port), 'PING']);
    assert.equal(stdout, 'PONG\n');
  });

  it('nginx serves a download', async () => {
    const nginx = await started(startNginx());
    await writeFile(join(nginx.rootDirectory, 'hello.txt'), 'hello');
    const { stdout } = await runCommand('curl', ['-fsS', `${nginx.url}hello.txt`]);
    assert.equal(stdout, 'hello');
  });

  it('nginx takes an upload by PUT', async () => {
    const nginx = await started(startNginx());
    const upload = join(workDirectory, 'upload');
    await writeFile(upload, Buffer.alloc(3 << 20, 'hcm'));
    await runCommand('curl', ['-fsS', '--upload-file', upload, `${nginx.url}inbox/upload`]);
    const stored = await readFile(join(nginx.rootDirectory, 'inbox', 'upload'));
    assert.ok(stored.equals(await readFile(upload)));
  });

  it('dnsmasq answers dig over UDP and TCP', async () => {
    const dns = await started(startDns());
    assert.match(await dig(dns.port, { name: 'host-3.test' }), /192\.0\.2\.4/);
    assert.match(await dig(dns.port, { name: 'host-3.test', overTcp: true }), /192\.0\.2\.4/);
  });

  it('PHP serves its application', async () => {
    const php = await started(startPhp());
    const { stdout } = await runCommand('curl', [
      '-fsS',
      '-d',
      'a=1',
      `http://${php.host}:${php.port}/echo?b=2`,
    ]);
    const { get, post } = JSON.parse(stdout) as { get: unknown; post: unknown };
    assert.deepEqual({ get, post }, { get: { b: '2' }, post: { a: '1' } });
  });

  it('express serves its application', async () => {
    const app = await started(startWebApp(workDirectory));
    const { stdout } = await runCommand('curl', ['-fsS', `http://${app.host}:${app.port}/hello?name=x`]);
    assert.equal(stdout, 'hello x\n');
  });

  it('OpenSSH runs a command for the owner of the key', async () => {
    const sshd = await started(startOpenssh());
    const login = [...sshd.clientOptions(), `${sshd.user}@${sshd.host}`];
    const { stdout } = await runCommand('ssh', [...login, 'whoami']);
    assert.equal(stdout, `${sshd.user}\n`);
  });

  it('OpenSSH takes a file by scp and gives it back by sftp', async () => {
    const sshd = await started(startOpenssh());
    const source = join(workDirectory, 'source');
    const copy = join(workDirectory, 'copy');
    const login = `${sshd.user}@${sshd.host}`;
    const { stdout } = await runCommand('ssh', [...sshd.clientOptions(), login, 'mktemp', '-d']);
    const remote = stdout.trim();
    await writeFile(source, Buffer.alloc(1 << 20, 'hcm'));
    await runCommand('scp', [...sshd.clientOptions(), source, `${login}:${remote}/file`]);
    await runCommand('sftp', [...sshd.clientOptions(), '-b', '-', login], {
      input: `get ${remote}/file ${copy}\n`,
    });
    await runCommand('ssh', [...sshd.clientOptions(), login, 'rm', '-r', remote]);
    assert.ok((await readFile(copy)).equals(await readFile(source)));
  });

  it('OpenSSH is refused by its client when its host key is another', async () => {
    const sshd = await started(startOpenssh());
    const other = await started(startOpenssh());
    const login = [...sshd.clientOptions(other.port), `${sshd.user}@${sshd.host}`, 'true'];
    const { status, stderr } = await tryCommand('ssh', login);
    assert.equal(status, 255);
    assert.match(stderr, /Host key verification failed/);
  });

  it('a stopped server leaves neither a port nor a process nor a file', async () => {
    const starts: (() => Promise<RealServer>)[] = [startPostgres, startRedis, startNginx, startOpenssh];
    for (const start of starts) {
      const server = await start();
      await server.stop();
      assert.equal(await acceptsConnections(server.port), false, start.name);
    }
    const nginx = await startNginx();
    await nginx.stop();
    await assert.rejects(access(nginx.rootDirectory), { code: 'ENOENT' });
    const { stdout } = await tryCommand('pgrep', [
      '--parent',
      String(process.pid),
      'postgres|redis|nginx|sshd',
    ]);
    assert.equal(stdout, '');
  });

  it('a server that ends before it is ready says why', async () => {
    const args = ['-c', 'echo no such luck >&2; exit 3'];
    const starting = startProcess({ command: 'bash', args, isReady: () => Promise.resolve(false) });
    await assert.rejects(starting, /ended with status 3 before it was ready:\s+no such luck/);
  });

  it('a server that is not installed is a failure', async () => {
    const starting = startProcess({
      command: 'hcm-no-such-server',
      args: [],
      isReady: () => Promise.resolve(false),
    });
    await assert.rejects(starting, /hcm-no-such-server did not start/);
  });
});

describe('two network namespaces', () => {
  let namespaces: NetworkNamespaces;
  const servers: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    namespaces = await startNetworkNamespaces();
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await namespaces.stop();
  });

  it('each reaches the root namespace, and is reached from it', async () => {
    for (const namespace of [namespaces.first, namespaces.second]) {
      await namespace.run('ping', ['-c1', '-W5', namespace.hostAddress]);
      await runCommand('ping', ['-c1', '-W5', namespace.address]);
    }
  });

  it('neither reaches the other', async () => {
    const { first, second } = namespaces;
    await assert.rejects(first.run('ping', ['-c1', '-W1', second.address]), /unreachable/);
    await assert.rejects(second.run('ping', ['-c1', '-W1', first.address]), /unreachable/);
  });

  it('a process inside reaches what listens on the loopback outside, under the same port', async () => {
    const redis = await startRedis();
    servers.push(redis);
    const ping = ['-h', 'localhost', '-p', String(redis.port), 'PING'];
    await assert.rejects(namespaces.first.run('redis-cli', ping), /Could not connect/);
    await namespaces.first.reachHostLoopback(redis.port);
    await namespaces.second.reachHostLoopback(redis.port);
    assert.equal((await namespaces.first.run('redis-cli', ping)).stdout, 'PONG\n');
    assert.equal((await namespaces.second.run('redis-cli', ping)).stdout, 'PONG\n');
  });

  it('a target on the loopback inside is out of reach from outside', async () => {
    const { first } = namespaces;
    const port = await freePort();
    const [command, args] = first.commandLine('redis-server', [
      '--bind',
      '127.0.0.1',
      '--port',
      String(port),
    ]);
    const inside = await startProcess({
      command,
      args: [...args, '--save', ''],
      isReady: async () =>
        (await tryCommand(...first.commandLine('redis-cli', ['-p', String(port), 'PING']))).status === 0,
    });
    servers.push(inside);
    assert.equal((await first.run('redis-cli', ['-p', String(port), 'PING'])).stdout, 'PONG\n');
    assert.equal(await acceptsConnections(port, first.address), false);
  });
});
