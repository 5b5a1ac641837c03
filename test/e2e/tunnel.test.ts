// `hcm listen` and `hcm forward`, each a process, through an emulator that is a third.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import type { HcmProcess } from './hcm-process.ts';
import { answerReversed, ask, client, portOf, RelayHome, startServer } from './relay-home.ts';

/** A signal before a handler is there ends a process of Windows: there the test is not defined. */
const onPosix = process.platform === 'win32' ? () => undefined : it;

describe('hcm listen and hcm forward', () => {
  const home = new RelayHome();
  let target: Server;

  before(async () => {
    target = await startServer(answerReversed);
    await home.startEmulator(
      'db',
      'web',
      'stop',
      'alone',
      'dead',
      'sink',
      `known=127.0.0.1:${portOf(target)}`,
    );
    await Promise.all([home.listen('db', target), home.listen('web', target)]);
  });
  after(async () => {
    target.close();
    await home.remove();
  });

  it('move bytes both ways, with half-close, and report them', async () => {
    const { process, port } = await home.forward('db');
    const question = randomBytes(300_000);
    const answer = await ask(port, question);
    assert.ok(answer.equals(Buffer.from(question).reverse()));
    const closed = await process.event('closed');
    const { connection, stream, bytesIn, bytesOut, reason } = closed;
    assert.deepEqual([connection, bytesIn, bytesOut, reason], ['localhost/db', 300_000, 300_000, 'ended']);
    const opened = await process.event('opened');
    assert.equal(stream, opened['stream']);
    assert.deepEqual([process.lines[0]?.event, process.lines[0]?.['bind']], ['ready', `127.0.0.1:${port}`]);
    const { status, stdout, stderr } = await process.interrupt();
    assert.deepEqual([status, stderr], [0, '']);
    for (const { senderConnectionString } of home.connections) {
      assert.ok(!stdout.includes(/SharedAccessKey=([^;]+)/.exec(senderConnectionString)?.[1] ?? ''));
    }
  });

  it('listen says ready, then online, and reads its target from the entity when it is given none', async () => {
    const listener = home.start(['listen', '--connection-string-file', 'known-listen.txt', '--json']);
    const online = await listener.event('online');
    assert.equal(online['target'], `127.0.0.1:${portOf(target)}`);
    assert.equal(listener.lines[0]?.event, 'ready');
    const { port } = await home.forward('known');
    assert.equal(String(await ask(port, 'abc')), 'cba');
    const accepted = await listener.event('accepted');
    assert.equal(accepted['connection'], 'localhost/known');
    await listener.event('closed', ({ stream }) => stream === accepted['stream']);
    assert.equal((await listener.interrupt()).status, 0);
    assert.equal(listener.lines.at(-1)?.event, 'offline');
  });

  it('forward opens several connections, each with its own port or socket', async () => {
    const socketPath = home.path('web.sock');
    const forward = home.start([
      ...['forward', 'db=127.0.0.1:0', `web=unix:${socketPath}`, '--json'],
      ...['--connection-string-file', 'db-send.txt', '--connection-string-file', 'web-send.txt'],
    ]);
    const { binds } = (await forward.event('ready')) as unknown as {
      binds: { bind: string; connection: string }[];
    };
    assert.deepEqual(
      binds.map(({ connection }) => connection),
      ['localhost/db', 'localhost/web'],
    );
    assert.equal(String(await ask(Number(binds[0]?.bind.split(':')[1]), 'one')), 'eno');
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    socket.end('two');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(answer), 'owt');
  });

  it('one namespace-level string serves all names', async () => {
    const env = { HCM_CONNECTION_STRING: String(home.ready['connectionString']) };
    const forward = home.start(['forward', 'db', 'web', '--json'], env);
    const { binds } = (await forward.event('ready')) as unknown as { binds: { bind: string }[] };
    for (const { bind } of binds) assert.equal(String(await ask(Number(bind.split(':')[1]), 'ab')), 'ba');
  });

  it('a connection string comes from stdin, too', async () => {
    const forward = home.start(['forward', '--connection-string-file', '-', '--json']);
    forward.child.stdin.end(home.connections[0]?.senderConnectionString);
    assert.equal((await forward.event('ready'))['connection'], 'localhost/db');
  });

  it('Ctrl-C lets an open stream finish, and the end is status 0', async () => {
    const listener = await home.listen('stop', target);
    const { process, port } = await home.forward('stop', '--grace-period', '1m');
    const socket = await client(port);
    await process.event('opened');
    process.kill('SIGINT');
    listener.kill('SIGTERM');
    socket.end('still here');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(answer), 'ereh llits');
    const ended = await Promise.all([process.ended, listener.ended]);
    assert.deepEqual(
      ended.map(({ status }) => status),
      [0, 0],
    );
  });

  for (const [signal, wanted] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`a second signal stops now: ${signal} is ${wanted}`, async () => {
      const { process, port } = await home.forward('db', '--grace-period', '1h', '--verbose');
      const socket = await client(port);
      socket.on('error', () => undefined);
      await process.event('opened');
      process.kill(signal);
      // The first signal has arrived once the port takes no more clients.
      await untilRefused(port);
      process.kill(signal);
      assert.equal((await process.ended).status, wanted);
    });
  }

  for (const json of [[], ['--json']]) {
    it(`Ctrl-C while the relay does not answer is status 0, without an error${json.length > 0 ? ', with --json' : ''}`, async () => {
      const silent = await startServer(() => undefined);
      const string = `Endpoint=sb://localhost:${portOf(silent)}/;SharedAccessKeyName=r;SharedAccessKey=a2V5;EntityPath=db`;
      const listener = home.start(['listen', '--verbose', ...json], { HCM_CONNECTION_STRING: string });
      await (json.length > 0 ? listener.event('connecting') : listener.says('connecting to localhost/db'));
      const { status, stdout, stderr } = await listener.interrupt();
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stdout + stderr, /error|HCM_ABORTED/i);
      silent.close();
    });
  }

  for (const [signal, args] of [
    ['SIGINT', ['listen']],
    ['SIGTERM', ['forward']],
  ] as const) {
    onPosix(`${signal} before hcm ${args[0]} has begun is status 0, too`, async () => {
      const starting = home.start([...args, '--connection-string-file', '-']);
      // More than a pipe holds: once it is gone, hcm reads its stdin, and waits for the rest.
      const taken = new Promise((resolve) => starting.child.stdin.write('x'.repeat(900_000), resolve));
      await taken;
      starting.kill(signal);
      const { status, stdout, stderr } = await starting.ended;
      assert.deepEqual([status, stdout, stderr], [0, '', '']);
    });
  }

  it('the end of the grace period cuts what is left, and is status 0', async () => {
    const { process, port } = await home.forward('db', '--grace-period', '50ms');
    const socket = await client(port);
    socket.on('error', () => undefined);
    await process.event('opened');
    assert.equal((await process.interrupt()).status, 0);
    assert.equal(process.lines.at(-1)?.['reason'], 'HCM_ABORTED');
    assert.doesNotMatch(String(process.lines.at(-1)?.['next']), /far side|again/);
  });

  it('"no listener yet" resets the client and goes on; later it works', async () => {
    const { process, port } = await home.forward('alone');
    await assert.rejects(ask(port, 'anybody?'));
    assert.equal((await process.event('refused'))['reason'], 'HCM_NO_LISTENER');
    await home.listen('alone', target);
    assert.equal(String(await ask(port, 'now')), 'won');
  });

  it('a target that refuses is told at both ends, and ends neither', async () => {
    const listener = await home.listen('dead', 1);
    const { process, port } = await home.forward('dead');
    await assert.rejects(ask(port, 'hello'));
    const [refused, rejected] = await Promise.all([process.event('refused'), listener.event('rejected')]);
    assert.deepEqual([refused['reason'], rejected['reason']], ['HCM_TARGET_REFUSED', 'HCM_TARGET_REFUSED']);
  });

  it('a wrong key ends listen with 3, an unknown entity with 5, unless --keep-trying', async () => {
    const right = home.connections[0]?.listenerConnectionString ?? '';
    const wrongKey = right.replace(/SharedAccessKey=[^;]+/, 'SharedAccessKey=d3Jvbmc=');
    const unknown = String(home.ready['connectionString']);
    const listen = (string: string, ...args: string[]) =>
      home.start(['listen', '--target', 'x:1', '--json', ...args], { HCM_CONNECTION_STRING: string });
    const [forbidden, missing] = await Promise.all([listen(wrongKey).ended, listen(unknown, 'nobody').ended]);
    assert.deepEqual([forbidden.status, missing.status], [3, 5]);
    const error = JSON.parse(forbidden.stdout.trim().split('\n').at(-1) ?? '') as {
      error: { azure: { status: number } };
    };
    assert.equal(error.error.azure.status, 401);
    const patient = listen(wrongKey, '--keep-trying');
    assert.equal((await patient.event('reconnecting'))['reason'], 'HCM_TOKEN_SIGNATURE');
    assert.equal((await patient.interrupt()).status, 0);
  });

  it('a wrong key ends forward with 3 at its first client, unless --keep-trying', async () => {
    const right = home.connections[0]?.senderConnectionString ?? '';
    writeFileSync(
      home.path('bad-send.txt'),
      right.replace(/SharedAccessKey=[^;]+/, 'SharedAccessKey=d3Jvbmc='),
      { mode: 0o600 },
    );
    const ending = await home.forward('bad');
    await assert.rejects(ask(ending.port, 'x'));
    const { status, stdout } = await ending.process.ended;
    assert.equal(status, 3);
    assert.match(stdout.trim().split('\n').at(-1) ?? '', /^{"event":"error".*HCM_TOKEN_SIGNATURE/);
    const patient = await home.forward('bad', '--keep-trying');
    await assert.rejects(ask(patient.port, 'x'));
    await patient.process.event('refused');
    assert.equal((await patient.process.interrupt()).status, 0);
  });

  it('for people, the address is the answer on stdout and the rest is on stderr', async () => {
    const forward = home.start(['forward', '--connection-string-file', 'db-send.txt']);
    await forward.answers(' -> localhost/db\n');
    const port = Number(/:(\d+) ->/.exec(forward.stdout)?.[1]);
    await ask(port, 'x');
    await forward.says('closed, 1 bytes in, 1 out');
    assert.equal(forward.stdout.split('\n').length, 2);
  });

  describe('forward -- COMMAND', () => {
    const run = (command: string[], env: NodeJS.ProcessEnv = {}) =>
      home.run(['forward', '--connection-string-file', 'db-send.txt', '--', ...command], { env });

    it('runs it with the tunnel up, gives it the port, and leaves stdout to it', async () => {
      const script = `
        const socket = require('net').connect({ host: process.env.HCM_HOST, port: process.env.HCM_PORT_DB, allowHalfOpen: true });
        socket.end(process.argv.slice(1).join('|')).on('data', (answer) => process.stdout.write(answer));`;
      const { status, stdout } = await run([process.execPath, '-e', script, '--', 'b', '--', 'a']);
      assert.deepEqual([status, stdout], [0, reversed('b|--|a')]);
    });

    for (const size of [1_000, 3_000_000]) {
      it(`delivers the ${size} bytes that it sent before it ended, and their end`, async () => {
        const received: Buffer[] = [];
        const sink = await startServer((socket) => {
          socket.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => socket.end());
        });
        const listener = await home.listen('sink', sink);
        const script = `
          const socket = require('net').connect({ host: process.env.HCM_HOST, port: process.env.HCM_PORT });
          socket.end(Buffer.alloc(${size}, 'x'), () => process.exit(5));`;
        const file = home.path('sink-send.txt');
        const args = ['forward', '--connection-string-file', file, '--', process.execPath, '-e', script];
        const { status, stderr } = await home.run(args);
        assert.deepEqual([status, Buffer.concat(received).length], [5, size], stderr);
        sink.close();
        await listener.interrupt();
      });
    }

    it('takes a client that came just before it ended', async () => {
      const seen = await startServer((socket) => socket.resume().on('end', () => socket.end()));
      const listener = await home.listen('sink', seen);
      // The command that ends is not the one that connects: nothing but the port's queue tells of the client.
      const script = `exec 3<>/dev/tcp/127.0.0.1/$HCM_PORT; printf hello >&3`;
      const args = ['forward', '--connection-string-file', 'sink-send.txt', '--json'];
      const { status, stderr } = await home.run([...args, '--', 'bash', '-c', script]);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /"event":"closed".*"bytesOut":5.*"reason":"ended"/);
      seen.close();
      await listener.interrupt();
    });

    describe('when a stream stays open after its end', () => {
      let holding: Server;
      let listener: HcmProcess;
      const script = `
        const socket = require('net').connect({ host: process.env.HCM_HOST, port: process.env.HCM_PORT });
        socket.end('hello', () => process.exit(0));`;
      const start = (...flags: string[]) => {
        const args = ['forward', '--connection-string-file', 'sink-send.txt', ...flags];
        return home.start([...args, '--', process.execPath, '-e', script]);
      };
      beforeEach(async () => {
        holding = await startServer((socket) => socket.resume());
        listener = await home.listen('sink', holding, '--grace-period', '0');
      });
      afterEach(async () => {
        holding.close();
        await listener.interrupt();
      });

      it('one Ctrl-C cuts it: 130', async () => {
        const forward = start();
        await forward.says(
          'The command has ended: 1 open stream may take up to 10s to finish. Ctrl-C stops now.',
        );
        assert.equal((await forward.interrupt()).status, 130);
      });

      it('the end of the grace period cuts it, with the status of the command, and blames nobody', async () => {
        const { status, stderr } = await start('--grace-period', '50ms').ended;
        assert.equal(status, 0, stderr);
        assert.match(stderr, /HCM_ABORTED/);
        assert.doesNotMatch(stderr, /far side/);
      });
    });

    it('ends with its status', async () => {
      assert.equal((await run([process.execPath, '-e', 'process.exit(42)'])).status, 42);
    });

    it('ends with 127 when there is no such command, with 126 when it cannot be run', async () => {
      writeFileSync(home.path('no-program'), 'text');
      const [missing, broken] = await Promise.all([
        run(['no-such-command-here']),
        run([home.path('no-program')]),
      ]);
      assert.deepEqual([missing.status, broken.status], [127, 126]);
    });

    it('ends with 128 and the signal that killed it, and passes signals on', async function () {
      if (process.platform === 'win32') return;
      const script =
        'process.on("SIGTERM", () => process.kill(process.pid, "SIGKILL")); console.log("up"); setInterval(() => {}, 1e6)';
      const forward = home.start([
        'forward',
        '--connection-string-file',
        'db-send.txt',
        '--',
        process.execPath,
        '-e',
        script,
      ]);
      await forward.answers('up');
      forward.kill('SIGTERM');
      assert.equal((await forward.ended).status, 137);
    });

    it('does not hand our secrets to it', async () => {
      const env = {
        ...{ HCM_CONNECTION_STRING: 'secret-1', HCM_PROXY_PASSWORD: 'secret-2' },
        ...{ HCM_PROXY: 'http://user:secret-3@127.0.0.1:9', MINE: 'kept' },
      };
      const { stdout } = await run([process.execPath, '-p', 'JSON.stringify(process.env)'], env);
      assert.ok(!stdout.includes('secret-'), stdout);
      assert.match(stdout, /"MINE":"kept"/);
    });

    it('with --json, says ready on stderr', async () => {
      const args = [
        'forward',
        '--connection-string-file',
        'db-send.txt',
        '--json',
        '--',
        process.execPath,
        '-e',
        '0',
      ];
      const { stdout, stderr } = await home.run(args);
      assert.equal(stdout, '');
      assert.equal((JSON.parse(stderr.split('\n')[0] ?? '') as { event: string }).event, 'ready');
    });
  });
});

function reversed(text: string): string {
  return [...text].reverse().join('');
}

async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const refused = await client(port).then(
      (socket) => {
        socket.on('error', () => undefined).destroy();
        return false;
      },
      () => true,
    );
    if (refused) return;
  }
}
