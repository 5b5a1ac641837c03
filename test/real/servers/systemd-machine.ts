// A machine of its own with a real systemd as process 1, so that a service can be installed for real: own processes,
// mounts, network, host name and control groups; its disk is this machine's, with every write kept in memory apart. What
// is done there changes nothing here, and nothing is left when it stops. Needs root.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pollUntil } from './process.ts';
import { runCommand, tryCommand, type CommandResult } from './run-command.ts';

const BOOT_TIMEOUT_MS = 60_000;
/** Where the machine sees what was written to its disk. */
const WRITTEN = '/run/hcm-written';
/** Units of a whole system that are of no use here, or that would ask for the kernel of this machine. */
const MASKED = [
  ...['dev-hugepages.mount', 'dev-mqueue.mount', 'sys-kernel-debug.mount', 'sys-kernel-tracing.mount'],
  ...['sys-kernel-config.mount', 'sys-fs-fuse-connections.mount', 'proc-sys-fs-binfmt_misc.automount'],
  ...[
    'systemd-sysctl.service',
    'systemd-modules-load.service',
    'systemd-binfmt.service',
    'kmod-static-nodes.service',
  ],
  ...['systemd-udevd.service', 'systemd-udev-trigger.service', 'systemd-random-seed.service'],
  ...['systemd-machine-id-commit.service', 'systemd-firstboot.service', 'modprobe@.service'],
  ...['systemd-update-utmp.service', 'systemd-journal-flush.service', 'systemd-pstore.service'],
  // What they do by the clock is of no use there.
  ...[
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'man-db.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
  ],
];

/** Runs in the new namespaces, with a folder for itself. The last line becomes process 1. */
const BOOT = `
set -eu
base=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$base"
mkdir "$base/written" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/written,workdir=$base/work" "$base/root"
root=$base/root
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
  : > "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root${WRITTEN}" "$root/run/old"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount --bind "$base/written" "$root${WRITTEN}"
ip link set lo up
echo 11111111111111111111111111111111 > "$root/etc/machine-id"
rm -rf "$root/var/lib/systemd/linger" "$root/etc/systemd/system/hcm.service" "$root/var/lib/hcm"
for unit in ${MASKED.join(' ')}; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
printf '[Unit]\\nRequires=basic.target dbus.service\\nAfter=basic.target dbus.service\\n' > "$root/etc/systemd/system/hcm-test.target"
cd "$root"
pivot_root . run/old
umount -l /run/old
# As systemd makes it on a machine that is none inside another: what it mounts for services reaches them.
mount --make-rshared /
exec env -i container=hcm-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --system --unit=hcm-test.target --log-target=console --show-status=no
`;

export class SystemdMachine {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #cgroup: string;
  readonly #init: number;

  private constructor(child: ChildProcess, init: number, places: { folder: string; cgroup: string }) {
    this.#child = child;
    this.#init = init;
    this.#folder = places.folder;
    this.#cgroup = places.cgroup;
  }

  /** Resolves when it has booted. */
  static async start(): Promise<SystemdMachine> {
    const folder = await mkdtemp(join(tmpdir(), 'hcm-systemd-'));
    const cgroup = join(cgroupRoot(), folder.slice(folder.lastIndexOf('/') + 1));
    await mkdir(cgroup);
    // Into its control group first: the namespace of groups begins where the process is.
    const enter = `echo $$ > ${cgroup}/cgroup.procs && exec unshare --fork --kill-child --pid --mount --uts --ipc --net --cgroup bash -c "$1" boot "$2"`;
    const child = spawn('bash', ['-c', enter, 'bash', BOOT, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-8_000)));
    let machine: SystemdMachine | undefined;
    const hasBooted = async () => {
      if (child.exitCode !== null) throw new Error(`the machine has ended: ${said}`);
      const init = childOf(child.pid ?? 0);
      if (init === undefined) return false;
      machine = new SystemdMachine(child, init, { folder, cgroup });
      const { stdout } = await machine.try('systemctl', 'is-system-running');
      return /^(?:running|degraded)/.test(stdout);
    };
    try {
      await pollUntil(hasBooted, {
        timeoutMs: BOOT_TIMEOUT_MS,
        what: () => `systemd to start; it said: ${said}`,
      });
    } catch (error) {
      await new SystemdMachine(child, childOf(child.pid ?? 0) ?? 0, { folder, cgroup }).stop();
      throw error;
    }
    return machine as SystemdMachine;
  }

  /** The command line that runs a program there, for those who start it themselves. */
  commandLine(command: string, ...args: string[]): [string, string[]] {
    return ['nsenter', ['--target', String(this.#init), '--all', '--', command, ...args]];
  }

  /** Resolves with what it said; rejects when it fails. */
  run(command: string, ...args: string[]): Promise<CommandResult> {
    return runCommand(...this.commandLine(command, ...args), { env: MACHINE_ENV });
  }

  /** The same, with something to read. */
  feed(input: Buffer, command: string, ...args: string[]): Promise<CommandResult> {
    return runCommand(...this.commandLine(command, ...args), { env: MACHINE_ENV, input });
  }

  try(command: string, ...args: string[]): ReturnType<typeof tryCommand> {
    return tryCommand(...this.commandLine(command, ...args), { env: MACHINE_ENV });
  }

  /**
   * A line for each file that was written to its disk, and for each new folder: path, kind, mode, owner, group; and sums
   * of the files that accounts are in. A folder that stands on this machine is there only because of what is in it.
   */
  async written(): Promise<string[]> {
    const list = `cd ${WRITTEN} && find . -mindepth 1 -printf '%P\\t%y %m %u %g\\n' && sha256sum /etc/passwd /etc/group /etc/shadow /etc/gshadow`;
    const lines = (await this.run('bash', '-c', list)).stdout.trim().split('\n');
    const isOld = (line: string) => {
      const [path = '', kind = ''] = line.split('\t');
      return kind.startsWith('d ') && existsSync(`/${path}`);
    };
    return lines.filter((line) => !isOld(line)).sort();
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      // The end of process 1 is the end of all.
      if (this.#init > 0) process.kill(this.#init, 'SIGKILL');
      else this.#child.kill('SIGKILL');
      await ended;
    }
    await pollUntil(
      async () => (await writeFile(join(this.#cgroup, 'cgroup.kill'), '1').catch(() => undefined), true),
      {
        what: 'the group to end',
      },
    );
    await pollUntil(() => removeGroups(this.#cgroup), { what: `${this.#cgroup} to be empty` });
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What every program there gets, whoever starts the tests. */
export const MACHINE_ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  HOME: '/root',
};

/** Where groups of version 2 are: alone, or beside those of version 1. */
function cgroupRoot(): string {
  const [, place] = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8')) ?? [];
  if (place === undefined) throw new Error('this kernel has no control groups of version 2');
  return place;
}

/** The first child of a process. */
function childOf(pid: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

/** From the innermost. Resolves with false while a process is still ending in one. */
async function removeGroups(group: string): Promise<boolean> {
  try {
    for (const entry of await readdir(group, { withFileTypes: true }))
      if (entry.isDirectory() && !(await removeGroups(join(group, entry.name)))) return false;
    await rmdir(group);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
