// The manager with its web server: what its own parts tell through it.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManagerSection } from '../../../src/lib/config/hcm-yaml/load.ts';
import { ControlClient } from '../../../src/manager/control/control-client.ts';
import { LOG_FILE, logFile } from '../../../src/manager/event-log.ts';
import { ManagerService } from '../../../src/manager/manager-service.ts';
import { fileSecrets } from '../../../src/manager/secrets.ts';
import { ConnectionStore } from '../../../src/manager/store.ts';
import { PAGE_KEY_HEADER } from '../../../src/manager/web/page-key.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { failure, FakeTunnels } from '../../helpers/fake-tunnels.ts';
import { parseMetrics } from '../../helpers/prometheus-text.ts';
import { until } from '../../helpers/until.ts';

const DB = 'listen my-relay/db';
const FILE = 'manager:\n  listeners:\n    - connection: my-relay/db\n      target: db:5432\n';

describe('the manager and its web server', () => {
  let folder: string;
  let clock: FakeClock;
  let tunnels: FakeTunnels;
  let client: ControlClient;
  let service: ManagerService | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-manager-web-'));
    clock = new FakeClock();
    tunnels = new FakeTunnels();
    client = new ControlClient(join(folder, 'control.sock'));
    await writeFile(join(folder, 'hcm.yaml'), FILE);
  });
  afterEach(async () => {
    await service?.stop(0);
    service = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  /** `web` null: without one. */
  async function start(web: { port: number } | null = { port: 0 }): Promise<ManagerService> {
    const path = join(folder, 'hcm.yaml');
    const load = async () =>
      parseManagerSection(await readFile(path, 'utf8'), { file: 'hcm.yaml', env: {}, folder });
    const sink = await logFile(folder, assert.ifError);
    const made = new ManagerService({
      ...{ version: '1.2.3', pid: 7, folder, socketPath: join(folder, 'control.sock'), clock, graceMs: 0 },
      store: await ConnectionStore.open({ folder, secrets: fileSecrets(folder) }),
      keys: { choice: 'file' },
      file: { path, load },
      open: tunnels.open,
      sink,
      random: Math.random,
      web: web === null ? undefined : { ...web, folder: join(folder, 'dashboard') },
    });
    try {
      await made.start();
    } catch (error) {
      await sink.close();
      throw error;
    }
    service = made;
    return made;
  }

  async function ready(): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`${(await client.describe()).web}/readyz`);
    return { status: answer.status, body: await answer.json() };
  }

  it('is ready once all that is wanted is registered, and not while it is lost', async () => {
    await start();
    await until(() => tunnels.opened.length === 1);
    const waitingFor = [{ id: DB, state: 'connecting' }];
    assert.deepEqual(await ready(), { status: 503, body: { ready: false, waitingFor } });
    tunnels.last.emit({ event: 'online' });
    assert.deepEqual(await ready(), { status: 200, body: { ready: true, waitingFor: [] } });
    tunnels.last.emit({ event: 'reconnecting', retryInMs: 1_000, attempt: 1, error: failure() });
    const lost = [{ id: DB, state: 'waiting', code: 'HCM_CONNECTION_LOST' }];
    assert.deepEqual(await ready(), { status: 503, body: { ready: false, waitingFor: lost } });
  });

  it('is not ready before it could read its file, and stays ready when the file breaks later', async () => {
    await writeFile(join(folder, 'hcm.yaml'), 'manager: nonsense\n');
    await start();
    assert.deepEqual(await ready(), { status: 503, body: { ready: false, unread: true, waitingFor: [] } });
    await writeFile(join(folder, 'hcm.yaml'), FILE);
    await client.reload();
    await until(() => tunnels.opened.length === 1);
    tunnels.last.emit({ event: 'online' });
    await writeFile(join(folder, 'hcm.yaml'), 'manager: nonsense\n');
    await assert.rejects(client.reload(), { code: 'HCM_CONFIG_INVALID' });
    assert.equal((await ready()).status, 200);
  });

  it('is not ready while it drains, and lives', async () => {
    const started = await start();
    await until(() => tunnels.opened.length === 1);
    tunnels.last.emit({ event: 'online' });
    tunnels.holdsStreams = true;
    const { web } = await client.describe();
    const stopping = started.stop(60_000);
    const { status, body } = await ready();
    assert.deepEqual([status, (body as { stopping: boolean }).stopping], [503, true]);
    assert.equal((await fetch(`${web}/healthz`)).status, 200);
    tunnels.last.drained();
    await stopping;
    service = undefined;
    await assert.rejects(fetch(`${web}/healthz`));
    assert.equal(clock.timers, 0);
  });

  it('has its connections in its metrics', async () => {
    await start();
    await until(() => tunnels.opened.length === 1);
    tunnels.last.emit({ event: 'online' });
    const text = await (await fetch(`${(await client.describe()).web}/metrics`)).text();
    const [up] = parseMetrics(text).get('hcm_connection_up')?.samples ?? [];
    assert.deepEqual([up?.labels, up?.value], [{ id: DB, connection: 'my-relay/db', role: 'listener' }, 1]);
  });

  it('keeps samples with and without the web server', async () => {
    await start(null);
    await until(() => tunnels.opened.length === 1);
    clock.advance(5_000);
    tunnels.last.emit({ event: 'accepted', stream: 'a', target: 'db:5432', setupMs: 12 });
    clock.advance(5_000);
    const { times, connections } = await client.samples();
    assert.equal(times.length, 2);
    assert.deepEqual(connections[DB]?.openStreams, [0, 1]);
    assert.deepEqual(connections[DB]?.setUpMs, [null, 12]);
  });

  it('gives a link over the control socket, which stands in no view, log or event', async () => {
    await start();
    const told: unknown[] = [];
    service?.subscribe((event) => told.push(event));
    const { url, expiresAt } = await client.dashboard();
    assert.equal(Date.parse(expiresAt) - clock.nowMs(), 60_000);
    const { web } = await client.describe();
    assert.ok(web !== undefined && url.startsWith(`${web}/?code=`));
    const code = url.slice(web.length + '/?code='.length);
    const answer = await fetch(url, { redirect: 'manual' });
    assert.equal(answer.status, 200);
    const [cookie = ''] = answer.headers.getSetCookie();
    const secret = cookie.split(/[=;]/)[1] ?? '';
    const pageKey = /data-key="([^"]*)"/.exec(await answer.text())?.[1] ?? '';
    for (const half of [secret, pageKey]) assert.match(half, /^[\w-]{43}$/);
    const headers = { cookie: cookie.split(';')[0] ?? '', [PAGE_KEY_HEADER]: pageKey };
    assert.equal((await fetch(`${web}/v1/manager`, { headers })).status, 200);
    await client.reload();
    await service?.stop(0);
    service = undefined;
    const shown = [
      JSON.stringify(told),
      await readFile(join(folder, LOG_FILE), 'utf8'),
      await readFile(join(folder, 'connections.json'), 'utf8').catch(() => ''),
    ];
    for (const text of shown) for (const one of [code, secret, pageKey]) assert.ok(!text.includes(one), text);
  });

  it('a target that is none cannot be confirmed, and nothing is stored', async () => {
    const service = await start();
    const wrong = {
      role: 'listener',
      connection: 'my-relay/web',
      pinnedTarget: 'no port',
      entry: {},
    } as const;
    await assert.rejects(client.add(wrong), { code: 'HCM_TARGET_INVALID' });
    await client.add({ ...wrong, pinnedTarget: 'web:80' });
    assert.equal(service.list().length, 2);
  });

  it('without a web server says so, and gives no link', async () => {
    await start(null);
    assert.equal((await client.describe()).web, undefined);
    await assert.rejects(client.dashboard(), { code: 'HCM_NOT_RUNNING', message: /without its web server/ });
  });

  it('ends at once when its port is taken: nothing was opened, and the next one may start', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await assert.rejects(start({ port }), { code: 'HCM_BIND_FAILED' });
    assert.deepEqual([tunnels.attempts, clock.timers], [0, 0]);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes('sock')),
      [],
    );
    other.close();
    await start();
    assert.equal((await client.describe()).pid, 7);
  });
});
