// A real OpenSSH server with keys of its own, for ssh, scp and sftp. Its client may reach it at any address (a tunnel's
// port), and still checks the host key: the known-hosts file holds that one key for every name.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { acceptsConnections, freePort, LOOPBACK } from './free-port.ts';
import { runsAsRoot, startProcess } from './process.ts';
import { runCommand } from './run-command.ts';
import { inServerDirectory, type RealServer } from './server-directory.ts';

const COMMAND = '/usr/sbin/sshd'; // sshd insists on an absolute path
const TEST_USER = 'hcm-test'; // made by .ci/install-real
const PRIVILEGE_SEPARATION_DIRECTORY = '/run/sshd'; // compiled into Debian's sshd

export interface OpensshServer extends RealServer {
  /** Who to log in as: the test user when we are root, otherwise ourselves (sshd can switch to nobody else). */
  readonly user: string;
  readonly clientKeyPath: string;
  readonly knownHostsPath: string;
  /** Options for ssh, scp and sftp alike: key, host key, no questions, and the port (the server's, or a tunnel's). */
  clientOptions(port?: number): string[];
}

/** Resolves when it accepts connections. */
export function startOpenssh(): Promise<OpensshServer> {
  return inServerDirectory('openssh', undefined, async (directory) => {
    const hostKeyPath = await generateKey(directory, 'host-key');
    const clientKeyPath = await generateKey(directory, 'client-key');
    const knownHostsPath = join(directory, 'known-hosts');
    await writeFile(knownHostsPath, `* ${await readFile(`${hostKeyPath}.pub`, 'utf8')}`);
    const port = await freePort();
    const configFile = join(directory, 'sshd-config');
    await writeFile(configFile, configuration(port, hostKeyPath, `${clientKeyPath}.pub`));
    if (runsAsRoot()) await mkdir(PRIVILEGE_SEPARATION_DIRECTORY, { recursive: true, mode: 0o755 });
    const child = await startProcess({
      command: COMMAND,
      args: ['-D', '-e', '-f', configFile],
      isReady: () => acceptsConnections(port),
    });
    return {
      host: LOOPBACK,
      port,
      user: runsAsRoot() ? TEST_USER : userInfo().username,
      clientKeyPath,
      knownHostsPath,
      clientOptions: (clientPort = port) => clientOptions(clientPort, clientKeyPath, knownHostsPath),
      stop: () => child.stop(),
    };
  });
}

async function generateKey(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  return path;
}

/** StrictModes off: the files lie in a directory below /tmp. MaxStartups: many log in at once. */
function configuration(port: number, hostKeyPath: string, authorizedKeysPath: string): string {
  const settings = {
    ListenAddress: `${LOOPBACK}:${port}`,
    HostKey: hostKeyPath,
    AuthorizedKeysFile: authorizedKeysPath,
    PidFile: 'none',
    StrictModes: 'no',
    UsePAM: 'no',
    UseDNS: 'no',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    PermitRootLogin: 'no',
    PrintMotd: 'no',
    PrintLastLog: 'no',
    MaxStartups: '200:30:400',
    MaxSessions: '200',
    Subsystem: 'sftp internal-sftp',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

function clientOptions(port: number, clientKeyPath: string, knownHostsPath: string): string[] {
  const settings = {
    Port: String(port), // ssh has -p, scp has -P; this is the same for both
    IdentityFile: clientKeyPath,
    IdentitiesOnly: 'yes',
    UserKnownHostsFile: knownHostsPath,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    BatchMode: 'yes',
    LogLevel: 'ERROR',
    ConnectTimeout: '20', // seconds
  };
  return [
    '-F',
    '/dev/null',
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
}
