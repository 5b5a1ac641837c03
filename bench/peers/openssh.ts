/**
 * OpenSSH as a relay: one sshd with its own keys, the listener's side asks for a remote forward (-R) of its target,
 * the sender's side forwards a local port (-L) to it. Always encrypted, so it stands beside the TLS paths only.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, spawnQuiet, untilListening } from '../children.ts';
import { scratchDir } from '../places.ts';
import { Chain } from './chain.ts';
import type { Peer } from './peer.ts';

const run = promisify(execFile);

/** sshd insists on its full path, since it starts itself again for each connection. */
const sshd = '/usr/sbin/sshd';

export const opensshChacha20 = openssh('openssh-chacha20', 'chacha20-poly1305@openssh.com');
export const opensshAes128 = openssh('openssh-aes128gcm', 'aes128-gcm@openssh.com');

function openssh(name: string, cipher: string): Peer {
  return {
    name,
    legs: ['tls'],
    available: () =>
      run('ssh', ['-V']).then(
        () => (existsSync(sshd) ? undefined : `${sshd} is missing (apt-get install openssh-server)`),
        () => 'ssh is not installed (apt-get install openssh-client)',
      ),
    async start({ targetPort }) {
      const dir = await keys();
      const [port, meeting, entry] = [await freePort(), await freePort(), await freePort()];
      writeServerConfig(dir, port, cipher);
      const client = clientOptions(dir, port, cipher);
      return Chain.build(async (chain) => {
        const server = spawnQuiet(sshd, ['-D', '-e', '-f', join(dir, 'sshd_config')]);
        await untilListening(port, chain.add('relay', server));
        const remote = ['-R', `127.0.0.1:${meeting}:127.0.0.1:${targetPort}`];
        await untilListening(meeting, chain.add('listener', spawnQuiet('ssh', [...client, ...remote])));
        const local = ['-L', `127.0.0.1:${entry}:127.0.0.1:${meeting}`];
        await untilListening(entry, chain.add('sender', spawnQuiet('ssh', [...client, ...local])));
        return entry;
      });
    },
  };
}

/** A host key and a user key of our own, made anew each time. */
async function keys(): Promise<string> {
  const dir = scratchDir('openssh');
  for (const name of ['host', 'user']) {
    for (const file of [name, `${name}.pub`]) rmSync(join(dir, file), { force: true });
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)]);
  }
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(join(dir, 'user.pub')), { mode: 0o600 });
  return dir;
}

function writeServerConfig(dir: string, port: number, cipher: string): void {
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 }); // privilege separation
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(dir, 'host')}`,
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no', // the checkout may be group-writable
    'PasswordAuthentication no',
    'PermitRootLogin prohibit-password',
    'AllowTcpForwarding yes',
    'Compression no',
    'UseDNS no',
    `Ciphers ${cipher}`,
  ];
  writeFileSync(join(dir, 'sshd_config'), `${lines.join('\n')}\n`);
}

function clientOptions(dir: string, port: number, cipher: string): string[] {
  const options = {
    Compression: 'no',
    Ciphers: cipher,
    IdentitiesOnly: 'yes',
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
    ExitOnForwardFailure: 'yes',
    BatchMode: 'yes',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const who = ['-p', String(port), '-i', join(dir, 'user'), `${userInfo().username}@127.0.0.1`];
  return ['-N', '-T', '-F', 'none', '-q', ...flags, ...who];
}
