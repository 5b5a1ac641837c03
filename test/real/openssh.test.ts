// A real OpenSSH client with `hcm connect` as its ProxyCommand.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HcmPath } from './hcm-path.ts';
import { startOpenssh } from './servers/openssh.ts';
import { runCommand } from './servers/run-command.ts';

describe('OpenSSH with hcm connect as ProxyCommand', () => {
  let path: HcmPath;
  let sshd: Awaited<ReturnType<typeof startOpenssh>>;
  let options: string[];

  beforeEach(async () => {
    path = await HcmPath.create();
    sshd = await startOpenssh();
    await path.startEmulator(['ssh']);
    await path.listen('ssh', `127.0.0.1:${sshd.port}`);
    const [node, args] = path.commandLine([
      'connect',
      '--connection-string-file',
      await path.stringFile('ssh', 'sender'),
    ]);
    options = [...sshd.clientOptions(), '-o', `ProxyCommand=${[node, ...args].join(' ')}`];
  });

  afterEach(async () => {
    await path.stop();
    await sshd.stop();
  });

  it('ssh runs a command, takes its input to the end, and returns its status', async () => {
    const input = randomBytes(3_000_000);
    const { stdout } = await runCommand('ssh', [...options, `${sshd.user}@127.0.0.1`, 'sha256sum; exit 0'], {
      env: path.env,
      input,
    });
    assert.equal(stdout.split(' ')[0], createHash('sha256').update(input).digest('hex'));
    await assert.rejects(
      runCommand('ssh', [...options, `${sshd.user}@127.0.0.1`, 'exit 7'], { env: path.env }),
      /ended with 7/,
    );
  });

  it('scp copies a file there and back unchanged', async () => {
    const [file, back] = [join(path.directory, 'file'), join(path.directory, 'back')];
    const content = randomBytes(20_000_000);
    await writeFile(file, content);
    const remote = `${sshd.user}@127.0.0.1:/tmp/hcm-scp-${process.pid}`;
    await runCommand('scp', [...options, file, remote], { env: path.env });
    await runCommand('scp', [...options, remote, back], { env: path.env });
    await runCommand('ssh', [...options, `${sshd.user}@127.0.0.1`, `rm /tmp/hcm-scp-${process.pid}`], {
      env: path.env,
    });
    assert.ok(content.equals(await readFile(back)));
  });
});
