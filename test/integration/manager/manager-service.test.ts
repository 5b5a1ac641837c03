import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManagerSection } from '../../../src/lib/config/hcm-yaml/load.ts';
import { ControlClient } from '../../../src/manager/control/control-client.ts';
import type { AddRequest, EventView } from '../../../src/manager/control/operations.ts';
import { LOG_FILE, logFile } from '../../../src/manager/event-log.ts';
import { ManagerService } from '../../../src/manager/manager-service.ts';
import { fileSecrets } from '../../../src/manager/secrets.ts';
import { ConnectionStore } from '../../../src/manager/store.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { FakeTunnels, failure } from '../../helpers/fake-tunnels.ts';
import { until } from '../../helpers/until.ts';

const KEY = 'c2VjcmV0LXRoYXQtbm8tb3V0cHV0LWhvbGRz';
const STRING = `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=l;SharedAccessKey=${KEY};EntityPath=db`;
const DB = 'listen my-relay/db';

describe('the manager of a folder', () => {
  let folder: string;
  let file: string;
  let tunnels: FakeTunnels;
  let client: ControlClient;
  /** What reading the file waits for. */
  let before: (() => Promise<void>) | undefined;
  const running: ManagerService[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-manager-'));
    file = join(folder, 'hcm.yaml');
    tunnels = new FakeTunnels();
    before = undefined;
    client = new ControlClient(join(folder, 'control.sock'));
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.stop(0)));
    await rm(folder, { recursive: true, force: true });
  });

  async function start(): Promise<ManagerService> {
    const secrets = fileSecrets(folder);
    const load = async () => {
      await before?.();
      return parseManagerSection(await readFile(file, 'utf8'), { file: 'hcm.yaml', env: {}, folder });
    };
    const service = new ManagerService({
      version: '1.2.3',
      pid: 7,
      folder,
      socketPath: join(folder, 'control.sock'),
      store: await ConnectionStore.open({ folder, secrets }),
      keys: { choice: 'file' },
      file: { path: file, load },
      signedInHost: (connection) =>
        Promise.resolve(connection.replace(/\/.*$/, '.servicebus.windows.net').toLowerCase()),
      open: tunnels.open,
      sink: await logFile(folder, assert.ifError),
      clock: systemClock,
      random: Math.random,
      graceMs: 0,
    });
    await service.start();
    running.push(service);
    return service;
  }

  async function declare(...connections: string[]): Promise<void> {
    const lines = connections.map((name) => `    - connection: my-relay/${name}\n      target: ${name}:5432`);
    await writeFile(file, `manager:\n  listeners:\n${lines.join('\n')}\n`);
  }

  it('runs what the file declares and what was added, and tells both', async () => {
    await declare('web');
    await start();
    const { changed, connection } = await client.add({
      role: 'listener',
      connection: 'my-relay/db',
      connectionString: STRING,
      entry: { target: 'db:5432' },
    });
    assert.equal(changed, true);
    assert.equal(connection.id, DB);
    await until(() => tunnels.opened.length === 2);
    assert.deepEqual(
      (await client.list()).map(({ id, source }) => [id, source]),
      [
        ['listen my-relay/web', 'file'],
        [DB, 'store'],
      ],
    );
    assert.equal((await client.show(DB)).target, 'db:5432', 'before anything leads there');
    tunnels.of(DB)[0]?.emit({ event: 'online', target: 'db2:5432' });
    const shown = await client.show(DB);
    assert.equal(shown.state, 'online');
    assert.equal(shown.target, 'db2:5432');
  });

  it('lists one connection with its details when asked, and says nothing of one that is gone', async () => {
    await declare('web', 'db');
    const service = await start();
    const detailed = (id: string) => service.list(id).map((view) => 'streams' in view && 'errors' in view);
    assert.deepEqual(detailed(DB), [false, true]);
    assert.deepEqual(detailed('listen my-relay/gone'), [false, false]);
  });

  it('runs again after a restart what was added before', async () => {
    await declare('web');
    const first = await start();
    await client.add({ role: 'listener', connection: 'my-relay/db', connectionString: STRING, entry: {} });
    await first.stop(0);
    running.length = 0;
    await start();
    assert.ok((await client.list()).some(({ id }) => id === DB));
  });

  it('opens a connection anew whose key alone is another, and forgets a key that is given up', async () => {
    await declare('web');
    await start();
    const request = { role: 'listener', connection: 'my-relay/db', entry: { target: 'db:5432' } } as const;
    await client.add({ ...request, connectionString: STRING });
    await until(() => tunnels.of(DB).length === 1);
    const other = await client.add({ ...request, connectionString: STRING.replace('Name=l', 'Name=m') });
    assert.equal(other.changed, true);
    await until(() => tunnels.of(DB).length === 2);
    const without = await client.add(request);
    assert.equal(without.changed, true);
    await until(() => tunnels.of(DB).length === 3);
    assert.equal(
      await readFile(join(folder, 'secrets.json'), 'utf8').then((text) => text.includes(STRING)),
      false,
    );
    assert.equal((await client.add(request)).changed, false);
  });

  it("tells of this machine's clock until a connection hears that it is right", async () => {
    await declare('web', 'db');
    await start();
    await until(() => tunnels.opened.length === 2);
    const [web, db] = tunnels.opened;
    for (const tunnel of [web, db]) tunnel?.emit({ event: 'clock-skew', skewMs: -600_000 });
    const problems = async () =>
      (await client.describe()).problems.map(({ code, message }) => [code, message]);
    const text = "The clock of this machine is 10 minutes behind the relay's (my-relay).";
    assert.deepEqual(await problems(), [['HCM_CLOCK_SKEW', text]]);
    web?.emit({ event: 'clock-skew', skewMs: 0 });
    assert.deepEqual(await problems(), []);
    db?.emit({ event: 'clock-skew', skewMs: -600_000 });
    await declare('web');
    await client.reload();
    assert.deepEqual(await problems(), [], 'the only one that said so is gone');
  });

  it('takes a changed key file into running tunnels, and tells of one that is no good', async () => {
    await writeFile(
      file,
      'manager: {listeners: [{connection: my-relay/db, connectionStringFile: key.txt, target: "db:1"}]}\n',
    );
    const service = await start();
    const keyFile = join(folder, 'key.txt');
    assert.deepEqual(service.keyFiles, [keyFile]);
    await until(() => tunnels.of(DB).length === 1);
    const [tunnel] = tunnels.of(DB);
    assert.ok(tunnel);
    let isGood = false;
    tunnel.renewKey = () =>
      isGood ? Promise.resolve(true) : Promise.reject(failure('HCM_CONNECTION_STRING_INVALID', 'no "="'));
    await service.keyFileChanged(keyFile);
    assert.equal((await client.describe()).problems[0]?.code, 'HCM_CONNECTION_STRING_INVALID');
    isGood = true;
    await service.keyFileChanged(keyFile);
    assert.deepEqual((await client.describe()).problems, []);
    assert.deepEqual([tunnels.of(DB).length, tunnel.stops], [1, []]);
    isGood = false;
    await service.keyFileChanged(keyFile);
    let refuse: () => void = () => undefined;
    const refused = new Promise<never>((_, reject) => {
      refuse = () => reject(failure('HCM_CONNECTION_STRING_INVALID', 'still no "="'));
    });
    tunnel.renewKey = () => refused;
    const late = service.keyFileChanged(keyFile);
    await declare('web');
    await client.reload();
    assert.deepEqual((await client.describe()).problems, [], 'nothing names that file any more');
    refuse();
    await late;
    assert.deepEqual((await client.describe()).problems, []);
  });

  it('changes nothing before it knows what there is: what stands in a file that is read slowly, too', async () => {
    await declare('web');
    let read: () => void = () => undefined;
    const isRead = new Promise<void>((resolve) => (read = resolve));
    let isAsked = false;
    before = () => ((isAsked = true), isRead);
    const starting = start();
    await until(() => isAsked);
    const web = { role: 'listener', connection: 'my-relay/web', entry: { target: 'web:1' } } as const;
    const asked = Promise.allSettled([client.add(web), client.restart('listen my-relay/web', {})]);
    await client.describe();
    read();
    await starting;
    const [added, restarted] = await asked;
    assert.match(String(added.status === 'rejected' && added.reason), /my-relay\/web stands in/);
    assert.equal(restarted.status, 'fulfilled');
  });

  it('says that nothing has changed when the same is added again', async () => {
    await declare('web');
    await start();
    const request = {
      role: 'listener',
      connection: 'my-relay/db',
      connectionString: STRING,
      entry: {},
    } as const;
    await client.add(request);
    assert.equal((await client.add(request)).changed, false);
    assert.equal(tunnels.of(DB).length, 1);
  });

  it('leaves to the file what stands in it', async () => {
    await declare('web');
    await start();
    await assert.rejects(client.remove('listen my-relay/web'), { code: 'HCM_RESOURCE_CONFLICT' });
    const request = { role: 'listener', connection: 'My-Relay/WEB', entry: {} } as const;
    await assert.rejects(client.add(request), { code: 'HCM_RESOURCE_CONFLICT' });
  });

  it('leaves to the file what stands in it by its whole host: stored, it would never run nor be found', async () => {
    await declare('web');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('my-relay/web', 'my-relay.servicebus.windows.net/web'));
    await start();
    const request = { role: 'listener', connection: 'my-relay/web', entry: { target: 'web:1' } } as const;
    await assert.rejects(client.add(request), {
      code: 'HCM_RESOURCE_CONFLICT',
      message: `my-relay.servicebus.windows.net/web stands in ${file}.`,
    });
    await assert.rejects(readFile(join(folder, 'connections.json')), { code: 'ENOENT' });
    await client.add({ ...request, role: 'forward', entry: { bind: '127.0.0.1:1' } });
  });

  it('refuses bad input, names the key, and stores nothing', async () => {
    await declare('web');
    await start();
    const request = { role: 'listener', connection: 'my-relay/db', entry: { target: 'no port' } } as const;
    await assert.rejects(client.add(request), { code: 'HCM_CONFIG_INVALID', message: /^target: expected/ });
    const more = { ...request, entry: { target: 5, maxStreams: 'x' } };
    await assert.rejects(client.add(more), {
      message: /^It has 2 mistakes:\n {2}target: .*\n {2}maxStreams: /,
    });
    assert.equal((await client.list()).length, 1);
    await assert.rejects(readFile(join(folder, 'connections.json')), { code: 'ENOENT' });
  });

  it('follows an edited file, and touches only what differs', async () => {
    await declare('web', 'db');
    await start();
    await until(() => tunnels.opened.length === 2);
    await declare('db', 'mail');
    assert.deepEqual(await client.reload(), {
      started: ['listen my-relay/mail'],
      reopened: [],
      stopped: ['listen my-relay/web'],
    });
    await until(() => tunnels.opened.length === 3);
    assert.deepEqual(tunnels.of(DB)[0]?.stops, []);
  });

  it('changes nothing for a broken file, says where it is wrong, and forgets that once it is right', async () => {
    await declare('db');
    await start();
    await until(() => tunnels.opened.length === 1);
    await writeFile(file, 'manager:\n  listeners:\n    - conection: my-relay/db\n');
    await assert.rejects(client.reload(), { code: 'HCM_CONFIG_INVALID', message: /hcm\.yaml.*3:7/s });
    assert.equal((await client.list()).length, 1);
    assert.deepEqual(tunnels.of(DB)[0]?.stops, []);
    assert.equal((await client.describe()).problems[0]?.code, 'HCM_CONFIG_INVALID');
    await declare('db');
    await client.reload();
    assert.deepEqual((await client.describe()).problems, []);
  });

  it('tells a problem once while it stays the same', async () => {
    await writeFile(file, 'manager: {nonsense');
    const service = await start();
    await assert.rejects(service.reload());
    const problems = async () => (await client.logs(100)).filter(({ event }) => event === 'problem');
    assert.equal((await problems()).length, 1);
    await writeFile(file, 'manager: {other nonsense');
    await assert.rejects(service.reload());
    assert.equal((await problems()).length, 2);
  });

  it('removes a connection and its secret', async () => {
    await declare('web');
    await start();
    await client.add({ role: 'listener', connection: 'my-relay/db', connectionString: STRING, entry: {} });
    await client.remove(DB);
    assert.equal((await client.list()).length, 1);
    assert.doesNotMatch(await readFile(join(folder, 'secrets.json'), 'utf8'), new RegExp(KEY));
    await assert.rejects(client.show(DB), { code: 'HCM_RESOURCE_NOT_FOUND' });
  });

  it('tells followers what happens, and keeps it in a file, without a secret', async () => {
    await declare('web');
    const service = await start();
    const leaving = new AbortController();
    const events = client.events(leaving.signal);
    await events.next();
    await client.add({ role: 'listener', connection: 'my-relay/db', connectionString: STRING, entry: {} });
    assert.equal(((await events.next()).value as EventView).event, 'followed');
    const error = failure('HCM_TOKEN_SIGNATURE', `refused: SharedAccessKey=${KEY}`);
    tunnels.of(DB)[0]?.emit({ event: 'reconnecting', retryInMs: 1000, attempt: 1, error });
    const seen = [];
    for await (const event of events) {
      seen.push(event);
      if (event.event === 'reconnecting') break;
    }
    assert.deepEqual(seen.at(-1)?.['error'], {
      code: 'HCM_TOKEN_SIGNATURE',
      message: 'refused: SharedAccessKey=***',
    });
    leaving.abort();
    assert.ok((await client.logs(100)).some(({ event }) => event === 'followed'));
    await service.stop(0);
    running.length = 0;
    const text = await readFile(join(folder, LOG_FILE), 'utf8');
    assert.match(text, /"event":"followed"/);
    assert.doesNotMatch(text, new RegExp(KEY));
  });

  it('runs what the file declares although entries of its store make no sense, and says so of each', async () => {
    await declare('web');
    const wrong = { role: 'listener', addedAt: '', entry: { target: 'no port' } };
    const connections = ['my-relay/db', 'my-relay/mail'].map((connection) => ({ ...wrong, connection }));
    await writeFile(join(folder, 'connections.json'), JSON.stringify({ version: 1, connections }));
    await start();
    assert.deepEqual(
      (await client.list()).map(({ id }) => id),
      ['listen my-relay/web'],
    );
    const [problem, other] = (await client.describe()).problems;
    assert.equal(problem?.code, 'HCM_CONFIG_INVALID');
    assert.match(other?.message ?? '', /^my-relay\/mail in connections\.json does not run: target: expected/);
    assert.match(problem.message, /^my-relay\/db in connections\.json does not run: target: expected/);
    assert.equal(problem.next, 'Add it again, which replaces it: hcm add my-relay/db …');
    await client.add({ role: 'listener', connection: 'my-relay/db', entry: { target: 'db:5432' } });
    assert.deepEqual((await client.describe()).problems, [other]);
    await client.add({ role: 'listener', connection: 'my-relay/mail', entry: { target: 'mail:25' } });
    assert.deepEqual((await client.describe()).problems, []);
    const told = (await client.logs(100)).filter(({ event }) => event === 'problem');
    assert.equal(told.length, 2, 'each is told once');
  });

  it('keeps a second manager from the same folder, and from what is damaged there', async () => {
    await declare('web');
    await start();
    await writeFile(join(folder, 'connections.json'), '{"version":1,');
    await assert.rejects(start(), { code: 'HCM_STATE_LOCKED' });
    assert.equal(await readFile(join(folder, 'connections.json'), 'utf8'), '{"version":1,');
  });

  it('does not give one connection for another of the same name in another cloud', async () => {
    await declare('web');
    await start();
    const request = { role: 'listener', connection: 'my-relay/db', entry: { target: 'db:5432' } } as const;
    await client.add({ ...request, connectionString: STRING });
    const other = STRING.replace('windows.net', 'chinacloudapi.cn');
    await assert.rejects(client.add({ ...request, connectionString: other }), {
      code: 'HCM_RESOURCE_CONFLICT',
      message:
        /for the relay my-relay\.servicebus\.windows\.net; this .* my-relay\.servicebus\.chinacloudapi\.cn/,
    });
    assert.match(await readFile(join(folder, 'secrets.json'), 'utf8'), /windows\.net/);
    const mail = { ...request, connection: 'my-relay/mail' } as const;
    await client.add(mail);
    const key = (text: string) => ({ ...mail, connectionString: text.replace('=db', '=mail') });
    await assert.rejects(client.add(key(other)), {
      code: 'HCM_RESOURCE_CONFLICT',
      message:
        /for the relay my-relay\.servicebus\.windows\.net; this .* my-relay\.servicebus\.chinacloudapi\.cn/,
    });
    assert.equal((await client.add(key(STRING))).replaced, true);
    assert.equal((await client.add(mail)).replaced, true);
    await client.remove('listen my-relay/mail');
    await client.add(key(other));
    await assert.rejects(client.add(mail), { code: 'HCM_RESOURCE_CONFLICT' });
    const connection = 'my-relay.servicebus.chinacloudapi.cn/db';
    await client.add({ ...request, connection, connectionString: other });
    assert.ok((await client.list()).some((one) => one.connection === connection));
    assert.ok((await client.list()).some((one) => one.connection === 'my-relay/db'));
  });

  it('accepts the target that was shown, and no other that Azure names by now', async () => {
    await start();
    const request: AddRequest = { role: 'listener', connection: 'my-relay/db', entry: {} };
    await client.add({ ...request, connectionString: STRING, pinnedTarget: 'db:5432' });
    await until(() => tunnels.opened.length === 1);
    tunnels.last.emit({ event: 'online', target: 'db2:5432' });
    await assert.rejects(client.restart(DB, { acceptTarget: 'db:5432' }), {
      code: 'HCM_RESOURCE_CONFLICT',
      message: 'Azure names db2:5432 for my-relay/db by now, and not db:5432.',
    });
    const toldAll = { acceptTarget: true } as unknown as { acceptTarget: string };
    await assert.rejects(client.restart(DB, toldAll), { code: 'HCM_USAGE' });
    assert.equal(tunnels.attempts, 1);
    await client.restart(DB, { acceptTarget: 'db2:5432' });
    await until(() => tunnels.attempts === 2);
    assert.equal(tunnels.confirmed.at(-1), 'db2:5432');
    // What is shown before Azure has said anything is the confirmed one: nothing to accept, and no error either.
    await client.restart(DB, { acceptTarget: 'db2:5432' });
  });

  it('stores nothing that it could not run or read again: a target, an entry, a key that are none', async () => {
    await declare('web');
    await start();
    const request = { role: 'listener', connection: 'my-relay/db', entry: {} } as const;
    for (const [wrong, code] of [
      [{ pinnedTarget: 'nowhere' }, 'HCM_TARGET_INVALID'],
      [{ entry: [] }, 'HCM_USAGE'],
      [{ connectionString: 'Endpoint=nothing' }, 'HCM_CONNECTION_STRING_INVALID'],
      [{ connectionString: STRING.replace('=db', '=web') }, 'HCM_CONNECTION_INVALID'],
      [{ connectionString: STRING.replace('//my-', '//other-') }, 'HCM_CONNECTION_INVALID'],
    ] as const)
      await assert.rejects(client.add({ ...request, ...wrong } as AddRequest), { code });
    await client.add({ ...request, connection: 'my-relay/mail' });
    assert.deepEqual(
      (await client.list()).map(({ id }) => id),
      ['listen my-relay/web', 'listen my-relay/mail'],
    );
  });

  it('tells where keys lie', async () => {
    await writeFile(join(folder, 'key'), STRING);
    await writeFile(
      file,
      'manager: {listeners: [{connection: my-relay/web, connectionStringFile: key, target: "web:1"}]}',
    );
    await start();
    await client.add({ role: 'listener', connection: 'my-relay/db', connectionString: STRING, entry: {} });
    await client.add({ role: 'listener', connection: 'my-relay/mail', entry: {} });
    assert.deepEqual((await client.describe()).keys, {
      ...{ choice: 'file', added: 'file' },
      held: { 'key-file': 1, file: 1 },
    });
  });

  it('ends once, however often it is told to', async () => {
    await declare('web');
    const service = await start();
    const told: string[] = [];
    service.subscribe(({ event }) => told.push(event));
    await Promise.all([service.stop(10_000), service.stop(0)]);
    running.length = 0;
    assert.equal(told.filter((event) => event === 'stopped').length, 1);
  });

  it('takes nothing any more while it ends, and says so', async () => {
    await declare('web');
    const service = await start();
    const stopping = service.stop(0);
    const request: AddRequest = { role: 'listener', connection: 'my-relay/db', entry: {} };
    for (const act of [
      () => service.add(request),
      () => service.remove('listen my-relay/web'),
      () => service.restart('listen my-relay/web', {}),
    ])
      await assert.rejects(act(), { code: 'HCM_NOT_RUNNING' });
    await stopping;
    running.length = 0;
    await start();
    assert.deepEqual(
      (await client.list()).map(({ id }) => id),
      ['listen my-relay/web'],
    );
  });
});
