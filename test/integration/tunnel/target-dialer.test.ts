import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllowRule } from '../../../src/protocol/allow-list.ts';
import { dialAddress, dialTarget, type TargetDialOptions } from '../../../src/tunnel/target-dialer.ts';
import { systemClock } from '../../../src/tunnel/clock.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { destroySockets } from '../../helpers/socket-pair.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';
import { turns, until } from '../../helpers/until.ts';

describe('dialing a target', () => {
  expectNothingLeft();
  let server: Server;
  let port: number;
  let dialed: number;

  beforeEach(async () => {
    dialed = 0;
    server = createServer((socket) => {
      dialed += 1;
      socket.on('error', () => undefined).resume();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  async function reaches(host: string, options: Partial<TargetDialOptions> = {}): Promise<void> {
    const socket = await dialTarget({ host, port }, { clock: systemClock, ...options });
    assert.equal(socket.remotePort, port);
    assert.equal(socket.allowHalfOpen, true);
    assert.ok(socket.isPaused(), 'nothing is read before the stream is joined');
    await destroySockets(socket);
  }
  const rules = (...texts: string[]) => texts.map((text) => parseAllowRule(text));

  it('reaches an address and a name', async () => {
    await reaches('127.0.0.1');
    await reaches('localhost');
  });

  it('reaches what the allow-list permits by network, address, name and range of ports', async () => {
    await reaches('127.0.0.1', { allow: rules('127.0.0.0/8:*') });
    await reaches('localhost', { allow: rules('127.0.0.0/8:1-65535') });
    await reaches('localhost', { allow: rules(`127.0.0.1:${port}`) });
    await reaches('LocalHost', { allow: rules(`localhost:${port}`) });
    await reaches('::ffff:127.0.0.1', { allow: rules('127.0.0.1:*') });
  });

  for (const [host, ...allow] of [
    ['127.0.0.1', '10.0.0.0/8:*'],
    ['127.0.0.1', '127.0.0.1:1'],
    ['127.0.0.1', 'localhost:*'],
    ['localhost', '10.0.0.0/8:*', 'db.corp:*'],
    ['::ffff:127.0.0.1', '[fd00::]/8:*'],
    ['2130706433', '10.0.0.0/8:*'], // 127.0.0.1, as inet_aton reads it
    ['0x7f.1', '10.0.0.0/8:*'],
  ] as [string, ...string[]][]) {
    it(`does not dial ${host} where only ${allow.join(' and ')} is permitted`, async () => {
      const options = { clock: systemClock, allow: rules(...allow) };
      const error = await rejectsWith(dialTarget({ host, port }, options), 'HCM_TARGET_NOT_ALLOWED');
      assert.match(error.message, new RegExp(host.replace(/[.:]/g, '\\$&')));
      assert.equal(dialed, 0);
    });
  }

  it('dials nothing where the allow-list is empty', async () => {
    const options = { clock: systemClock, allow: [] };
    await rejectsWith(dialTarget({ host: '127.0.0.1', port }, options), 'HCM_TARGET_NOT_ALLOWED');
  });

  it('of several addresses dials those that are permitted', async () => {
    // localhost is 127.0.0.1, and ::1 too where the machine says so.
    await reaches('localhost', { allow: rules('127.0.0.1:*') });
  });

  it('tells a refusal, an unknown name, and a name that no resolver takes', async () => {
    const options = { clock: systemClock };
    await rejectsWith(dialTarget({ host: '127.0.0.1', port: 1 }, options), 'HCM_TARGET_REFUSED');
    await rejectsWith(dialTarget({ host: 'localhost', port: 1 }, options), 'HCM_TARGET_REFUSED');
    await rejectsWith(dialTarget({ host: 'db.invalid', port }, options), 'HCM_TARGET_UNRESOLVED');
    await rejectsWith(dialTarget({ host: 'x'.repeat(250), port }, options), 'HCM_TARGET_UNRESOLVED');
  });

  it('gives up a target that does not answer when its time is up', async () => {
    const clock = new FakeClock();
    const failed = rejectsWith(dialTarget({ host: '127.0.0.1', port }, { clock }), 'HCM_TARGET_TIMEOUT');
    clock.advance(10_000); // before the connection can be reported
    assert.match((await failed).message, /did not answer within 10 s/);
    assert.equal(clock.timers, 0);
    await turns(20);
  });

  it('is stopped by its signal', async () => {
    const controller = new AbortController();
    const options = { clock: systemClock, signal: controller.signal };
    const failed = assert.rejects(dialTarget({ host: 'localhost', port }, options), /stop/);
    controller.abort(new Error('stop'));
    await failed;
    await turns(20);
  });
});

const notOnWindows = process.platform === 'win32' ? describe.skip : describe;

notOnWindows('dialing a Unix socket', () => {
  expectNothingLeft();
  let directory: string;
  let path: string;
  let server: Server;
  let accepted: Socket[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hcm-dial-'));
    path = join(directory, 'app.sock');
    accepted = [];
    server = createServer((socket) => {
      accepted.push(socket);
      socket.on('error', () => undefined).resume();
    });
    // Room for two that wait.
    server.listen({ path, backlog: 1 });
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.close();
    await once(server, 'close');
    await rm(directory, { recursive: true });
  });

  const dial = (to: string, options: Partial<TargetDialOptions> = {}): Promise<Socket> =>
    dialAddress({ kind: 'unix', path: to }, { clock: systemClock, ...options });

  it('reaches it, also by its own rule of an allow-list', async () => {
    for (const options of [{}, { allow: [parseAllowRule(`unix:${path}`)] }]) {
      const socket = await dial(path, options);
      assert.equal(socket.allowHalfOpen, true);
      assert.ok(socket.isPaused(), 'nothing is read before the stream is joined');
      await destroySockets(socket);
    }
  });

  it('does not dial it where the allow-list does not name it', async () => {
    const allow = [parseAllowRule('0.0.0.0/0:*'), parseAllowRule(`unix:${path}x`)];
    const error = await rejectsWith(dial(path, { allow }), 'HCM_TARGET_NOT_ALLOWED');
    assert.deepEqual(error.details, { target: `unix:${path}` });
    assert.deepEqual(accepted, []);
  });

  it('tells a missing file, a file that nobody serves, and a path that is cut by the system', async () => {
    const missing = await rejectsWith(dial(`${path}x`), 'HCM_TARGET_UNREACHABLE');
    assert.equal(missing.message, `unix:${path}x could not be reached (there is no such file)`);
    const file = join(directory, 'file');
    await writeFile(file, '');
    const refused = await rejectsWith(dial(file), 'HCM_TARGET_REFUSED');
    assert.equal(refused.message, `unix:${file} refused the connection`);
    const long = join(directory, 'x'.repeat(200));
    assert.match((await rejectsWith(dial(long), 'HCM_TARGET_UNREACHABLE')).message, /107 are possible/);
  });

  it('waits for a place in its queue, as TCP does', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(path)));
    await until(() => accepted.length === 20);
    await destroySockets(...sockets);
  });

  it('gives up a queue that stays full when its time is up', async () => {
    const clock = new FakeClock();
    // In one turn: the server accepts nothing meanwhile.
    const dialing = Array.from({ length: 4 }, () => dial(path, { clock, timeoutMs: 10 }));
    const settled = Promise.allSettled(dialing);
    await Promise.all(dialing.slice(0, 2));
    clock.advance(10); // the others wait for 20 ms
    const outcomes = await settled;
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(failed.length, 2);
    for (const { reason } of failed) assert.equal((reason as { code: string }).code, 'HCM_TARGET_TIMEOUT');
    assert.equal(clock.timers, 0);
    await destroySockets(...outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value] : [])));
  });
});
