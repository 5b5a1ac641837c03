import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveApi } from '../../../src/manager/control/api.ts';
import { ControlClient } from '../../../src/manager/control/control-client.ts';
import { openControlSocket, type ControlSocket } from '../../../src/manager/control/control-socket.ts';
import type {
  AddRequest,
  ConnectionDetails,
  EventView,
  ManagerOperations,
} from '../../../src/manager/control/operations.ts';
import { HcmError } from '../../../src/protocol/errors.ts';
import { until } from '../../helpers/until.ts';

const DB: ConnectionDetails = {
  id: 'listen my-relay/a/db',
  role: 'listener',
  connection: 'my-relay/a/db',
  source: 'store',
  state: 'online',
  since: '2026-01-01T00:00:00.000Z',
  binds: [],
  openStreams: 0,
  opened: 0,
  refused: 0,
  bytesIn: 0,
  bytesOut: 0,
  reconnects: 0,
  streams: [],
  errors: [],
};

describe("the manager's control socket", () => {
  let folder: string;
  let path: string;
  let socket: ControlSocket | undefined;
  let client: ControlClient;
  const followers = new Set<(event: EventView) => void>();
  const asked: unknown[] = [];

  const missing = (id: string) => new HcmError('HCM_RESOURCE_NOT_FOUND', `There is no ${id}.`);
  const operations: ManagerOperations = {
    describe: () => ({
      apiVersion: 1,
      version: '1.2.3',
      pid: 7,
      startedAt: DB.since,
      folder: '/var/lib/hcm',
      problems: [],
    }),
    list: () => [DB],
    show: (id) => {
      if (id !== DB.id) throw missing(id);
      return DB;
    },
    add: (request) => {
      asked.push(request);
      return Promise.resolve({ connection: DB, changed: true, replaced: false });
    },
    namedTarget: () => Promise.resolve({ target: 'db.corp:5432' }),
    remove: (id) => (id === DB.id ? Promise.resolve() : Promise.reject(missing(id))),
    restart: (id, options) => {
      asked.push({ id, ...options });
      return Promise.resolve(DB);
    },
    test: (id, known) => {
      asked.push({ id, known });
      const { connection, role } = DB;
      return Promise.resolve({ id, connection, role, passed: true, proofs: [] });
    },
    testEndpoint: (endpoint) => Promise.resolve({ endpoint, passed: true, proofs: [] }),
    export: () => ({ manager: {}, secrets: [] }),
    reload: () =>
      Promise.reject(
        new HcmError('HCM_CONFIG_INVALID', 'hcm.yaml:3:5: no', { details: { file: 'hcm.yaml' } }),
      ),
    logs: (lines) => [{ event: 'online', time: DB.since, lines }],
    samples: (since) => {
      asked.push({ since });
      return { everyMs: 5_000, times: [], connections: {} };
    },
    dashboard: () => Promise.resolve({ url: 'http://127.0.0.1:1/?code=x', expiresAt: DB.since }),
    subscribe: (tell) => {
      followers.add(tell);
      return () => void followers.delete(tell);
    },
  };

  const open = () =>
    openControlSocket({
      ...{ path, lookMs: 10 },
      serve: (request, response) => void serveApi(operations, request, response),
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-control-'));
    path = join(folder, 'run', 'control.sock');
    client = new ControlClient(path);
    asked.length = 0;
    socket = await open();
  });

  afterEach(async () => {
    await socket?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('answers its user alone', async () => {
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'run'))).mode & 0o777, 0o700);
    assert.equal((await client.describe()).version, '1.2.3');
    assert.deepEqual(await client.list(), [{ ...DB }]);
  });

  it('finds a connection by an id that holds spaces and slashes', async () => {
    assert.deepEqual(await client.show(DB.id), DB);
    await client.remove(DB.id);
    await client.restart(DB.id, { acceptTarget: 'db:5432' });
    await client.test(DB.id, { dns: 'passed' });
    assert.deepEqual(asked, [
      { id: DB.id, acceptTarget: 'db:5432' },
      { id: DB.id, known: { dns: 'passed' } },
    ]);
    assert.equal((await client.testEndpoint('db:5432')).endpoint, 'db:5432');
  });

  it('passes on what is to be added', async () => {
    const request: AddRequest = {
      role: 'listener',
      connection: 'my-relay/db',
      connectionString: 'Endpoint=sb://my-relay.servicebus.windows.net/',
      pinnedTarget: 'db:5432',
      entry: { maxStreams: 7 },
    };
    assert.equal((await client.add(request)).changed, true);
    assert.deepEqual(asked, [request]);
  });

  it("gives the manager's error to its caller, with code, text and details", async () => {
    await assert.rejects(client.show('listen my-relay/none'), {
      code: 'HCM_RESOURCE_NOT_FOUND',
      message: 'There is no listen my-relay/none.',
    });
    await assert.rejects(client.reload(), { code: 'HCM_CONFIG_INVALID', details: { file: 'hcm.yaml' } });
    await assert.rejects(client.add({ ...DB, role: 'listener', entry: 1 as never }), {
      code: 'HCM_USAGE',
      message: /"entry"/,
    });
  });

  it('tells the state first and then each event, until the follower leaves', async () => {
    const leaving = new AbortController();
    const events = client.events(leaving.signal);
    const first = await events.next();
    assert.equal((first.value as EventView).event, 'snapshot');
    await until(() => followers.size === 1);
    for (const tell of followers) tell({ event: 'online', time: DB.since, id: DB.id });
    assert.deepEqual((await events.next()).value, { event: 'online', time: DB.since, id: DB.id });
    leaving.abort();
    assert.equal((await events.next()).done, true);
    await until(() => followers.size === 0);
  });

  it('gives samples, from a time on when it is asked so, and a link to the page', async () => {
    assert.deepEqual(await client.samples(), { everyMs: 5_000, times: [], connections: {} });
    assert.deepEqual(await client.dashboard(), { url: 'http://127.0.0.1:1/?code=x', expiresAt: DB.since });
    asked.length = 0;
    assert.equal(await statusOf(`/v1/samples?since=${DB.since}`), 200);
    assert.deepEqual(asked, [{ since: DB.since }]);
    assert.equal(await statusOf('/v1/samples?since=yesterday'), 400);
  });

  it('answers an address that makes no sense, and lives on', async () => {
    for (const address of ['//', '//[', '/v1/%', '*', 'http://%/v1/manager'])
      assert.match(String(await statusOf(address)), /^40[04]$/, address);
    assert.equal((await client.describe()).pid, 7);
  });

  /** What the socket answers to a GET of this address, sent as it is. */
  function statusOf(address: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: path, path: address, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      call.on('error', reject).end();
    });
  }

  it('says that no manager runs when nobody answers', async () => {
    await socket?.close();
    await assert.rejects(client.list(), { code: 'HCM_NOT_RUNNING' });
    await assert.rejects(new ControlClient(join(folder, 'nowhere.sock')).list(), { code: 'HCM_NOT_RUNNING' });
  });

  it('refuses a second manager, and takes over from one that died', async () => {
    await assert.rejects(open(), { code: 'HCM_STATE_LOCKED' });
    await socket?.close();
    // What a killed process leaves: a socket file that nobody answers on.
    const { createServer } = await import('node:net');
    const dead = createServer().listen(path);
    await new Promise((resolve) => dead.once('listening', resolve));
    const { link, unlink } = await import('node:fs/promises');
    await link(path, `${path}.kept`);
    await new Promise((resolve) => dead.close(resolve));
    await link(`${path}.kept`, path);
    await unlink(`${path}.kept`);
    socket = await open();
    assert.equal((await client.describe()).pid, 7);
  });

  it('makes its file again when that is taken away, with its folder; who follows notices nothing', async () => {
    const leaving = new AbortController();
    const events = client.events(leaving.signal);
    const next = async () => ((await events.next()).value as EventView).event;
    assert.equal(await next(), 'snapshot');
    await rm(join(folder, 'run'), { recursive: true });
    await until(() => existsSync(path) && (statSync(path).mode & 0o777) === 0o600, 'the file');
    assert.equal((await client.describe()).pid, 7);
    await assert.rejects(open(), { code: 'HCM_STATE_LOCKED' });
    for (const tell of followers) tell({ event: 'online', time: DB.since });
    assert.equal(await next(), 'online');
    leaving.abort();
    await socket?.close();
    socket = undefined;
    assert.equal(existsSync(path), false);
  });

  it('leaves a file that is no socket alone', async () => {
    await socket?.close();
    await writeFile(path, 'mine');
    await assert.rejects(open(), { code: 'HCM_BIND_FAILED', message: /no socket is in its place/ });
    socket = undefined;
    assert.equal((await stat(path)).isFile(), true);
  });
});
