import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManagedConnection } from '../../../src/manager/managed-connection.ts';
import { Metrics } from '../../../src/manager/metrics.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeTunnels, failure, specOf } from '../../helpers/fake-tunnels.ts';
import { parseMetrics, type Family } from '../../helpers/prometheus-text.ts';
import { until } from '../../helpers/until.ts';

describe("the manager's metrics", () => {
  let clock: FakeClock;
  let tunnels: FakeTunnels;
  let connections: ManagedConnection[];
  let metrics: Metrics;

  beforeEach(() => {
    clock = new FakeClock(Date.UTC(2026, 0, 1));
    tunnels = new FakeTunnels();
    connections = [];
    metrics = new Metrics({
      connections,
      describe: () => ({
        ...{ apiVersion: 1, version: '1.2.3', pid: 7, folder: '/var/lib/hcm' },
        startedAt: '2026-01-01T00:00:00.500Z',
        problems: [{ code: 'HCM_CONFIG_INVALID', message: 'hcm.yaml:3:5' }],
      }),
    });
  });
  afterEach(() => Promise.all(connections.map((one) => one.stop(0))));

  async function run(id: string): Promise<void> {
    const managed = new ManagedConnection(specOf(id), {
      ...{ clock, random: () => 0, open: tunnels.open },
      onEvent: () => undefined,
      onState: () => undefined,
    });
    connections.push(managed);
    managed.start();
    await until(() => tunnels.of(id).length === 1);
  }

  async function scrape(): Promise<Map<string, Family>> {
    return parseMetrics((await metrics.collect()).text);
  }

  /** The value with these labels, in any order; undefined: there is no such line. */
  function value(families: Map<string, Family>, name: string, labels: Record<string, string> = {}) {
    const wanted = JSON.stringify(Object.entries(labels).sort());
    const lines = [...families.values()].flatMap(({ samples }) => samples);
    return lines.find(
      (line) => line.name === name && JSON.stringify(Object.entries(line.labels).sort()) === wanted,
    )?.value;
  }

  const DB = { id: 'listen my-relay/db', connection: 'my-relay/db', role: 'listener' };
  const WEB = { id: 'forward my-relay/web', connection: 'my-relay/web', role: 'forward' };

  it('is text that a parser of the format takes, with a help for each name', async () => {
    // The second forward of a connection in a file.
    for (const id of ['listen my-relay/db', 'forward my-relay/db', 'forward my-relay/db 2']) await run(id);
    tunnels.last.emit({ event: 'reconnecting', retryInMs: 1, attempt: 1, error: failure() });
    const { type } = await metrics.collect();
    assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8');
    const families = await scrape();
    for (const [name, { help, type: kind, samples }] of families) {
      assert.match(help, /\w+ \w+/, name);
      assert.equal(name.endsWith('_total'), kind === 'counter', name);
      const lines = samples.map((line) => JSON.stringify([line.name, Object.entries(line.labels).sort()]));
      assert.equal(new Set(lines).size, lines.length, `each line of ${name} is there once`);
    }
  });

  it('says who runs, since when, and what is wrong with it', async () => {
    const families = await scrape();
    assert.equal(value(families, 'hcm_manager_info', { version: '1.2.3' }), 1);
    assert.equal(value(families, 'hcm_manager_start_time_seconds'), Date.UTC(2026, 0, 1) / 1_000 + 0.5);
    assert.equal(value(families, 'hcm_manager_problems'), 1);
    assert.ok((value(families, 'process_resident_memory_bytes') ?? 0) > 1_000_000);
  });

  it('counts connections by state, zeros too', async () => {
    await run('listen my-relay/db');
    await run('forward my-relay/web');
    const families = await scrape();
    assert.equal(value(families, 'hcm_connections', { state: 'connecting' }), 1);
    assert.equal(value(families, 'hcm_connections', { state: 'online' }), 1);
    assert.equal(value(families, 'hcm_connections', { state: 'failed' }), 0);
    assert.equal(value(families, 'hcm_connection_up', DB), 0);
    assert.equal(value(families, 'hcm_connection_up', WEB), 1);
    assert.equal(value(families, 'hcm_connection_state', { ...WEB, state: 'online' }), 1);
    assert.equal(value(families, 'hcm_connection_state', { ...WEB, state: 'waiting' }), 0);
  });

  it('tells streams, bytes, errors and reconnects of each connection as they are at that moment', async () => {
    await run('listen my-relay/db');
    const tunnel = tunnels.last;
    const emit: typeof tunnel.emit = (body) => tunnel.emit(body);
    emit({ event: 'online', target: 'db:5432' });
    emit({ event: 'accepted', stream: 'a', target: 'db:5432', setupMs: 7 });
    emit({ event: 'accepted', stream: 'b', target: 'db:5432', setupMs: 300 });
    emit({ event: 'closed', stream: 'a', bytesIn: 11, bytesOut: 22 });
    for (const stream of ['c', 'd'])
      emit({ event: 'rejected', stream, error: failure('HCM_TARGET_REFUSED', 'no') });
    clock.advance(2_000);
    emit({ event: 'reconnecting', retryInMs: 1, attempt: 1, error: failure() });
    const families = await scrape();
    assert.equal(value(families, 'hcm_streams_open', DB), 1);
    assert.equal(value(families, 'hcm_streams_opened_total', DB), 2);
    assert.equal(value(families, 'hcm_streams_refused_total', DB), 2);
    assert.equal(value(families, 'hcm_stream_bytes_total', { ...DB, direction: 'in' }), 11);
    assert.equal(value(families, 'hcm_stream_bytes_total', { ...DB, direction: 'out' }), 22);
    assert.equal(value(families, 'hcm_connection_reconnects_total', DB), 1);
    const errors = (code: string) => value(families, 'hcm_connection_errors_total', { ...DB, code });
    assert.deepEqual([errors('HCM_TARGET_REFUSED'), errors('HCM_CONNECTION_LOST')], [2, 1]);
    assert.equal(
      value(families, 'hcm_connection_state_changed_time_seconds', DB),
      Date.UTC(2026, 0, 1) / 1_000 + 2,
    );
  });

  it('has a histogram of the openings whose buckets hold what is below them', async () => {
    await run('listen my-relay/db');
    for (const setupMs of [5, 6, 300, 70_000])
      tunnels.last.emit({ event: 'accepted', stream: String(setupMs), target: 'db:5432', setupMs });
    const families = await scrape();
    const within = (le: string) => value(families, 'hcm_stream_setup_seconds_bucket', { ...DB, le });
    assert.deepEqual([within('0.005'), within('0.01'), within('0.25'), within('0.5')], [1, 2, 2, 3]);
    assert.deepEqual([within('60'), within('+Inf')], [3, 4]);
    assert.equal(value(families, 'hcm_stream_setup_seconds_count', DB), 4);
    assert.equal(value(families, 'hcm_stream_setup_seconds_sum', DB), 70.311);
  });

  it('forgets a connection that is gone', async () => {
    await run('listen my-relay/db');
    assert.notEqual(value(await scrape(), 'hcm_connection_up', DB), undefined);
    await connections.pop()?.stop(0);
    assert.equal(value(await scrape(), 'hcm_connection_up', DB), undefined);
  });

  it('keeps what a name holds inside its label', async () => {
    const connection = 'my-relay/a"}\\\nb';
    await run(`listen ${connection}`);
    const [line] = (await scrape()).get('hcm_connection_up')?.samples ?? [];
    assert.deepEqual(line, {
      name: 'hcm_connection_up',
      labels: { id: `listen ${connection}`, connection, role: 'listener' },
      value: 0,
    });
  });

  it('of two managers in a process, each tells its own', async () => {
    const other = new Metrics({
      connections: [],
      describe: () => ({
        ...{ apiVersion: 1, version: '2', pid: 7, folder: '/', startedAt: '2026-01-01T00:00:00.000Z' },
        problems: [],
      }),
    });
    await run('listen my-relay/db');
    const [ours, theirs] = await Promise.all([metrics.collect(), other.collect()]);
    assert.match(ours.text, /version="1\.2\.3"/);
    assert.doesNotMatch(theirs.text, /my-relay|1\.2\.3/);
  });

  it('docs/metrics.md explains each of its names, and no other', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
    const explained = [...page.matchAll(/^\| `(hcm_\w+)`/gm)].map(([, name]) => name);
    const names = [...(await scrape()).keys()].filter((name) => name.startsWith('hcm_'));
    assert.deepEqual(explained, names);
  });
});
