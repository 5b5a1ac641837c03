// Real programs against real servers, through app -> hcm forward -> relay -> hcm listen -> target.
import assert from 'node:assert/strict';
import { HcmPath } from './hcm-path.ts';
import { startPostgres } from './servers/postgres.ts';
import { startRedis } from './servers/redis.ts';
import { runCommand } from './servers/run-command.ts';

describe('databases through the relay', () => {
  let path: HcmPath;
  const servers: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    path = await HcmPath.create();
  });

  afterEach(async () => {
    await path.stop();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  it('psql reads what PostgreSQL holds, a large result included', async () => {
    const postgres = await startPostgres();
    servers.push(postgres);
    const port = await path.open(`127.0.0.1:${postgres.port}`);
    const query = "SELECT count(*), md5(string_agg(n::text, ',')) FROM generate_series(1, 200000) n";
    const flags = ['--no-psqlrc', '--tuples-only', '--no-align'];
    const direct = await runCommand(postgres.psql, [...flags, '--command', query], {
      env: postgres.clientEnv(),
    });
    const tunneled = await runCommand(postgres.psql, [...flags, '--command', query], {
      env: postgres.clientEnv(port),
    });
    assert.match(direct.stdout, /^200000\|/);
    assert.equal(tunneled.stdout, direct.stdout);
    const rows = 'SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 100000) n';
    const many = await runCommand(postgres.psql, [...flags, '--command', rows], {
      env: postgres.clientEnv(port),
    });
    assert.equal(many.stdout.split('\n').length, 100_001);
  });

  it('pgbench runs 20 clients, and a new connection for each of 100 transactions', async () => {
    const postgres = await startPostgres();
    servers.push(postgres);
    const env = postgres.clientEnv(await path.open(`127.0.0.1:${postgres.port}`));
    await runCommand(postgres.pgbench, ['--initialize', '--quiet'], { env });
    const kept = await runCommand(postgres.pgbench, ['--client=20', '--transactions=25'], { env });
    assert.match(kept.stdout, /number of transactions actually processed: 500\/500/);
    assert.match(kept.stdout, /number of failed transactions: 0 /);
    const fresh = await runCommand(postgres.pgbench, ['--connect', '--client=4', '--transactions=25'], {
      env,
    });
    assert.match(fresh.stdout, /number of transactions actually processed: 100\/100/);
  });

  it('redis-benchmark runs 50 clients with and without pipelining, and every answer is right', async () => {
    const redis = await startRedis();
    servers.push(redis);
    const port = String(await path.open(`127.0.0.1:${redis.port}`));
    for (const pipeline of ['1', '16']) {
      const flags = ['-p', port, '-n', '20000', '-c', '50', '-P', pipeline, '-t', 'set,get', '--csv'];
      const { stdout } = await runCommand('redis-benchmark', flags);
      assert.match(stdout, /"SET","\d+/);
      assert.match(stdout, /"GET","\d+/);
    }
    const value = 'x'.repeat(4_000_000);
    await runCommand('redis-cli', ['-p', port, '-x', 'SET', 'large'], { input: value });
    const { stdout } = await runCommand('redis-cli', ['-p', port, 'GET', 'large']);
    assert.equal(stdout.trimEnd().length, value.length);
  });
});
