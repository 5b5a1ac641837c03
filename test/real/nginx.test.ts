// Large transfers with a real web server: 1 GiB each way, then many at once, compared by hash.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HcmPath } from './hcm-path.ts';
import { startNginx } from './servers/nginx.ts';
import { runCommand } from './servers/run-command.ts';

const MIB = 1024 * 1024;

describe('nginx through the relay', () => {
  let path: HcmPath;
  let nginx: Awaited<ReturnType<typeof startNginx>>;
  let port: number;

  beforeEach(async () => {
    path = await HcmPath.create();
    nginx = await startNginx();
    port = await path.open(`127.0.0.1:${nginx.port}`);
  });

  afterEach(async () => {
    await path.stop();
    await nginx.stop();
  });

  it('curl downloads 1 GiB byte for byte', async () => {
    const sent = await writeRandom(join(nginx.rootDirectory, 'large.bin'), 1024);
    const file = join(path.directory, 'got.bin');
    await runCommand('curl', ['-fsS', '-o', file, `http://127.0.0.1:${port}/large.bin`]);
    assert.equal(await hashOf(file), sent);
  });

  it('curl uploads 1 GiB by WebDAV PUT byte for byte', async () => {
    const file = join(path.directory, 'large.bin');
    const sent = await writeRandom(file, 1024);
    await runCommand('curl', ['-fsS', '-T', file, `http://127.0.0.1:${port}/put.bin`]);
    const got = join(nginx.rootDirectory, 'put.bin');
    assert.equal((await stat(got)).size, 1024 * MIB);
    assert.equal(await hashOf(got), sent);
  });

  it('50 transfers of 16 MiB at once, half of them up, arrive byte for byte', async () => {
    const source = join(nginx.rootDirectory, 'source.bin');
    const sent = await writeRandom(source, 16);
    await mkdir(join(path.directory, 'got'));
    const url = `http://127.0.0.1:${port}`;
    const numbers = Array.from({ length: 25 }, (_, number) => number);
    const got = (number: number) => join(path.directory, 'got', String(number));
    await Promise.all(
      numbers.flatMap((number) => [
        runCommand('curl', ['-fsS', '-o', got(number), `${url}/source.bin`]),
        runCommand('curl', ['-fsS', '-T', source, `${url}/put-${number}.bin`]),
      ]),
    );
    for (const number of numbers) {
      assert.equal(await hashOf(got(number)), sent, `download ${number}`);
      assert.equal(await hashOf(join(nginx.rootDirectory, `put-${number}.bin`)), sent, `upload ${number}`);
    }
  });
});

/** Writes so many MiB that never repeat within a block; resolves with their hash. */
async function writeRandom(file: string, mebibytes: number): Promise<string> {
  const hash = createHash('sha256');
  const block = randomBytes(MIB);
  const handle = await open(file, 'w', 0o644);
  for (let at = 0; at < mebibytes; at += 1) {
    block.writeUInt32BE(at, (at * 4096) % (MIB - 4));
    hash.update(block);
    await handle.write(block);
  }
  await handle.close();
  return hash.digest('hex');
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: MIB }), hash);
  return hash.digest('hex');
}
