/** This machine as services are installed on it, and which of its service managers is meant. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { HcmError } from '../../../protocol/errors.ts';
import { LaunchdService } from '../../services/service/launchd-service.ts';
import type { ServiceScope } from '../../services/service/service-command.ts';
import type { Ran, ServiceHost, ServiceMachine } from '../../services/service/service-host.ts';
import { SystemdService } from '../../services/service/systemd-service.ts';
import { WinswService } from '../../services/service/winsw-service.ts';

/** What these programs say is a page at most. */
const MAX_OUTPUT_BYTES = 1_048_576;

export function thisMachine(root = ''): ServiceMachine {
  const exists = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  return {
    platform: process.platform,
    userId: process.geteuid?.(),
    env: process.env,
    home: homedir(),
    // "/" is the machine itself.
    root: root.replace(/\/+$/, ''),
    exists,
    run,
  };
}

/** @throws HcmError HCM_USAGE, HCM_SERVICE_UNSUPPORTED. `scope` undefined: the one that is installed, else the machine's. */
export async function serviceHost(machine: ServiceMachine, scope?: ServiceScope): Promise<ServiceHost> {
  const { platform, userId } = machine;
  if (platform === 'linux') return systemdHost(machine, scope);
  if (platform === 'darwin') return new LaunchdService(machine, scope ?? (userId === 0 ? 'system' : 'user'));
  if (platform !== 'win32')
    throw new HcmError('HCM_SERVICE_UNSUPPORTED', `hcm knows no services of ${platform}.`);
  if (scope !== 'user') return new WinswService(machine);
  throw new HcmError('HCM_USAGE', 'Windows has no services of one user.', {
    details: { next: 'hcm service install, as administrator' },
  });
}

async function systemdHost(machine: ServiceMachine, scope?: ServiceScope): Promise<SystemdService> {
  const user = new SystemdService(machine, 'user');
  const system = new SystemdService(machine, 'system');
  if (scope !== undefined) return scope === 'user' ? user : system;
  const isThere = (host: SystemdService) => machine.exists(`${machine.root}${host.unit}`);
  return !(await isThere(system)) && (await isThere(user)) ? user : system;
}

/** In English and UTC, whatever the user has: its words are told, its times are read. */
function run(command: string, args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' };
  return new Promise((resolve) => {
    const options = { env, maxBuffer: MAX_OUTPUT_BYTES };
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ status, stdout, stderr: stderr || (status === null ? (error?.message ?? '') : '') });
    });
    child.stdin?.end();
  });
}
