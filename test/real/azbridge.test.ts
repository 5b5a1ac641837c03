// Real servers behind logical ports, all on one hybrid connection: DNS over UDP, PostgreSQL over TCP, Redis over a Unix
// socket. Both ends are processes of hcm, set up by flags, and again by the section manager of a hcm.yaml.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { HcmPath, type HcmProcess } from './hcm-path.ts';
import { dig, startDns, type DnsServer } from './servers/dns.ts';
import { startPostgres, type PostgresServer } from './servers/postgres.ts';
import { pollUntil } from './servers/process.ts';
import { startRedis, type RedisServer } from './servers/redis.ts';
import { runCommand, tryCommand } from './servers/run-command.ts';

const NAME = 'bridge/one';

interface Ends {
  listener: HcmProcess;
  forward: HcmProcess;
}

describe('logical ports of azbridge to real servers', () => {
  let dns: DnsServer;
  let postgres: PostgresServer;
  let redis: RedisServer;
  /** Says how much it got once its client has ended: the answer needs a half-closed connection. */
  let counter: Server;

  before(async () => {
    [dns, postgres, redis] = await Promise.all([startDns(), startPostgres(), startRedis()]);
    counter = createServer({ allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      socket.on('error', () => {});
      socket.on('data', (chunk) => (bytes += chunk.length));
      socket.on('end', () => socket.end(`${bytes} bytes`));
    }).listen(0, '127.0.0.1');
    await once(counter, 'listening');
  });

  after(async () => {
    counter.close();
    await Promise.all([dns, postgres, redis].map((server) => server.stop()));
  });

  /** Logical ports as the listener's side names them; `refused` has nobody behind it. */
  function targets(): Record<string, string> {
    return {
      dns: `udp:127.0.0.1:${dns.port}`,
      db: `127.0.0.1:${postgres.port}`,
      cache: `unix:${redis.socketPath}`,
      count: `127.0.0.1:${(counter.address() as AddressInfo).port}`,
      refused: '127.0.0.1:1',
    };
  }

  /** The sender's side: `nobody` is a name that the listener does not have. */
  function binds(directory: string): Record<string, string> {
    return {
      dns: 'udp:127.0.0.1:0',
      db: '127.0.0.1:0',
      cache: `unix:${join(directory, 'cache.sock')}`,
      count: '127.0.0.1:0',
      refused: '127.0.0.1:0',
      nobody: '127.0.0.1:0',
    };
  }

  const list = (flag: string, ports: Record<string, string>): string[] =>
    Object.entries(ports).flatMap(([name, address]) => [flag, `${name}=${address}`]);

  async function byFlags(path: HcmPath): Promise<Ends> {
    const [listen, send] = [await path.stringFile(NAME, 'listener'), await path.stringFile(NAME, 'sender')];
    const dialect = ['--dialect', 'azbridge'];
    const listener = await path.run(
      ['listen', '--connection-string-file', listen, ...dialect, ...list('--target', targets())],
      'online',
    );
    const forward = await path.run(
      ['forward', '--connection-string-file', send, ...dialect, ...list('--bind', binds(path.directory))],
      'ready',
    );
    return { listener, forward };
  }

  async function byFile(path: HcmPath): Promise<Ends> {
    const [listen, send] = [await path.stringFile(NAME, 'listener'), await path.stringFile(NAME, 'sender')];
    const entry = { connection: `local-relay/${NAME}`, dialect: 'azbridge' };
    const file = join(path.directory, 'hcm.yaml');
    const manager = {
      listeners: [{ ...entry, connectionStringFile: listen, ports: targets() }],
      forwards: [{ ...entry, connectionStringFile: send, ports: binds(path.directory) }],
    };
    await writeFile(file, JSON.stringify({ manager })); // JSON is YAML
    const listener = await path.run(['listen', '--file', file], 'online');
    return { listener, forward: await path.run(['forward', '--file', file], 'ready') };
  }

  for (const [how, open] of [
    ['by flags', byFlags],
    ['by a hcm.yaml', byFile],
  ] as const) {
    describe(how, () => {
      let path: HcmPath;
      let ends: Ends;
      let ports: Map<string, number>;

      before(async () => {
        path = await HcmPath.create();
        await path.startEmulator([NAME]);
        ends = await open(path);
        const ready = ends.forward.events.find(({ event }) => event === 'ready');
        ports = new Map(
          (ready?.['binds'] as { port: string; bind: string }[]).map(({ port, bind }) => {
            return [port, Number(bind.split(':').at(-1))];
          }),
        );
      });

      after(() => path.stop());

      const portOf = (name: string): number => ports.get(name) ?? 0;

      /** Resolves when the end has said that the logical port was refused for this reason. */
      async function says(end: HcmProcess, event: string, reason: string): Promise<void> {
        await pollUntil(() => end.events.some((line) => line.event === event && line['reason'] === reason), {
          what: () => `${event} ${reason} in\n${end.output()}`,
        });
      }

      it('dig gets from dnsmasq over UDP what it gets directly, records of all types', async () => {
        const questions = [
          { name: 'host-3.test' },
          { name: 'host-4.test', type: 'AAAA' },
          { name: 'alias.test' },
          { name: 'test', type: 'MX' },
          { name: '_http._tcp.test', type: 'SRV' },
        ];
        for (const question of questions) {
          const direct = await dig(dns.port, question);
          assert.match(direct, /status: NOERROR/);
          assert.equal(await dig(portOf('dns'), question), direct);
        }
        const refused = await dig(dns.port, { name: 'nobody.example' });
        assert.equal(await dig(portOf('dns'), { name: 'nobody.example' }), refused);
      });

      it('dig gets an answer of almost 4 KiB in one datagram', async () => {
        const question = { name: dns.large, type: 'TXT' };
        const direct = await dig(dns.port, question);
        const size = Number(/MSG SIZE {2}rcvd: (\d+)/.exec(direct)?.[1]);
        assert.ok(size > 3900, `${size} bytes`);
        assert.equal(await dig(portOf('dns'), question), direct);
      });

      it('fifty digs at once each get their own answer', async () => {
        const got = await Promise.all(dns.hosts.map((name) => dig(portOf('dns'), { name })));
        for (const [at, name] of dns.hosts.entries()) {
          assert.match(got[at] ?? '', new RegExp(`^${name}\\.\\s.*\\s192\\.0\\.2\\.${at + 1}$`, 'm'));
        }
      });

      it('psql reads a large result from PostgreSQL', async () => {
        const query = 'SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 50000) n';
        const flags = ['--no-psqlrc', '--tuples-only', '--no-align', '--command', query];
        const direct = await runCommand(postgres.psql, flags, { env: postgres.clientEnv() });
        const got = await runCommand(postgres.psql, flags, { env: postgres.clientEnv(portOf('db')) });
        assert.ok(got.stdout === direct.stdout, `${got.stdout.length} of ${direct.stdout.length} characters`);
      });

      it('pgbench runs 10 clients, and a new connection for each of 40 transactions', async () => {
        const env = postgres.clientEnv(portOf('db'));
        await runCommand(postgres.pgbench, ['--initialize', '--quiet'], { env });
        const kept = await runCommand(postgres.pgbench, ['--client=10', '--transactions=20'], { env });
        assert.match(kept.stdout, /number of transactions actually processed: 200\/200/);
        const fresh = await runCommand(postgres.pgbench, ['--connect', '--client=4', '--transactions=10'], {
          env,
        });
        assert.match(fresh.stdout, /number of transactions actually processed: 40\/40/);
      });

      it('redis-cli and redis-benchmark reach Redis from Unix socket to Unix socket', async () => {
        const socket = join(path.directory, 'cache.sock');
        const value = 'x'.repeat(2_000_000);
        await runCommand('redis-cli', ['-s', socket, '-x', 'SET', 'large'], { input: value });
        const { stdout } = await runCommand('redis-cli', ['-s', socket, 'GET', 'large']);
        assert.equal(stdout.trimEnd().length, value.length);
        const flags = ['-s', socket, '-n', '5000', '-c', '20', '-P', '4', '-t', 'set,get', '--csv'];
        const benchmark = await runCommand('redis-benchmark', flags);
        assert.match(benchmark.stdout, /"GET","\d+/);
      });

      it('the end of what a client sends arrives while its answer is still to come', async () => {
        const socket = connect({ port: portOf('count'), host: '127.0.0.1', allowHalfOpen: true });
        socket.end(Buffer.alloc(3_000_000));
        let answer = '';
        for await (const chunk of socket) answer += String(chunk);
        assert.equal(answer, '3000000 bytes');
      });

      it('UDP, TCP and a Unix socket at once do not disturb each other', async () => {
        const env = postgres.clientEnv(portOf('db'));
        const socket = join(path.directory, 'cache.sock');
        const query = [
          '--no-psqlrc',
          '--tuples-only',
          '--no-align',
          '--command',
          'SELECT count(*) FROM pgbench_accounts',
        ];
        const rounds = Array.from({ length: 8 }, async (_, at) => {
          const [answer, rows, ping] = await Promise.all([
            dig(portOf('dns'), { name: dns.large, type: 'TXT' }),
            runCommand(postgres.psql, query, { env }),
            runCommand('redis-cli', ['-s', socket, 'ECHO', `round ${at}`]),
          ]);
          assert.match(answer, /MSG SIZE {2}rcvd: 39\d\d/);
          assert.equal(rows.stdout, '100000\n');
          assert.equal(ping.stdout, `round ${at}\n`);
        });
        await Promise.all(rounds);
      });

      it('a name that the listener does not have is an error at both ends, and the others go on', async () => {
        await refusedAt(portOf('nobody'));
        await says(ends.forward, 'refused', 'HCM_LOGICAL_PORT_UNKNOWN');
        await says(ends.listener, 'rejected', 'HCM_LOGICAL_PORT_UNKNOWN');
        await dig(portOf('dns'), { name: 'host-1.test' });
      });

      it('a target that refuses is an error at both ends', async () => {
        await refusedAt(portOf('refused'));
        await says(ends.forward, 'refused', 'HCM_TARGET_REFUSED');
        await says(ends.listener, 'rejected', 'HCM_TARGET_REFUSED');
      });

      it('hcm connect joins its input and output with a logical port, and says why it cannot', async () => {
        const file = await path.stringFile(NAME, 'sender');
        const run = (port: string, input: string) => {
          const flags = [
            'connect',
            '--connection-string-file',
            file,
            '--dialect',
            'azbridge',
            '--port',
            port,
          ];
          const [command, args] = path.commandLine(flags);
          return tryCommand(command, args, { env: path.env, input });
        };
        const counted = await run('count', 'x'.repeat(100_000));
        assert.deepEqual([counted.status, counted.stdout], [0, '100000 bytes']);
        const wrong = await run('nobody', 'x');
        assert.notEqual(wrong.status, 0);
        assert.match(wrong.stderr, /HCM_LOGICAL_PORT_UNKNOWN/);
        const mode = await run('dns', 'x');
        assert.notEqual(mode.status, 0);
        assert.match(mode.stderr, /HCM_LOGICAL_PORT_MODE/);
      });
    });
  }
});

/** Resolves when the connection is over; a reset is an answer, too. */
async function refusedAt(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').resume();
  await new Promise<void>((resolve) => socket.once('error', () => {}).once('close', () => resolve()));
}
