import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { startLocalPort } from '../../../src/tunnel/local-port.ts';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, outcomeOf, readAll, tcpClient } from '../../helpers/tunnel-bed.ts';
import { rejectsWith } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

describe('a local port', () => {
  expectNothingLeft();
  let bed: TunnelBed;
  let directory: string;

  beforeEach(async () => {
    bed = await TunnelBed.start();
    directory = await mkdtemp(join(tmpdir(), 'hcm-'));
  });
  afterEach(async () => {
    await bed.stop();
    await rm(directory, { recursive: true });
  });

  const listen = async () => {
    const target = await bed.target((socket) => socket.pipe(socket));
    return bed.onlineListener({ target });
  };

  it('says where it is bound, and that a port is in use', async () => {
    const first = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, bed.sender());
    assert.match(first.bind, /^127\.0\.0\.1:[1-9]\d*$/);
    const port = Number(first.bind.split(':')[1]);
    const error = await rejectsWith(
      startLocalPort({ kind: 'tcp', host: '127.0.0.1', port }, bed.sender()),
      'HCM_PORT_IN_USE',
    );
    assert.match(error.message, new RegExp(first.bind.replaceAll('.', '\\.')));
    await first.stop();
  });

  it('binds to IPv6 too', async () => {
    const port = await startLocalPort({ kind: 'tcp', host: '::1', port: 0 }, bed.sender());
    assert.match(port.bind, /^\[::1\]:\d+$/);
    await port.stop();
  });

  it('says why an address cannot be bound', async () => {
    const bind = { kind: 'tcp', host: '203.0.113.1', port: 0 } as const;
    const error = await rejectsWith(startLocalPort(bind, bed.sender()), 'HCM_BIND_FAILED');
    assert.equal(error.details['seen'], 'EADDRNOTAVAIL');
  });

  it('resets a client where no listener is there', async () => {
    const client = await tcpClient(await bed.localPort());
    const { ended, error } = await outcomeOf(client).over;
    assert.ok(error && !ended);
    await until(() => bed.sent.of('refused').length === 1);
    assert.equal(bed.sent.of('refused')[0]?.error.code, 'HCM_NO_LISTENER');
  });

  it('reports how long a stream took to open', async () => {
    await listen();
    const client = await tcpClient(await bed.localPort());
    await until(() => bed.sent.of('opened').length === 1);
    const [opening, opened] = [bed.sent.of('opening')[0], bed.sent.of('opened')[0]];
    assert.equal(opening?.stream, opened?.stream);
    assert.equal(opening?.remote, `127.0.0.1:${client.localPort}`);
    assert.ok(Number.isInteger(opened?.setupMs));
    client.destroy();
  });

  it('takes no new clients after a stop, and lets the open ones finish', async () => {
    await listen();
    const port = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, bed.sender());
    const number = Number(port.bind.split(':')[1]);
    const client = await tcpClient(number);
    await until(() => bed.sent.of('opened').length === 1);
    let stopped = false;
    const stopping = port.stop({ graceMs: 60_000 }).then(() => (stopped = true));
    const late = connect({ port: number, host: '127.0.0.1' });
    const [refused] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(refused.code, 'ECONNREFUSED');
    assert.equal(stopped, false);
    const echo = readAll(client);
    client.end('to the end');
    assert.equal((await echo).toString(), 'to the end');
    await stopping;
    client.destroy();
  });

  it('cuts, without grace, what is open and what is being opened', async () => {
    bed.emulator.faults.stallMs = { connect: Infinity };
    const port = await startLocalPort({ kind: 'tcp', host: '127.0.0.1', port: 0 }, bed.sender());
    const client = await tcpClient(Number(port.bind.split(':')[1]));
    const outcome = outcomeOf(client);
    await until(() => bed.sent.of('opening').length === 1);
    await port.stop({ graceMs: 0 });
    assert.ok((await outcome.over).error);
  });

  it('opens many streams at a time without a warning of Node', async () => {
    await listen();
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const number = await bed.localPort();
    const clients = await Promise.all(Array.from({ length: 30 }, () => tcpClient(number)));
    await until(() => bed.sent.of('opened').length === 30);
    process.off('warning', note);
    assert.deepEqual(warnings.map(String), []);
    for (const client of clients) client.destroy();
  });

  const unix = process.platform === 'win32' ? describe.skip : describe;
  unix('as a Unix socket', () => {
    const bindTo = (name: string) => ({ kind: 'unix', path: join(directory, name) }) as const;

    it('carries streams, belongs to its owner alone, and is gone after the stop', async () => {
      await listen();
      const bind = bindTo('db.sock');
      const port = await startLocalPort(bind, bed.sender());
      assert.equal(port.bind, `unix:${bind.path}`);
      assert.equal((await stat(bind.path)).mode & 0o777, 0o600);
      const client = connect({ path: bind.path, allowHalfOpen: true });
      client.end('over a file');
      assert.equal((await readAll(client)).toString(), 'over a file');
      client.destroy();
      await port.stop();
      await assert.rejects(stat(bind.path), { code: 'ENOENT' });
    });

    it('replaces what a dead process left', async () => {
      const bind = bindTo('stale.sock');
      const code = `require('net').createServer().listen(${JSON.stringify(bind.path)}, () => process.kill(process.pid, 'SIGKILL'))`;
      spawnSync(process.execPath, ['-e', code]);
      assert.ok((await stat(bind.path)).isSocket());
      const port = await startLocalPort(bind, bed.sender());
      await port.stop();
    });

    it('does not take the socket of a live process away', async () => {
      const bind = bindTo('live.sock');
      const other = createServer((socket) => socket.on('error', () => undefined).end());
      other.listen(bind.path);
      await once(other, 'listening');
      await rejectsWith(startLocalPort(bind, bed.sender()), 'HCM_PORT_IN_USE');
      assert.ok((await stat(bind.path)).isSocket());
      other.close();
      await once(other, 'close');
    });

    it('does not remove a file that is no socket', async () => {
      const bind = bindTo('precious.txt');
      await writeFile(bind.path, 'precious');
      await rejectsWith(startLocalPort(bind, bed.sender()), 'HCM_PORT_IN_USE');
      assert.equal((await stat(bind.path)).size, 8);
    });

    it('says that a path is too long', async () => {
      await rejectsWith(startLocalPort(bindTo('x'.repeat(200)), bed.sender()), 'HCM_BIND_FAILED');
    });
  });

  it('serves each of two listeners on one connection in one process', async () => {
    const target = await bed.target((socket) => socket.pipe(socket));
    await bed.onlineListener({ target });
    await bed.onlineListener({ target });
    const number = await bed.localPort();
    const { port } = bed.emulator;
    assert.ok(port !== number && (await Promise.all([1, 2, 3].map(() => echo(number)))).every(Boolean));
    assert.equal(bed.heard.of('online').length, 2);
  });

  async function echo(port: number): Promise<boolean> {
    const client = await tcpClient(port);
    const bytes = readAll(client);
    client.end('x');
    const right = (await bytes).toString() === 'x';
    client.destroy();
    return right;
  }
});
