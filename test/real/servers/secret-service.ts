// A desktop's keychain without a desktop: a session bus of its own, and gnome-keyring on it, unlocked or locked. Its
// entries lie in the home that it is given, so that it can be stopped and started again with the same ones.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startProcess, type ServerProcess } from './process.ts';
import { tryCommand } from './run-command.ts';

const PASSWORD = 'the password of the login keyring';
const POLL_INTERVAL_MS = 25;

/** Anybody of this session may talk to anybody; no service is started by being asked for. */
const BUS = (
  folder: string,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${join(folder, 'bus')}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;

export class SecretService {
  readonly #folder: string;
  readonly #bus: ServerProcess;
  #keyring: ChildProcess | undefined;

  private constructor(folder: string, bus: ServerProcess) {
    this.#folder = folder;
    this.#bus = bus;
  }

  /** A session bus on which nobody keeps secrets yet. `folder` is the home, and short enough for a socket. */
  static async startBus(folder: string): Promise<SecretService> {
    const configuration = join(folder, 'bus.conf');
    await writeFile(configuration, BUS(folder));
    let isListening = false;
    const bus = await startProcess({
      command: 'dbus-daemon',
      args: [`--config-file=${configuration}`, '--nofork', '--print-address'],
      onLine: () => (isListening = true),
      isReady: () => Promise.resolve(isListening),
    });
    return new SecretService(folder, bus);
  }

  /** For whoever lives in this session. */
  get env(): NodeJS.ProcessEnv {
    return {
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(this.#folder, 'bus')}`,
      XDG_RUNTIME_DIR: this.#folder,
      HOME: this.#folder,
      HCM_SECRETS: 'auto',
    };
  }

  /** As after signing in to a desktop. */
  async unlock(): Promise<void> {
    await this.#start(['--unlock'], PASSWORD);
  }

  /** As after an automatic sign-in, when nobody has typed the password and nobody is there to be asked. */
  async lock(): Promise<void> {
    await this.#start(['--start'], '');
  }

  /** It stays on the bus and answers nobody. */
  hang(): void {
    this.#keyring?.kill('SIGSTOP');
  }

  async quit(): Promise<void> {
    const keyring = this.#keyring;
    this.#keyring = undefined;
    if (keyring === undefined || keyring.exitCode !== null) return;
    keyring.kill('SIGKILL');
    await once(keyring, 'exit');
  }

  async stop(): Promise<void> {
    await this.quit();
    await this.#bus.stop();
  }

  async #start(args: readonly string[], password: string): Promise<void> {
    await this.quit();
    await this.#until(false);
    const keyring = spawn('gnome-keyring-daemon', [...args, '--foreground', '--components=secrets'], {
      env: { ...process.env, ...this.env, DISPLAY: undefined },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    keyring.stdin.on('error', () => undefined);
    keyring.stdin.end(password);
    this.#keyring = keyring;
    await this.#until(true);
  }

  /** Whether somebody keeps secrets on the bus. */
  async #until(isThere: boolean): Promise<void> {
    const ask = ['--session', '--print-reply=literal', '--dest=org.freedesktop.DBus', '/'];
    const question = ['org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets'];
    for (;;) {
      const { stdout } = await tryCommand('dbus-send', [...ask, ...question], {
        env: { ...process.env, ...this.env },
      });
      if (stdout.includes(String(isThere))) return;
      await delay(POLL_INTERVAL_MS);
    }
  }
}
