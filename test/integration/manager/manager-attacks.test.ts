// What somebody who reaches the control socket, or was in the temporary folder first, must not get.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlClient } from '../../../src/manager/control/control-client.ts';
import { openControlSocket } from '../../../src/manager/control/control-socket.ts';
import { EventLog } from '../../../src/manager/event-log.ts';
import { ManagerService } from '../../../src/manager/manager-service.ts';
import { fileSecrets } from '../../../src/manager/secrets.ts';
import { ConnectionStore } from '../../../src/manager/store.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { FakeTunnels } from '../../helpers/fake-tunnels.ts';
import { turn } from '../../helpers/until.ts';

const KEY = 'c2VjcmV0LXRoYXQtbm8tb3V0cHV0LWhvbGRz';
const STRING = `Endpoint=sb://my-relay.servicebus.windows.net/;SharedAccessKeyName=l;SharedAccessKey=${KEY};EntityPath=db`;

describe('who reaches the control socket', () => {
  let folder: string;
  let path: string;
  let service: ManagerService;
  let client: ControlClient;
  const told: string[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hcm-attack-'));
    path = join(folder, 'control.sock');
    service = new ManagerService({
      ...{ version: '1.2.3', pid: 7, folder, socketPath: path },
      store: await ConnectionStore.open({ folder, secrets: fileSecrets(folder) }),
      keys: { choice: 'file' },
      open: new FakeTunnels().open,
      sink: { write: (line) => void told.push(line), close: () => Promise.resolve() },
      clock: systemClock,
      random: Math.random,
      graceMs: 0,
    });
    await service.start();
    client = new ControlClient(path);
  });
  after(async () => {
    await service.stop(0);
    await rm(folder, { recursive: true, force: true });
  });

  const add = (entry: object, connection = 'my-relay/db') =>
    client.add({ role: 'listener', connection, connectionString: STRING, entry: { ...entry } });

  it('makes the manager read no file of its own choice, and stores no connection under a false name', async () => {
    const secret = join(folder, 'of-root.txt');
    await writeFile(secret, STRING);
    for (const entry of [
      { connectionStringFile: secret },
      { connectionString: STRING },
      { connection: 'other-relay/db' },
    ])
      await assert.rejects(add(entry), { code: 'HCM_USAGE' });
    await assert.rejects(add({ '<<': { connectionStringFile: secret } }), { code: 'HCM_CONFIG_INVALID' });
    assert.deepEqual(await client.list(), []);
  });

  it('pollutes no prototype', async () => {
    for (const text of [
      '{"__proto__":{"polluted":1},"role":"listener","connection":"my-relay/db","entry":{"__proto__":{"target":"a:1"}}}',
      '{"role":"listener","connection":"__proto__/constructor","entry":{"constructor":{"prototype":{"polluted":1}}}}',
    ]) {
      const { statusCode, body } = await post('/v1/connections', text);
      assert.equal(statusCode, 400, body);
    }
    assert.equal(({} as { polluted?: number }).polluted, undefined);
    assert.deepEqual(await client.list(), []);
  });

  it('names a connection with no control characters, and tells no key of what it refuses', async () => {
    for (const name of ['my-relay/\u001b[2J', 'my-relay/a\nb', 'my-relay/<img src=x>', '../../etc/x', STRING])
      await assert.rejects(add({ target: 'db:1' }, name));
    assert.ok(!told.join('').includes(KEY));
  });

  it('is told when what it sends is too large, and nothing of it is kept', async () => {
    const { statusCode, body } = await post('/v1/connections', `{"x":"${'x'.repeat(2 * 1024 * 1024)}"}`);
    assert.equal(statusCode, 400);
    assert.match(body, /too large/);
  });

  it('keeps nobody else from being answered by requests that never end', async () => {
    const halves: Socket[] = [];
    for (let count = 0; count < 100; count += 1) {
      const half = connect({ path });
      half.on('error', () => undefined);
      half.write('POST /v1/connections HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{');
      halves.push(half);
      await once(half, 'connect');
    }
    assert.deepEqual(await client.list(), []);
    for (const half of halves) half.destroy();
  });

  it('is one of so many, and no more', async () => {
    const followers = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const follower = connect({ path });
        follower.on('error', () => undefined);
        follower.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
        const isIn = await new Promise<boolean>((resolve) => {
          follower.once('data', () => resolve(true)).once('close', () => resolve(false));
        });
        return { follower, isIn };
      }),
    );
    const taken = followers.filter(({ isIn }) => isIn).length;
    assert.ok(taken > 200 && taken < 300, `${taken} were let in`);
    for (const { follower } of followers) follower.destroy();
    const listed = () =>
      client.list().then(
        ({ length }) => length === 0,
        () => false,
      );
    // The manager learns of it a moment later.
    while (!(await listed())) await turn();
  });

  function post(at: string, text: string): Promise<{ statusCode: number | undefined; body: string }> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: path, method: 'POST', path: at }, (response: IncomingMessage) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.once('end', () => resolve({ statusCode: response.statusCode, body }));
      });
      call.once('error', reject);
      call.end(text);
    });
  }
});

describe('the log of the manager', () => {
  it('keeps no long text of a sender, and no secret however deep it lies', () => {
    const lines: string[] = [];
    const log = new EventLog({ write: (line) => void lines.push(line), close: () => Promise.resolve() });
    log.append({
      ...{ event: 'request', time: 'now', path: `/${'x'.repeat(60_000)}` },
      changes: [{ reason: { message: STRING } }],
      error: new Error(`${STRING} ${'y'.repeat(60_000)}`),
    });
    const [line = ''] = lines;
    assert.ok(line.length < 10_000, `${line.length} characters`);
    assert.ok(!line.includes(KEY));
    assert.equal(JSON.stringify(log.tail(1)[0]), line.trim());
  });
});

describe('the folder of the control socket', () => {
  let place: string;

  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'hcm-place-'));
    await chmod(place, 0o1777);
  });
  afterEach(() => rm(place, { recursive: true, force: true }));

  it('is not one that everybody may write to', async () => {
    if (process.platform === 'win32') return;
    await mkdir(join(place, 'open'));
    await chmod(join(place, 'open'), 0o777);
    const path = join(place, 'open', 'control.sock');
    await assert.rejects(openControlSocket({ path, serve: () => undefined }), { code: 'HCM_FORBIDDEN' });
    await assert.rejects(new ControlClient(path).describe(), { code: 'HCM_FORBIDDEN' });
  });

  it('is one of our own, which others cannot enter', async () => {
    const path = join(place, 'hcm-me', 'control.sock');
    const socket = await openControlSocket({ path, serve: (_, response) => response.end('{"version":"1"}') });
    assert.equal((await new ControlClient(path).describe()).version, '1');
    await socket.close();
  });
});
