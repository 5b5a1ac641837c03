import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expectNothingLeft } from '../../helpers/resources.ts';
import { TunnelBed, readAll } from '../../helpers/tunnel-bed.ts';
import { ENTITY } from '../../helpers/tunnel.ts';
import { until } from '../../helpers/until.ts';

const MODULE = fileURLToPath(new URL('../../helpers/tunnel-process.ts', import.meta.url));

// Real pipes, as a shell makes them; Node's own stdio for children are socket pairs, which close in another way.
const unix = process.platform === 'win32' ? describe.skip : describe;
unix('a process whose stdin and stdout are a stream', () => {
  expectNothingLeft();
  let bed: TunnelBed;

  beforeEach(async () => (bed = await TunnelBed.start()));
  afterEach(() => bed.stop());

  function connectProcess(): ChildProcessWithoutNullStreams {
    const connection = bed.emulator.connections.find(({ name }) => name === ENTITY);
    const { caPem } = bed.emulator;
    const argument = { connectionString: connection?.senderConnectionString, caPem, stdio: true };
    const node = `"${process.execPath}" --import=tsx "${MODULE}" "$0"`;
    // The shell itself keeps our end of stdout; the last of the three says when its stdin has ended.
    return spawn('sh', ['-c', `cat | ${node} | { cat; printf ' END'; }`, JSON.stringify(argument)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }) as unknown as ChildProcessWithoutNullStreams;
  }

  it('shuts down its side at the end of stdin and still gets the whole answer', async () => {
    const target = await bed.target((socket) => void readAll(socket).then((bytes) => socket.end(bytes)));
    await bed.onlineListener({ target });
    const child = connectProcess();
    const bytes = randomBytes(3 * 1024 * 1024);
    child.stdin.end(bytes);
    const closed = once(child, 'close');
    assert.ok((await readAll(child.stdout)).equals(Buffer.concat([bytes, Buffer.from(' END')])));
    await closed;
  });

  it('ends stdout when the target ends, while stdin is open', async () => {
    const target = await bed.target((socket) => void socket.end('bye').resume());
    await bed.onlineListener({ target });
    const child = connectProcess();
    const closed = once(child, 'close');
    let seen = '';
    child.stdout.on('data', (bytes: Buffer) => (seen += bytes.toString()));
    await until(() => seen === 'bye END', 'the end of stdout', 8_000);
    child.stdin.end();
    await closed;
  });
});
